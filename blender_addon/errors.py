"""Failures a user of the extension can meet. No bpy."""

from __future__ import annotations

from .backend.protocol.errors import ExplainedError


class AddonError(ExplainedError):
    """A failure of the extension itself."""


def bad_result(detail: str) -> AddonError:
    """Return the error for a result that breaks the contract of docs/result-format.md."""
    return AddonError(
        "BAD_RESULT",
        "The backend returned a result that can not be imported.",
        detail=detail,
        hint="Use a backend and an extension of the same release.",
    )
