"""Which model files are missing; a look at their sizes only, because the worker checks their contents."""

from __future__ import annotations

from munet.models.store import ModelStore


def missing_models() -> list[str]:
    """Return the names of the model files that are not in the store, or not whole."""
    store = ModelStore()
    missing = []
    for file in store.files.values():
        path = store.folder / file.file_name
        if not path.is_file() or path.stat().st_size != file.size:
            missing.append(file.file_name)
    return missing


def models_folder() -> str:
    """Return the folder of the model files."""
    return str(ModelStore().folder)
