"""The two sizes of the networks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from munet.errors import InvalidInputError

LANDMARK_COUNT = 33
# Planes that the body encoder can see, and how many of them there are.
INPUT_CHANNELS = {
    "rgb": 3,
    "landmarks": LANDMARK_COUNT,
    "mask": 1,
    "edges": 1,
    "depth": 1,
    "normals": 3,
    "outline": 1,
    "body": 3,
}


# RGB, front normals, back normals and mask.
LOCAL_PLANES = 10
# Signed distance to the outline.
OUTLINE_PLANES = 1
# Front and back normals of a body and the heights of its nearest and farthest surface.
BODY_PLANES = 8
# A vertex's place on the template, distance to the outline, and distances to the nearest and the farthest surface.
INFORMED_VALUES = 6


@dataclass(frozen=True)
class EncoderConfig:
    """The encoder of the whole picture, E_g.

    Attributes:
        kind: "resnet50", or "small": residual blocks at four scales.
        size: edge in pixels to which the crop is resized.
        channels: keys of INPUT_CHANNELS, in order.
        widths: channels of the four scales (small only).
        features: length of the feature of the whole picture.
        landmark_features: length of the code of the landmarks' coordinates, appended to the feature; 0 for none.
        vertex_features: channels of the map that every vertex of the body at the start reads where it is seen
            (small only); 0 for none.
    """

    kind: Literal["resnet50", "small"]
    size: int
    channels: tuple[str, ...]
    widths: tuple[int, ...]
    features: int
    landmark_features: int = 0
    vertex_features: int = 0

    @property
    def in_channels(self) -> int:
        """Number of input planes."""
        return sum(INPUT_CHANNELS[name] for name in self.channels)


@dataclass(frozen=True)
class FilterConfig:
    """One hourglass filter of the pixel-aligned features, E_l.

    Attributes:
        size: edge in pixels of its input.
        shrink: 2 or 4, input pixels per feature.
        width: channels inside.
        out: channels of the features.
        stacks: hourglasses one after another.
        depth: halvings inside an hourglass.
    """

    size: int
    shrink: int
    width: int
    out: int
    stacks: int
    depth: int


@dataclass(frozen=True)
class BodyConfig:
    """The body network G_v.

    Attributes:
        widths: channels after the layers L1 to L9.
        camera_layer: the camera reads the values after this layer, counted from 1.
        given: the vertices also know where the body at the start has them, and the networks move that body and its
            camera; without it they see the template's vertices only, as in the paper.
        evidence: kinds of evidence (``munet.network.evidence.SHARED``) from which the pose network first turns the
            joints of the given body; empty goes without that network.
        pose_width: of the pose network's perceptron.
        pose_hidden: of its layer for every joint.
    """

    widths: tuple[int, ...]
    camera_layer: int
    given: bool = False
    evidence: tuple[str, ...] = ()
    pose_width: int = 384
    pose_hidden: int = 96


@dataclass(frozen=True)
class SurfaceConfig:
    """The surface network G_e.

    Attributes:
        encoder: channels of the layers that follow one another.
        decoder: channels of the layers that see the input again; then comes a last one from 6 to 6.
        chunk_edges: edges per piece of a convolution, 0 for all at once.
        save_memory: gather the taps again in the backward pass instead of keeping them.
        kind: "paper", or "residual" (:class:`munet.network.residual_surface.ResidualSurface`).
    """

    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    chunk_edges: int
    save_memory: bool
    kind: Literal["paper", "residual"] = "paper"


@dataclass(frozen=True)
class NetworkConfig:
    """All networks together.

    Attributes:
        name: of the configuration.
        image_size: edge in pixels of the square crop, masks and normal maps.
        graph_vertices: vertices of the graph the networks work on; 0 takes the body's graph level as it is.
        encoder: E_g.
        coarse: the coarse filter of E_l.
        fine: the fine filter of E_l.
        normal_widths: channels of the normal network at its scales, the first at half the crop's size.
        body: G_v.
        surface: G_e.
        informed: E_l also sees the distance to the outline and the body's own maps, and every vertex of the surface
            knows its place on the template, its distance to the outline and what lies before and behind it.
    """

    name: str
    image_size: int
    graph_vertices: int
    encoder: EncoderConfig
    coarse: FilterConfig
    fine: FilterConfig
    normal_widths: tuple[int, ...]
    body: BodyConfig
    surface: SurfaceConfig
    informed: bool = False

    @property
    def local_planes(self) -> int:
        """Planes that E_l sees: RGB, both normals and mask; with ``informed`` the outline and the body's own maps."""
        return LOCAL_PLANES + (OUTLINE_PLANES + BODY_PLANES if self.informed else 0)

    @property
    def vertex_values(self) -> int:
        """Numbers that every vertex of the surface has besides its normal and its place."""
        return self.coarse.out + self.fine.out + (INFORMED_VALUES if self.informed else 0)


PAPER = NetworkConfig(
    name="paper",
    image_size=512,
    graph_vertices=0,
    encoder=EncoderConfig("resnet50", 224, ("rgb", "depth"), (), 2048),
    coarse=FilterConfig(size=512, shrink=4, width=256, out=256, stacks=4, depth=2),
    fine=FilterConfig(size=1024, shrink=2, width=64, out=16, stacks=1, depth=2),
    normal_widths=(64, 128, 256, 512),
    body=BodyConfig((512, 256, 256, 256, 256, 256, 256, 64, 32), camera_layer=7),
    surface=SurfaceConfig((1024, 1024, 1024, 2048, 2048, 1024, 512), (256, 128, 6), 4096, save_memory=True),
)

SMALL = NetworkConfig(
    name="small",
    image_size=256,
    graph_vertices=1724,
    encoder=EncoderConfig(
        "small",
        128,
        ("rgb", "landmarks", "mask", "edges", "normals", "outline", "body"),
        (32, 64, 128, 192),
        256,
        128,
        vertex_features=32,
    ),
    coarse=FilterConfig(size=128, shrink=2, width=32, out=32, stacks=1, depth=3),
    fine=FilterConfig(size=128, shrink=2, width=16, out=16, stacks=1, depth=1),
    normal_widths=(16, 32, 64, 128),
    body=BodyConfig(
        (128, 96, 96, 96, 96, 96, 96, 64, 32),
        camera_layer=7,
        given=True,
        evidence=("pose", "landmarks", "depths", "opinion"),
    ),
    surface=SurfaceConfig((64,) * 7, (64, 64, 64), 0, save_memory=False, kind="residual"),
    informed=True,
)

# For ablations: nothing but the picture, and the body to start from.
SMALL_RGB = replace(
    SMALL,
    name="small-rgb",
    encoder=replace(SMALL.encoder, channels=("rgb",), landmark_features=0),
    body=replace(SMALL.body, evidence=("pose", "normals")),
)

CONFIGS = {config.name: config for config in (PAPER, SMALL, SMALL_RGB)}


def config_to_dict(config: NetworkConfig) -> dict[str, Any]:
    """The configuration as nested dictionaries that JSON can hold."""
    return asdict(config)


def config_from_dict(values: dict[str, Any]) -> NetworkConfig:
    """Read what :func:`config_to_dict` gave, also after a way through JSON.

    Raises:
        InvalidInputError: fields are missing or unknown.
    """
    try:
        parts = {
            "encoder": EncoderConfig(**_tuples(values["encoder"])),
            "coarse": FilterConfig(**values["coarse"]),
            "fine": FilterConfig(**values["fine"]),
            "body": BodyConfig(**_tuples(values["body"])),
            "surface": SurfaceConfig(**_tuples(values["surface"])),
        }
        return NetworkConfig(**_tuples({**values, **parts}))
    except (KeyError, TypeError) as error:
        raise InvalidInputError("The network's configuration can not be read.", detail=str(error)) from error


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
