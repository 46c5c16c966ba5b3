"""Networks whose weights come with the package."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources.abc import Traversable
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from munet.errors import ModelMissingError

N = TypeVar("N", bound=nn.Module)


def read_weights(make: Callable[[dict[str, Tensor]], N], file: Traversable, name: str) -> N:
    """Return a network with the weights of a file, in single precision, ready to be asked.

    Args:
        make: makes the network that the weights belong to.
        file: safetensors.
        name: of the network, for the message.

    Raises:
        ModelMissingError: the file is absent or damaged, or belongs to another network.
    """
    try:
        weights = load_tensors(file.read_bytes())
        net = make(weights)
        net.load_state_dict({key: value.float() for key, value in weights.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        hint = f"Install MuNet again; the file munet/assets/{file.name} belongs to it."
        raise ModelMissingError(
            f"The weights of the {name} can not be read.", detail=f"{file}: {error}.", hint=hint
        ) from error
    return net.eval().requires_grad_(requires_grad=False)
