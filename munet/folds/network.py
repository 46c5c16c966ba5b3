"""The network that sees folds: a U-Net from planes of the picture to the height of the cloth above its smooth base."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pad, pixel_shuffle, relu

from munet.folds.planes import PLANES
from munet.models.weights import read_weights

STEP = 16
"""Both edges of a picture must be multiples of this."""
_FILE = "folds.safetensors"
_WIDTHS = (32, 48, 64, 96)


class _Block(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm_out = nn.BatchNorm2d(width)

    def forward(self, value: Tensor) -> Tensor:
        inner = self.norm_out(self.second(relu(self.norm(self.first(value)))))
        return relu(value + inner)


class _Down(nn.Module):
    """A strided convolution and a block."""

    def __init__(self, fine: int, coarse: int, kernel: int = 3) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(fine, coarse, kernel, stride=2, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(coarse)
        self.block = _Block(coarse)

    def forward(self, value: Tensor) -> Tensor:
        found: Tensor = self.block(relu(self.norm(self.shrink(value))))
        return found


class _Up(nn.Module):
    """The coarser level, brought to the size of the finer one and added to it."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse, fine, 1, bias=False)
        self.join = nn.Conv2d(fine, fine, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        grown = interpolate(self.narrow(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        return relu(fine + self.norm(self.join(grown + fine)))


class FoldNet(nn.Module):
    """Height of folds from planes; 0.47 M parameters, sees about 150 pixels around each."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third, last = _WIDTHS
        self.down = nn.ModuleList(
            [_Down(PLANES, first, 5), _Down(first, second), _Down(second, third), _Down(third, last)]
        )
        self.up = nn.ModuleList([_Up(last, third), _Up(third, second), _Up(second, first)])
        self.head = nn.Conv2d(first, 4, 3, padding=1)
        nn.init.normal_(self.head.weight, std=0.01)

    def forward(self, planes: Tensor) -> Tensor:
        """Map (B, PLANES, H, W) of ``planes_of`` to heights (B, H, W) in pixels, towards the camera positive.

        Heights mean nothing by themselves over large distances, only their slopes do. H and W are multiples of STEP.
        """
        levels, value = [], planes
        for down in self.down:
            value = down(value)
            levels.append(value)
        for up, fine in zip(self.up, reversed(levels[:-1]), strict=True):
            value = up(value, fine)
        fine = pixel_shuffle(self.head(value).float(), 2)
        # The four values of a head's pixel agree with those of its neighbours.
        return avg_pool2d(pad(fine, (1, 1, 1, 1), mode="replicate"), 3, 1)[:, 0]


def load_folds() -> FoldNet:
    """Load the network that comes with the package (made by scripts/train_folds.py).

    Raises:
        ModelMissingError: the file is absent or damaged.
    """
    return read_folds(resources.files("munet.assets").joinpath(_FILE))


def read_folds(file: Traversable) -> FoldNet:
    """Read the network's weights from a file.

    Raises:
        ModelMissingError: the file is absent or damaged.
    """
    return read_weights(lambda _: FoldNet(), file, "fold network")
