"""Results on the wire, and the synthetic person that stands in for real ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.protocol import Message, ProtocolError, decode, encode, join_result, split_result
from munet.notes import Note, told
from munet.reconstruction import Reconstruction, load_reconstruction, save_reconstruction
from tests.backend.capsule_person import CAMERA_FROM_BODY, capsule_person, skin, transforms

PREVIEW = np.zeros((4, 6, 3), np.uint8)


def test_result_round_trip() -> None:
    people = [capsule_person(index, 64) for index in range(2)]
    body, arrays = join_result(people, {"read": 0.5}, ["careful"], PREVIEW, {"backend": "1"})
    message = decode([bytes(frame) for frame in encode(Message("result", "j", body, arrays))])
    result = split_result(message.body, message.arrays)
    assert (result.seconds, result.warnings, result.versions) == ({"read": 0.5}, ("careful",), {"backend": "1"})
    np.testing.assert_array_equal(result.preview, PREVIEW)
    for person, (own, facts) in zip(result.persons, people, strict=True):
        assert person.facts == facts
        assert person.arrays.keys() == own.keys()
        for name, array in own.items():
            np.testing.assert_array_equal(person.arrays[name], array)
            assert person.arrays[name].dtype == array.dtype


@pytest.mark.parametrize(
    ("body", "arrays"),
    [
        ({}, {"preview": PREVIEW}),
        ({"persons": []}, {"preview": PREVIEW}),
        ({"persons": [1]}, {"preview": PREVIEW}),
        ({"persons": [{}]}, {}),
        ({"persons": [{}], "seconds": {"a": "soon"}}, {"preview": PREVIEW}),
        ({"persons": [{}], "seconds": 3}, {"preview": PREVIEW}),
        ({"persons": [{}], "warnings": 3}, {"preview": PREVIEW}),
    ],
)
def test_malformed_results_are_refused(body: dict[str, Any], arrays: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="malformed"):
        split_result(body, arrays)


@pytest.mark.parametrize("index", [0, 1])
def test_the_synthetic_person_keeps_the_contract(index: int, tmp_path: Path) -> None:
    arrays, facts = capsule_person(index)
    person = Reconstruction.from_parts(arrays, facts)
    world = transforms(person.bone_heads.astype(float), person.bone_parents, person.bone_rotations.astype(float))
    for mesh, rest in (
        ("body", person.body_rest_vertices + person.body_corrective),
        ("surface", person.surface_rest_vertices),
    ):
        weights = arrays[f"{mesh}_weights"]
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
        assert (weights > 0).sum(axis=1).max() <= 4
        posed = skin(rest, weights, world) @ CAMERA_FROM_BODY + person.translation
        np.testing.assert_allclose(arrays[f"{mesh}_vertices"], posed, atol=1e-5)
        quads, faces = arrays[f"{mesh}_quads"], arrays[f"{mesh}_faces"]
        np.testing.assert_array_equal(faces[0::2], quads[:, [0, 1, 2]])
        np.testing.assert_array_equal(faces[1::2], quads[:, [0, 2, 3]])
    np.testing.assert_array_equal(person.bone_rotations[:24], person.pose)
    pixels = person.joints @ person.camera_matrix.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    assert (pixels > 0).all()
    if index == 0:
        assert (pixels < person.image_size).all()
    save_reconstruction(person, tmp_path / "person.npz")
    back = load_reconstruction(tmp_path / "person.npz")
    assert back.facts() == person.facts()
    for name, array in person.arrays().items():
        np.testing.assert_array_equal(back.arrays()[name], array)


def test_warnings_keep_their_codes_on_the_wire_and_in_files(tmp_path: Path) -> None:
    notes = (Note("The legs lie outside.", "PART_OUTSIDE", part="legs"), "Without a code.")
    arrays, facts = capsule_person(0, 32)
    person = replace(Reconstruction.from_parts(arrays, facts), warnings=notes)
    body, sent = join_result([(person.arrays(), person.facts())], {}, notes, PREVIEW, {})
    message = decode([bytes(frame) for frame in encode(Message("result", "j", body, sent))])
    result = split_result(message.body, message.arrays)
    assert result.warnings == notes
    assert [json.loads(code) if code else None for code in result.warning_codes] == [
        {"code": "PART_OUTSIDE", "part": "legs"},
        None,
    ]
    received = Reconstruction.from_parts(result.persons[0].arrays, result.persons[0].facts)
    save_reconstruction(received, tmp_path / "person.npz")
    kept = load_reconstruction(tmp_path / "person.npz").warnings
    assert kept == notes
    assert told(kept) == told(notes) == list(result.warning_codes)
    older = Reconstruction.from_parts(arrays, {**facts, "warnings": [*notes]})
    assert older.warnings == notes
    del body["warning_codes"]
    assert split_result(body, sent).warning_codes == ()


def test_tubes_are_closed_and_face_outwards() -> None:
    arrays, _ = capsule_person()
    vertices, faces = arrays["body_rest_vertices"].astype(float), arrays["body_faces"]
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    corners = vertices[faces]
    volume = np.einsum("fa,fa->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0
    assert 0.005 < volume < 0.2
