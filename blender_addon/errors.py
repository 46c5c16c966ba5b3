"""Failures a user of the extension can meet. No bpy."""

from __future__ import annotations


class AddonError(Exception):
    """A failure with a sentence for the user and the fix.

    Attributes:
        code: stable upper-case identifier.
        title: one short sentence: what happened.
        detail: the specifics (expected and found values).
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


def bad_result(detail: str) -> AddonError:
    """Return the error for a result that breaks the contract of docs/result-format.md."""
    return AddonError(
        "BAD_RESULT",
        "The backend returned a result that can not be imported.",
        detail=detail,
        hint="Use a backend and an extension of the same release.",
    )
