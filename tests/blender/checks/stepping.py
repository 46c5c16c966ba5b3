"""Work on the scene in steps: nothing half done is seen, nothing is left of what was stopped, one undo step each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import common
import numpy as np
import synthetic

LONGEST = 0.1
KINDS = (
    "objects",
    "meshes",
    "armatures",
    "images",
    "materials",
    "collections",
    "scenes",
    "cameras",
    "actions",
    "shape_keys",
)


def counted() -> dict[str, int]:
    """Return how many data-blocks of each kind there are."""
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def arrive(*seeds: int, **options: Any) -> Any:
    """Let a result arrive; returns its entry."""
    module, session = common.part("backend_manager.batch"), common.part("session").current()
    people = [synthetic.random_person(seed, rings=8, correctives=True) for seed in seeds]
    persons = tuple(SimpleNamespace(arrays=arrays, facts=facts) for arrays, facts in people)
    entry = module.Entry(Path("steps.png"), **options)
    entry.result = SimpleNamespace(persons=persons, versions={"backend": "1"}, warnings=())
    entry.state = module.EntryState.RECEIVED
    session.batch = module.Batch([entry], {}, common.fake_backend())
    return entry


def turns(entry: Any, count: int = 10_000) -> list[float]:
    """Give the timer's step so many turns at most; returns the processor time of each."""
    insert, session = common.part("insert"), common.part("session").current()
    taken: list[float] = []
    while not entry.finished and len(taken) < count:
        began = time.thread_time()
        insert.advance(bpy.context, session, 0.0)
        taken.append(time.thread_time() - began)
        time.sleep(0.001)
    return taken


def until_half_done(entry: Any) -> None:
    """Stop when a mesh has been made that nobody sees."""
    shown, meshes = len(bpy.context.scene.objects), len(bpy.data.meshes)
    while len(bpy.data.meshes) == meshes:
        turns(entry, 1)
    assert len(bpy.context.scene.objects) == shown
    assert not entry.finished


def check_steps() -> None:
    """Two people come in short turns and one undo step; cancelled, undone meanwhile, or with a file opened."""
    bpy.ops.ed.undo_push(message="before")
    before, session = counted(), common.part("session").current()
    entry = arrive(51, 52)
    until_half_done(entry)
    session.cancel()
    turns(entry)
    assert entry.state.name == "CANCELLED"
    common.part("insert").advance(bpy.context, session)
    assert counted() == before, (counted(), before)
    entry = arrive(51, 52)
    taken = turns(entry)
    assert entry.state.name == "DONE", entry.failure
    assert max(taken) < LONGEST, taken
    assert len(taken) > 20, taken
    rigs = [bpy.data.objects[name] for name in entry.rigs]
    assert len(rigs) == 2
    assert all(rig.visible_get() for rig in rigs)
    assert bpy.context.object == rigs[0]
    made = counted()
    bpy.ops.ed.undo()
    assert counted() == before, (counted(), before)
    bpy.ops.ed.redo()
    assert counted() == made, (counted(), made)
    check_upheavals()
    with by_timer(), tempfile.TemporaryDirectory() as folder:
        check_works(Path(folder))


@contextmanager
def by_timer() -> Iterator[None]:
    """Let operators leave their work to the timer inside the ``with`` block, as they do in a window."""
    module = common.part("operators.doing")
    usual, module.at_once = module.at_once, lambda _operator: False
    try:
        yield
    finally:
        module.at_once = usual


def worked(count: int = 10_000) -> list[float]:
    """Give the work on the scene so many turns at most; returns the processor time of each."""
    work, session = common.part("work"), common.part("session").current()
    taken: list[float] = []
    while session.work is not None and len(taken) < count:
        began = time.thread_time()
        work.advance_work(bpy.context, session, 0.0)
        taken.append(time.thread_time() - began)
        time.sleep(0.001)
    return taken


def worked_and_cancelled_too_late() -> list[float]:
    """Let the work on the scene be cancelled when it is complete, where what it replaces is gone; do the rest."""
    session, taken = common.part("session").current(), []
    while not session.work.complete:
        taken += worked(1)
    assert bpy.ops.munet.cancel_reconstruction() == {"FINISHED"}
    return taken + worked()


def check_works(folder: Path) -> None:
    """A light version, baked correctives and results of files: cancelled, failed or done, each one undo step."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    arrays, facts = synthetic.random_person(55, rings=12, correctives=True)
    person = common.insert([common.part("importer.character").read_character(synthetic.in_its_skin(arrays), facts)])[0]
    bone = person.rig.pose.bones["forearm.L"]
    for frame, turn in ((1, 0.0), (40, 0.8)):
        bone.rotation_quaternion = (1.0, turn, 0.0, 0.0)
        bone.keyframe_insert("rotation_quaternion", frame=frame)
    bpy.context.scene.frame_end = 40
    np.savez(folder / "person_0.npz", **arrays, **{name: np.asarray(value) for name, value in facts.items()})
    bpy.ops.ed.undo_push(message="before")
    people, session = common.part("people"), common.part("session").current()
    works: tuple[tuple[Callable[..., set[str]], dict[str, Any], dict[str, int]], ...] = (
        (bpy.ops.munet.make_light, {"faces": 2000, "size": "1024"}, {"objects": 1, "meshes": 1, "images": 1}),
        (bpy.ops.munet.pose_correctives, {"mode": "BAKE"}, {"actions": 2}),
        (
            bpy.ops.munet.import_result,
            {"directory": str(folder), "files": [{"name": "person_0.npz"}]},
            {"armatures": 1},
        ),
    )
    for operator, options, made in works:
        before = counted()
        for turns_until_cancelled in (1, 3, 5):
            assert operator(**options) == {"FINISHED"}
            worked(turns_until_cancelled)
            assert bpy.ops.munet.cancel_reconstruction() == {"FINISHED"}
            worked()
            assert counted() == before, (operator, counted(), before)
        assert operator(**options) == {"FINISHED"}
        assert operator(**options) == {"CANCELLED"}
        taken = worked_and_cancelled_too_late()
        assert session.failure is None, session.failure
        assert max(taken) < 2 * LONGEST, (operator, taken)
        after = counted()
        assert {kind: after[kind] - before[kind] for kind in made} == made, (operator, after, before)
        states = [people.correctives_state(mesh) for mesh in bpy.data.objects if mesh.name == "photo 1 body"]
        assert states == ["BAKED" if "actions" in made else "ON"]
        bpy.ops.ed.undo()
        assert counted() == before, (operator, counted(), before)
        assert operator(**options) == {"FINISHED"}
        worked(len(taken) - 2)
        if session.work is not None and not session.work.complete:
            assert bpy.ops.munet.cancel_reconstruction() == {"FINISHED"}
            worked()
            assert counted() == before, (operator, counted(), before)
            meshes = [obj for obj in bpy.data.objects if obj.name in {"photo 1 body", "photo 1 clothed"}]
            assert [people.correctives_state(mesh) for mesh in meshes] == ["ON", "ON"]
        else:
            worked()
            bpy.ops.ed.undo()
    bpy.context.view_layer.objects.active = bpy.data.objects["photo 1 rig"]
    assert bpy.ops.munet.make_light(faces=2000) == {"FINISHED"}
    worked(1)
    bpy.data.objects.remove(bpy.data.objects["photo 1 clothed"])
    worked()
    assert session.failure.code == "GONE", session.failure
    session.failure = None


def check_upheavals() -> None:
    """What undo takes from under the steps is made again; a half-made person is nowhere afterwards."""
    cube = bpy.data.objects.new("cube", None)
    bpy.context.scene.collection.objects.link(cube)
    bpy.ops.ed.undo_push(message="cube")
    rigs = counted()["armatures"]
    bpy.data.objects["cube"].location.x = 1.0
    entry = arrive(53)
    until_half_done(entry)
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    turns(entry)
    assert entry.state.name == "DONE", entry.failure
    assert bpy.data.objects["cube"].location.x == 0.0
    assert counted()["armatures"] == rigs + 1
    assert not [obj.name for obj in bpy.data.objects if not obj.users_scene]
    entry = arrive(54)
    until_half_done(entry)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    turns(entry)
    assert entry.state.name == "DONE", entry.failure
    assert counted()["armatures"] == 1
