"""What can be computed of a person before Blender has anything of it, in a thread if need be. No scene."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from ..rigging.wardrobe import covered_skin, near_body, surface_shape_dirs, uncorrected_rest
from .character import Array, Character
from .frames import Floats
from .pictures import files_of


@dataclass(frozen=True)
class Prepared:
    """A person, ready to be built. S vertices of the clothes, V of the body, B keys of the identity.

    Attributes:
        character: the person.
        pictures: texture and normal map of the clothes as files, which may still be under way.
        rest: (S, 3) the clothes at rest, body frame.
        share: (S,) of the body's correctives that they take; None for none.
        shape_dirs: (S, 3, B) how they change with the identity.
        covered: (V,) which skin they cover.
    """

    character: Character
    pictures: tuple[Future[bytes], Future[bytes]]
    rest: Floats
    share: Floats | None
    shape_dirs: Floats
    covered: Array


def prepare(character: Character) -> Prepared:
    """Compute everything of ``character`` that does not depend on its rig."""
    pictures = files_of(character.arrays)
    rest, share = uncorrected_rest(character)
    near = near_body(character)
    directions, covered = surface_shape_dirs(character, near), covered_skin(character, near)
    return Prepared(character, pictures, rest, share, directions, covered)
