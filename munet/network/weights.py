"""Parameters in a safetensors file that also says which configuration they belong to."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from munet.errors import ModelMissingError
from munet.network.config import NetworkConfig, config_from_dict, config_to_dict
from munet.network.munet import MuNet, create_munet

_FORMAT = "munet-network-1"


def save_munet(net: MuNet, path: Path, dtype: torch.dtype = torch.float32, notes: dict[str, str] | None = None) -> None:
    """Write the parameters.

    Args:
        net: the networks.
        path: of the file.
        dtype: of the stored real numbers.
        notes: further texts for the file's header, for instance the seed and the command.
    """
    tensors = {
        name: (value.to(dtype) if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in net.state_dict().items()
    }
    header = {**(notes or {}), "format": _FORMAT, "config": json.dumps(config_to_dict(net.config), sort_keys=True)}
    save_file(tensors, path, header)


def adopted(start: MuNet, config: NetworkConfig, seed: int = 0) -> MuNet:
    """Networks of a configuration with the parameters of others wherever name and shape are the same."""
    net = create_munet(config, seed)
    own, given = net.state_dict(), start.state_dict()
    same = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    net.load_state_dict(own | same)
    return net


def load_munet(path: Path, device: torch.device | str = "cpu") -> MuNet:
    """Read networks written by :func:`save_munet`, as float32 and in evaluation mode.

    Raises:
        ModelMissingError: the file is absent, damaged or of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelMissingError("The networks' file can not be read.", detail=f"{path}: {error}") from error
    if header.get("format") != _FORMAT:
        raise ModelMissingError(
            "The file holds no networks of this program.",
            detail=f"{path}: expected format {_FORMAT}, found {header.get('format')}",
        )
    net = create_munet(config_from_dict(json.loads(header["config"])))
    try:
        net.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
        )
    except RuntimeError as error:
        raise ModelMissingError("The networks' file is damaged.", detail=f"{path}: {error}") from error
    return net.to(device).eval()
