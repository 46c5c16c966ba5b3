"""Every failure a user can meet, with what to do about it."""

from __future__ import annotations


class MunetError(Exception):
    """A failure with a stable code, a sentence for the user and the fix.

    Attributes:
        code: stable upper-case identifier that travels over the wire.
        title: one short sentence: what happened.
        detail: the specifics (expected and found values, file names).
        hint: what the user can do about it.
    """

    code = "INTERNAL"
    default_hint = "Open the log for the details and report it if it happens again."

    def __init__(self, title: str, *, detail: str = "", hint: str | None = None) -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.hint = self.default_hint if hint is None else hint

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.detail, self.hint) if part)


class ImageUnreadableError(MunetError):
    """The file is not an image that can be decoded."""

    code = "IMAGE_UNREADABLE"
    default_hint = "Save the picture again as JPEG or PNG and try once more."


class NoPersonError(MunetError):
    """Nobody was found in the photo."""

    code = "NO_PERSON"
    default_hint = "Use a photo in which at least the upper body of a person is clearly visible."


class ModelMissingError(MunetError):
    """A model file is absent or damaged."""

    code = "MODEL_MISSING"
    default_hint = "Run `python scripts/reconstruct.py --fetch-models` while connected to the network."


class BodyFileError(MunetError):
    """A body model file can not be used."""

    code = "BODY_FILE"
    default_hint = "Point to an official SMPL, SMPL-H or SMPL-X file (.npz or .pkl), or use the default body."


class DiskFullError(MunetError):
    """There is no room to write the result."""

    code = "DISK_FULL"
    default_hint = "Free some disk space or choose another output folder, then run the photo again."


class OutOfMemoryError(MunetError):
    """The device ran out of memory."""

    code = "OUT_OF_MEMORY"
    default_hint = "Close other programs that use the device, or choose the Draft preset or the CPU."


class JobCancelledError(MunetError):
    """The user cancelled the job."""

    code = "CANCELLED"
    default_hint = ""


class InvalidInputError(MunetError, ValueError):
    """An argument at a public boundary has the wrong shape, type or range."""

    code = "INVALID_INPUT"
    default_hint = "Correct the argument and call again."
