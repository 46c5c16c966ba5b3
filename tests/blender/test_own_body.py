"""People who were carried to SMPL and SMPL-X files arrive in Blender where the backend put them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _environment import ALIASES

if TYPE_CHECKING:
    from conftest import Blender

pytestmark = pytest.mark.blender
BODIES = Path(__file__).resolve().parents[1] / "munet" / "userbody"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Reconstruct somebody with each kind of file."""
    pytest.importorskip("torch")
    sys.path.append(str(BODIES))
    from official import smpl_arrays, smplx_arrays, write_npz
    from sitter import make_person

    from munet.assemble import assemble
    from munet.body.default import load_default_body
    from munet.reconstruction import save_reconstruction
    from munet.settings import Settings
    from munet.surface.dress import dress
    from munet.texture.paint import paint
    from munet.userbody.carry import carry_fit
    from munet.userbody.model import UserBodies

    folder, default, settings = tmp_path_factory.mktemp("own"), load_default_body(), Settings("draft", 64)
    person, bodies, saved = make_person(default), UserBodies(default), []
    for name, arrays in (("SMPL", smpl_arrays(default)), ("SMPLX", smplx_arrays(default))):
        own = bodies.load(str(write_npz(folder / f"{name}.npz", arrays)))
        fit = carry_fit(own, default, person.fit, person.observation, person.photo, settings)
        surface = dress(own.model, fit, person.observation, settings)
        texture = paint(surface, fit, person.photo, person.observation, settings)
        result = assemble(own.model, fit, surface, texture, person.observation, person.photo)
        save_reconstruction(result, folder / f"{name}_person.npz")
        saved.append(str(folder / f"{name}_person.npz"))
    return saved


def test_bodies_of_the_users_own_are_exact(blender: Blender, people: list[str]) -> None:
    if blender.name != ALIASES["blender"]:
        pytest.skip("the importer knows no topology, so one Blender is enough")
    blender.check("own_body", *people)
