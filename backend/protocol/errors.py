"""Failures on the way between a client and the backend, in words for the user."""

from __future__ import annotations

from typing import Any


class ExplainedError(Exception):
    """A failure with a stable code, a sentence for the user and the fix.

    Attributes:
        code: stable upper-case identifier.
        title: one short sentence: what happened.
        detail: the specifics.
        hint: what the user can do about it.
    """

    def __init__(self, code: str, title: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(title)
        self.code = code
        self.title = title
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.detail, self.hint) if part)


class BackendError(ExplainedError):
    """A failure between a client and the backend; docs/protocol.md lists all codes."""

    def body(self) -> dict[str, Any]:
        """Return the body of an ``error`` message."""
        return {"code": self.code, "title": self.title, "detail": self.detail, "hint": self.hint}

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> BackendError:
        """Build the error from the body of an ``error`` message; absent parts become empty."""
        parts = {key: str(body.get(key, "")) for key in ("detail", "hint")}
        title = str(body.get("title", "")) or "The backend reported an error without a description."
        return cls(str(body.get("code", "")) or "INTERNAL", title, **parts)


class ProtocolError(BackendError):
    """A message that breaks the rules of the protocol.

    Attributes:
        message_id: id of the broken message as far as it could be read, so that the answer can carry it.
    """

    def __init__(self, title: str, *, detail: str = "", code: str = "BAD_MESSAGE", message_id: str = "") -> None:
        hint = "Update the add-on and the backend to the same version."
        super().__init__(code, title, detail=detail, hint=hint)
        self.message_id = message_id


class VersionError(ProtocolError):
    """The other side speaks another major version of the protocol."""

    def __init__(self, found: object, expected: int, *, message_id: str = "") -> None:
        super().__init__(
            "The add-on and the backend speak different versions of the protocol.",
            detail=f"Expected major version {expected}, found {found!r}.",
            code="PROTOCOL_VERSION",
            message_id=message_id,
        )
