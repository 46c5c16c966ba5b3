"""Everything random about one sample, drawn before anything is computed: so a batch can be put together at will."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from munet.training.data.anatomy import HIP_HEIGHT, LEG_METRES
from munet.training.data.kinds import (
    BOTTOMS,
    EXTRAS,
    HAIR,
    KINDS,
    OUTERS,
    REGIONS,
    SHOES,
    SLOTS,
    TOPS,
    Hanging,
    Kind,
    Range,
    kinds_of,
)
from munet.training.data.looks import Looks, draw_looks
from munet.training.data.poses import draw_pose, shared_poses
from munet.training.data.splits import Split, random_of

Array = NDArray[np.float32]

MEASURES = (
    "present", "sleeve", "collar", "vee", "waist", "hem", "ease", "sleeve_ease", "leg_ease", "leg_flare", "gap",
    "wrinkles",
)  # fmt: skip
HANGING_MEASURES = ("present", "top", "length", "flare", "folds", "fold_depth", "gap", "phase")
CLOTH, LOCKS = 0, 1
WAVES = 12
NARROWEST_GAP = 0.12
TUCK = 0.004
LONG_OUTERS = frozenset({"coat", "robe"})


@dataclass(frozen=True)
class Drawn:
    """One person and one picture, before any geometry.

    Attributes:
        betas: (10,).
        pose: (24, 3, 3) local rotations; the root turns the T-pose into the world, y up.
        clip: () number of the pose's clip, -1 for a free pose.
        kind: (S,) number of the kind in each slot, -1 for nothing.
        cuts: (S, M) ``MEASURES`` of each slot.
        region: (S,) number of the region in ``REGIONS``.
        hanging: (2, H) ``HANGING_MEASURES`` of the hanging cloth and of the hanging hair.
        hanging_slot: (2,) slot whose cloth hangs.
        waves: (WAVES, 4) cycles per metre along the weave and phase in radians, of the wrinkles.
        focal: () millimetres on a frame 36 mm wide.
        tilt: (2,) pitch and roll of the camera, radians.
        place: (2,) where the person stands in the whole photo, in halves of its width and height.
        frame: (4,) part of the person shown (from, to, in heights from the top), margin, shift to the side.
        looks: colours, patterns, lights and noise.
    """

    betas: Tensor
    pose: Tensor
    clip: Tensor
    kind: Tensor
    cuts: Tensor
    region: Tensor
    hanging: Tensor
    hanging_slot: Tensor
    waves: Tensor
    focal: Tensor
    tilt: Tensor
    place: Tensor
    frame: Tensor
    looks: Looks


def draw_sample(seed: int, split: Split, index: int) -> Drawn:
    """Draw sample ``index`` of a split; nothing but the three arguments matters."""
    random = random_of(seed, split, index)
    pose, clip = draw_pose(random, split, *shared_poses())
    outfit = draw_outfit(random, test=split == "test")
    return Drawn(
        betas=_tensor(np.clip(random.normal(0, 1.15, 10), -2.8, 2.8)),
        pose=_tensor(pose),
        clip=torch.tensor(clip),
        kind=torch.tensor([-1 if k is None else KINDS.index(k) for k in outfit]),
        cuts=_tensor(_tucked(outfit, [_cuts(random, kind) for kind in outfit])),
        region=torch.tensor([REGIONS.index(k.region) if k else 0 for k in outfit]),
        **_draw_hanging(random, outfit),
        waves=_draw_waves(random),
        focal=_tensor(np.exp(random.uniform(np.log(20), np.log(100)))),
        tilt=_tensor([np.radians(np.clip(random.normal(4, 10), -25, 40)), np.radians(random.normal(0, 3.5))]),
        place=_tensor(random.uniform(-0.45, 0.45, 2)),
        frame=_draw_frame(random),
        looks=draw_looks(random, len(SLOTS)),
    )


def draw_outfit(random: np.random.Generator, *, test: bool) -> tuple[Kind | None, ...]:
    """Draw who wears what, one kind or None for each of ``SLOTS``."""

    def pick(kinds: tuple[Kind, ...], share: float) -> Kind | None:
        if random.random() >= share:
            return None
        usable = kinds_of(kinds, test=test)
        weights = np.array([kind.weight for kind in usable])
        return usable[int(random.choice(len(usable), p=weights / weights.sum()))]

    shoes, top, outer = pick(SHOES, 0.88), pick(TOPS, 0.97), pick(OUTERS, 0.33)
    bottom, extra, hair = pick(BOTTOMS, 1.0), pick(EXTRAS, 0.14), pick(HAIR, 0.93)
    if top is not None and "dress" in top.tags:
        bottom = None
    skirt = bottom is None or bottom.hanging is not None
    if outer is not None and outer.name in LONG_OUTERS and skirt:
        # A coat over a skirt would need two layers that hang.
        outer = None
    if extra is not None and extra.region != "neck":
        hair = None
    return shoes, bottom, top, outer, extra, hair


def _cuts(random: np.random.Generator, kind: Kind | None) -> list[float]:
    if kind is None:
        return [0.0] * len(MEASURES)
    return [1.0] + [_within(random, getattr(kind, name)) for name in MEASURES[1:]]


def _tucked(outfit: tuple[Kind | None, ...], cuts: list[list[float]]) -> list[list[float]]:
    """End shirts without a tail under the waistband."""
    top, bottom = SLOTS.index("top"), SLOTS.index("bottom")
    if outfit[top] is not None and outfit[bottom] is not None and _hanging_of(outfit)[1] != top:
        waist = cuts[bottom][MEASURES.index("waist")]
        cuts[top][MEASURES.index("hem")] = (HIP_HEIGHT - waist + TUCK) / LEG_METRES
    return cuts


def _within(random: np.random.Generator, bounds: Range) -> float:
    return float(random.uniform(*bounds))


def _draw_hanging(random: np.random.Generator, outfit: tuple[Kind | None, ...]) -> dict[str, Tensor]:
    cloth, cloth_slot = _hanging_of(outfit)
    hair = outfit[SLOTS.index("hair")]
    rows = [_hanging_row(random, cloth), _hanging_row(random, hair.hanging if hair else None)]
    return {"hanging": _tensor(rows), "hanging_slot": torch.tensor([cloth_slot, SLOTS.index("hair")])}


def _hanging_of(outfit: tuple[Kind | None, ...]) -> tuple[Hanging | None, int]:
    """Return the one garment whose loose part hangs: coats, dresses and skirts before the tails of shirts."""
    worn = [(slot, kind) for slot, kind in enumerate(outfit) if kind and kind.hanging and kind.slot != "hair"]
    for wanted in (_is_long, _is_any):
        for slot, kind in reversed(worn):
            if wanted(kind):
                return kind.hanging, slot
    return None, SLOTS.index("bottom")


def _is_long(kind: Kind) -> bool:
    return kind.slot == "bottom" or "dress" in kind.tags or kind.name in LONG_OUTERS


def _is_any(kind: Kind) -> bool:
    return kind.hanging is not None


def _hanging_row(random: np.random.Generator, hanging: Hanging | None) -> list[float]:
    if hanging is None:
        return [0.0] * len(HANGING_MEASURES)
    drawn = [_within(random, getattr(hanging, name)) for name in HANGING_MEASURES[1:-1]]
    drawn[3] = float(round(drawn[3]))
    drawn[5] = drawn[5] if drawn[5] > NARROWEST_GAP else 0.0
    return [1.0, *drawn, float(random.uniform(0, 2 * np.pi))]


def _draw_waves(random: np.random.Generator) -> Tensor:
    """Folds run along the limb: high frequencies across the weave, low ones along it."""
    across = np.exp(random.uniform(np.log(3), np.log(13), (WAVES, 1)))
    direction = random.normal(0, 1, (WAVES, 2))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    along = across * random.normal(0, 0.4, (WAVES, 1))
    phase = random.uniform(0, 2 * np.pi, (WAVES, 1))
    return _tensor(np.concatenate([across * direction[:, :1], along, across * direction[:, 1:], phase], 1))


def _draw_frame(random: np.random.Generator) -> Tensor:
    first, last = 0.0, 1.0
    kind = random.random()
    if kind < 0.18:
        last = random.uniform(0.4, 0.9)
    elif kind < 0.22:
        first = random.uniform(0.05, 0.3)
    return _tensor([first, last, random.uniform(1.04, 1.3), random.uniform(-0.06, 0.06)])


def stack(samples: list[Drawn]) -> Drawn:
    """Put samples together: every tensor gains a batch axis in front."""
    looks = {f.name: torch.stack([getattr(s.looks, f.name) for s in samples]) for f in fields(Looks)}
    rest = {f.name: torch.stack([getattr(s, f.name) for s in samples]) for f in fields(Drawn) if f.name != "looks"}
    return Drawn(**rest, looks=Looks(**looks))


def to_device(drawn: Drawn, device: torch.device | str) -> Drawn:
    """The same samples on another device."""
    looks = {f.name: getattr(drawn.looks, f.name).to(device) for f in fields(Looks)}
    rest = {f.name: getattr(drawn, f.name).to(device) for f in fields(Drawn) if f.name != "looks"}
    return Drawn(**rest, looks=Looks(**looks))


def _tensor(values: ArrayLike) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
