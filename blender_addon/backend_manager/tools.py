"""Short tasks with the backend's own programs: is it one, are its models there, what is a body file. No bpy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import AddonError
from .discovery import BackendPlace, launch_options
from .task import Ended, Task

_PREFERENCES = "Open the preferences of the extension and look at Backend."


def check_backend(place: BackendPlace) -> Task:
    """Return the task that asks the backend at ``place`` for its version; its result is a sentence."""

    def work(task: Task) -> str:
        facts = _facts(_run(task, place, ["-m", place.module, "--version"]))
        return f"MuNet {facts.get('version')}, protocol {facts.get('protocol')}: {facts.get('python')}"

    return Task("check", work)


def fetch_models(place: BackendPlace, source: str) -> Task:
    """Return the task that fetches the missing model files from the network, or from the folder ``source``."""

    def work(task: Task) -> str:
        task.report(0.1, "Fetching the model files")
        words = ["-m", "munet.models", "fetch", *(["--from", source] if source else [])]
        ended = _run(task, place, words)
        if ended.status:
            raise AddonError(
                "MODEL_MISSING",
                "The model files could not be fetched.",
                detail=ended.lines[-1] if ended.lines else "",
                hint="Check the network, or choose a folder of wheels and models in the preferences.",
            )
        return "The model files are there."

    return Task("models", work)


def describe_body(place: BackendPlace, path: str) -> Task:
    """Return the task that reads a licensed body file; its result says what it is."""

    def work(task: Task) -> str:
        facts = _facts(_run(task, place, ["-m", "munet.body.describe", path]))
        if "refused" in facts:
            raise AddonError("BODY_FILE", str(facts["refused"]), detail=str(facts.get("detail", "")))
        return f"{facts['kind']}, {facts['gender']}, {facts['betas']} betas, {facts['vertices']} vertices"

    return Task("body", work)


def _run(task: Task, place: BackendPlace, words: list[str]) -> Ended:
    if place.endpoint:
        raise AddonError(
            "REMOTE", "The backend is on another computer.", detail="This can only be done there.", hint=_PREFERENCES
        )
    options = launch_options(place)
    return task.call([str(options.python), *words], folder=options.root, variables=options.variables)


def _facts(ended: Ended) -> Mapping[str, Any]:
    """Read the JSON that a program has written as its last line.

    Raises:
        AddonError: NO_BACKEND: it has written something else.
    """
    try:
        facts = json.loads(ended.lines[-1]) if ended.lines else None
    except ValueError:
        facts = None
    if isinstance(facts, dict):
        return facts
    raise AddonError(
        "NO_BACKEND",
        "This Python has no MuNet backend.",
        detail=ended.lines[-1] if ended.lines else f"Exit status {ended.status}.",
        hint=_PREFERENCES,
    )
