"""The user's body file, prepared once and kept for the next photo."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from munet.body.model import BodyModel
from munet.body.smpl_files import load_smpl_file
from munet.errors import BodyFileError
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.userbody.correspondence import Correspondence, correspond

_Stamp = tuple[str, int, int]


@dataclass(frozen=True)
class UserBody:
    """A body model of the user's own with what carrying needs.

    Attributes:
        model: the model.
        points: its points for the fit.
        correspondence: the default body's surface below its vertices.
    """

    model: BodyModel
    points: BodyPoints
    correspondence: Correspondence

    @classmethod
    def prepare(cls, model: BodyModel, default: BodyModel) -> UserBody:
        """Compare a model with the default body."""
        return cls(model, make_body_points(model), correspond(default, model))


@dataclass
class UserBodies:
    """The user's body files that were read so far; a file that has changed is read again.

    Attributes:
        default: the default body.
    """

    default: BodyModel
    _known: dict[_Stamp, UserBody] = field(default_factory=dict)

    def load(self, name: str) -> UserBody:
        """Read and prepare a body file, or return it from memory.

        Args:
            name: path of the file, on the computer where the backend runs.

        Raises:
            BodyFileError: the file is missing, damaged or in another format.
        """
        stamp = _stamp(name)
        if stamp not in self._known:
            prepared = UserBody.prepare(load_smpl_file(Path(name), self.default), self.default)
            self._known = {stamp: prepared}
        return self._known[stamp]


def _stamp(name: str) -> _Stamp:
    try:
        facts = Path(name).stat()
    except OSError as error:
        raise BodyFileError("The body file can not be read.", detail=f"{Path(name).name}: {error.strerror}") from error
    return name, facts.st_mtime_ns, facts.st_size
