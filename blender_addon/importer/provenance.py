"""Where a result came from, as custom properties that stay with the .blend."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import bpy

from ..people import SCHEMA
from .character import Character
from .photo import Photo


def provenance(character: Character, photo: Photo, settings: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Collect the custom properties of one person."""
    arrays, facts = character.arrays, character.facts
    return {
        "munet_schema": SCHEMA,
        "munet_version": version,
        "munet_body_model": str(facts.get("body_model", "")),
        "munet_betas": arrays["betas"].astype(float).tolist(),
        "munet_translation": arrays["translation"].astype(float).tolist(),
        "munet_photo": photo.name,
        "munet_photo_sha256": photo.sha256,
        "munet_photo_path": photo.path,
        "munet_settings": json.dumps(dict(settings), sort_keys=True),
        "munet_camera_matrix": arrays["camera_matrix"].astype(float).reshape(-1).tolist(),
        "munet_image_size": list(character.image_size),
        "munet_silhouette_iou": float(facts.get("silhouette_iou", 0.0)),
        "munet_landmark_error": float(facts.get("landmark_error", 0.0)),
        "munet_warnings": _lines(facts.get("warnings", ())),
        "munet_warning_codes": _lines(facts.get("warning_codes", ())),
    }


def _lines(texts: Iterable[object]) -> str:
    return "\n".join(" ".join(str(text).splitlines()) for text in texts)


def write_properties(obj: bpy.types.Object, properties: Mapping[str, Any]) -> None:
    """Write custom ``properties`` on ``obj``."""
    for name, value in properties.items():
        obj[name] = value
