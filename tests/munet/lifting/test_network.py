"""The network's view of a person, its hypotheses, its losses and its training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from munet.body.default import load_default_body
from munet.body.tree import JOINTS, TURNED, global_rotations
from munet.errors import MunetError
from munet.evaluation.body_metrics import pa_mpjpe
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.inputs import INPUTS, MARK_NAMES, MARKS, box_of, doubt_of, look_at, turn_rays
from munet.lifting.mirror import MIRROR, mirrored_features, mirrored_poses, see_both_ways
from munet.lifting.network import DIRECTIONS, HYPOTHESES, LifterNet, Poses
from munet.training.lifting.losses import aligned_distance, hypothesis_costs, lifting_loss, spread_cost
from munet.training.lifting.poses import PoseLibrary, load_library
from munet.training.lifting.skeleton import Skeleton, make_skeleton
from munet.training.lifting.train import Plan, Training, run
from munet.training.lifting.views import Batch, make_batch
from munet.training.small_files import export, save_checkpoint

LIBRARY = Path(__file__).parents[3] / "munet" / "training" / "assets" / "poses.npz"
SMALL = Plan(batch=8, steps=20)


@pytest.fixture(scope="module")
def library() -> PoseLibrary:
    return load_library(LIBRARY)


@pytest.fixture(scope="module")
def skeleton() -> Skeleton:
    return make_skeleton(load_default_body("cpu"))


@pytest.fixture(scope="module")
def batch(library: PoseLibrary, skeleton: Skeleton) -> Batch:
    return make_batch(library, skeleton, 6, 0, 0)


def rays_of(seed: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(3, len(MARKS), 2, generator=random) * 0.1 + 0.2


def test_the_turned_camera_looks_at_the_box() -> None:
    rays, known = rays_of(0), torch.ones(3, len(MARKS))
    view = look_at(rays, known, torch.ones(3))
    ahead = turn_rays(view.turn, box_of(rays, known)[0][:, None])
    assert torch.allclose(ahead, torch.zeros(3, 1, 2), atol=1e-6)
    assert torch.allclose(torch.linalg.det(view.turn), torch.ones(3), atol=1e-5)
    assert torch.allclose(box_of(view.marks, known)[1], torch.ones(3), atol=1e-5)


def test_unknown_landmarks_do_not_reach_the_network() -> None:
    rays, known = rays_of(1), torch.ones(3, len(MARKS))
    known[:, 4] = 0
    moved = rays.clone()
    moved[:, 4] += 5
    focal_known = torch.zeros(3)
    assert torch.equal(look_at(rays, known, focal_known).features, look_at(moved, known, focal_known).features)


def test_doubt_and_depths_reach_the_network_only_with_their_landmarks() -> None:
    rays, known = rays_of(1), torch.ones(3, len(MARKS))
    known[:, 4] = 0
    doubt, depths = torch.rand(2, 3, len(MARKS), generator=torch.Generator().manual_seed(0))
    plain, told = look_at(rays, known, torch.ones(3)), look_at(rays, known, torch.ones(3), doubt, depths)
    assert plain.features.shape == told.features.shape == (3, INPUTS)
    assert (plain.features[:, -1] == 0).all()
    assert (told.features[:, -1] == 1).all()
    other = look_at(rays, known, torch.ones(3), doubt + (1 - known), depths + (1 - known))
    assert torch.equal(told.features, other.features)
    silent = look_at(rays, known, torch.ones(3), None, depths, torch.zeros(3))
    assert torch.equal(silent.features, plain.features)
    assert torch.allclose(doubt_of(torch.tensor([0.5, 0.75, 1.0, 0.2])), torch.tensor([1.0, 0.5, 0.0, 1.0]))


def test_spreads_learn_the_mean_absolute_error() -> None:
    wrong = torch.randn(20_000, 1, JOINTS, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 1, 3.0])
    wrong = wrong * 0.02
    costs = {}
    for across in (0.01, 0.016, 0.026):
        for along in (0.03, 0.048, 0.077):
            spreads = torch.tensor([across, along]).log().expand(1, 1, JOINTS, DIRECTIONS)
            costs[across, along] = float(spread_cost(spreads, wrong).mean())
    assert min(costs, key=lambda key: costs[key]) == (0.016, 0.048)


def test_the_size_of_the_picture_does_not_change_the_marks() -> None:
    rays, known = rays_of(2) - 0.2, torch.ones(3, len(MARKS))
    rays -= box_of(rays, known)[0][:, None]
    one, two = look_at(rays, known, torch.ones(3)), look_at(2 * rays, known, torch.ones(3))
    assert torch.allclose(one.marks, two.marks, atol=1e-5)


def test_hypotheses_are_rotations_and_differ() -> None:
    torch.manual_seed(0)
    poses = LifterNet()(torch.randn(5, INPUTS))
    assert poses.turns.shape == (5, HYPOTHESES, TURNED, 3, 3)
    assert torch.allclose(poses.turns @ poses.turns.transpose(-1, -2), torch.eye(3).expand_as(poses.turns), atol=1e-5)
    assert torch.allclose(torch.linalg.det(poses.turns), torch.ones(5, HYPOTHESES, TURNED), atol=1e-5)
    assert not torch.allclose(poses.turns[:, 0], poses.turns[:, 1])


def test_an_untrained_tree_hangs_together() -> None:
    """Each joint starts from its parent's rotation, so without a learned change the whole body turns as one."""
    net = LifterNet()
    with torch.no_grad():
        net.tree.second.zero_()
        net.tree.offset[0] = torch.tensor([[-1.0, 0, 0.3, 0, 0, 0]])
    turns = net(torch.randn(2, INPUTS)).turns
    assert torch.allclose(turns, turns[:, :, :1].expand_as(turns), atol=1e-6)


def test_the_mirror_shows_the_other_side() -> None:
    random = torch.Generator().manual_seed(4)
    swap = [MARK_NAMES.index(_other(name)) for name in MARK_NAMES]
    rays, known, focal_known = rays_of(3), (torch.rand(3, len(MARKS), generator=random) < 0.8).float(), torch.ones(3)
    doubt, depths = torch.rand(2, 3, len(MARKS), generator=random)
    seen = look_at(rays, known, focal_known, doubt, depths)
    flipped = rays[:, swap] * torch.tensor([-1.0, 1.0])
    other = look_at(flipped, known[:, swap], focal_known, doubt[:, swap], depths[:, swap])
    assert torch.allclose(mirrored_features(seen.features), other.features, atol=1e-5)
    assert torch.equal(mirrored_features(mirrored_features(seen.features)), seen.features)


def _other(name: str) -> str:
    return name.replace("left", "?").replace("right", "left").replace("?", "right")


def test_both_ways_of_seeing_give_mirrored_poses() -> None:
    torch.manual_seed(1)
    net, features = LifterNet(blocks=1), torch.randn(4, INPUTS)
    poses, other = see_both_ways(net, features), see_both_ways(net, mirrored_features(features))
    for name in ("turns", "betas", "place", "logits", "spreads"):
        assert torch.allclose(getattr(mirrored_poses(other), name), getattr(poses, name), atol=1e-4), name
    turns = poses.turns
    assert torch.allclose(turns @ turns.transpose(-1, -2), torch.eye(3).expand_as(turns), atol=1e-5)
    assert torch.allclose(torch.linalg.det(turns), torch.ones(turns.shape[:3]), atol=1e-5)
    assert torch.allclose(poses.logits.softmax(1).sum(1), torch.ones(4), atol=1e-6)


def test_the_mirror_turns_the_whole_body(library: PoseLibrary, skeleton: Skeleton) -> None:
    turns = global_rotations(library.local[:20], TURNED)[:, None].expand(-1, HYPOTHESES, -1, -1, -1)
    zeros = torch.zeros(20, HYPOTHESES, 10)
    poses = Poses(turns, zeros, zeros[..., :3], zeros[..., 0], torch.zeros(20, HYPOTHESES, JOINTS, DIRECTIONS))
    joints = skeleton.pose(turns[:, 0], zeros[:, 0])[0]
    swapped = skeleton.pose(mirrored_poses(poses).turns[:, 0], zeros[:, 0])[0][:, list(MIRROR)]
    assert torch.allclose(swapped * torch.tensor([-1.0, 1, 1]), joints, atol=0.012)


def truth_as_poses(batch: Batch) -> Poses:
    def repeat(value: torch.Tensor) -> torch.Tensor:
        return value[:, None].expand(-1, HYPOTHESES, *value.shape[1:]).clone()

    count = len(batch.betas)
    spreads = torch.full((count, HYPOTHESES, JOINTS, DIRECTIONS), -3.0)
    place = torch.zeros(count, HYPOTHESES, 3)
    return Poses(repeat(batch.turns), repeat(batch.betas), place, torch.zeros(count, HYPOTHESES), spreads)


def test_the_truth_costs_only_its_place(batch: Batch, skeleton: Skeleton) -> None:
    poses = truth_as_poses(batch)
    _, wrong = hypothesis_costs(poses, batch, skeleton)
    assert float(wrong.abs().max()) < 2e-4
    rolled = replace(poses, turns=poses.turns.roll(1, 0))
    assert (hypothesis_costs(rolled, batch, skeleton)[0] > hypothesis_costs(poses, batch, skeleton)[0]).all()


def test_what_a_similarity_explains_costs_nothing() -> None:
    random = torch.Generator().manual_seed(0)
    truth = torch.randn(5, 1, JOINTS, 3, generator=random) * 0.4
    turn = matrix_from_axis_angle(torch.randn(5, 1, 3, generator=random) * 0.01)
    moved = 1.1 * truth @ turn + torch.tensor([0.3, 0.0, -0.2])
    assert float(aligned_distance(moved, truth).max()) < 2e-3
    bent = truth.clone()
    bent[:, :, 3:6] += 0.1
    ours = aligned_distance(bent, truth)
    exact = [1e-3 * pa_mpjpe(b[0].double().numpy(), t[0].double().numpy()) for b, t in zip(bent, truth, strict=True)]
    assert ours[:, 0].tolist() == pytest.approx(exact, abs=2e-3)


def test_a_training_goes_on_from_a_smaller_network(batch: Batch) -> None:
    training, small = Training(SMALL), LifterNet(blocks=2)
    training.begin_with(small.state_dict())
    assert len(training.net.blocks) > 2
    found, wanted = training.net(batch.view.features), small(batch.view.features)
    for name in ("turns", "betas", "place", "logits", "spreads"):
        assert torch.allclose(getattr(found, name), getattr(wanted, name), atol=1e-5), name


def test_the_best_hypothesis_takes_the_blame(batch: Batch, skeleton: Skeleton) -> None:
    poses = truth_as_poses(batch)
    poses.turns[:, 1:] = poses.turns[:, 1:].roll(1, 0)
    betas = poses.betas.requires_grad_()
    loss, parts = lifting_loss(replace(poses, betas=betas + 0.1), batch, skeleton)
    loss.backward()  # type: ignore[no-untyped-call]
    assert betas.grad is not None
    pull = betas.grad.flatten(2).norm(dim=2).mean(0)
    assert float(pull[0]) > 5 * float(pull[1:].max())
    assert float(parts["best_m"]) < float(parts["surest_m"]) + 1e-6


def test_gradients_reach_every_weight(batch: Batch, skeleton: Skeleton) -> None:
    torch.manual_seed(0)
    net = LifterNet()
    lifting_loss(net(batch.view.features), batch, skeleton)[0].backward()  # type: ignore[no-untyped-call]
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert float(weight.grad.abs().max()) > 0, name


def test_interrupted_training_gives_the_same_weights(library: PoseLibrary, skeleton: Skeleton, tmp_path: Path) -> None:
    straight, broken = Training(SMALL), Training(SMALL)
    for _ in range(4):
        straight.advance(library, skeleton)
    for _ in range(2):
        broken.advance(library, skeleton)
    save_checkpoint(broken, tmp_path / "checkpoint.pt")
    resumed = Training(SMALL)
    resumed.load(torch.load(tmp_path / "checkpoint.pt", weights_only=True))
    for _ in range(2):
        resumed.advance(library, skeleton)
    for name, value in straight.average.items():
        assert torch.equal(value, resumed.average[name]), name


def test_training_learns_and_ends_at_its_last_step(library: PoseLibrary, skeleton: Skeleton) -> None:
    training = Training(Plan(batch=32, steps=60, rate=2e-3))
    first = training.advance(library, skeleton)["loss"]
    saved: list[int] = []
    done = run(training, library, skeleton, 5.0, lambda *_: None, lambda: saved.append(training.step))
    assert done
    assert saved == [60]
    last = make_batch(library, skeleton, 256, 1, 0)
    with torch.no_grad():
        after = float(lifting_loss(training.net(last.view.features), last, skeleton)[0])
    assert after < 0.9 * first


def test_numbers_that_are_not_finite_stop_the_training(library: PoseLibrary, skeleton: Skeleton) -> None:
    training = Training(SMALL)
    with torch.no_grad():
        training.net.stem.weight[0, 0] = float("nan")
    with pytest.raises(MunetError, match="step 0"):
        training.advance(library, skeleton)


def test_the_rate_rises_stays_and_falls() -> None:
    plan = Plan(steps=10_000)
    assert plan.rate_at(0) < 0.01 * plan.rate
    assert plan.rate_at(3_000) == plan.rate
    assert plan.rate_at(9_999) < 0.001 * plan.rate


def test_exported_weights_are_half_precision(tmp_path: Path) -> None:
    training = Training(SMALL)
    export(training.average, tmp_path / "net.safetensors", {"steps": "0"})
    stored = load_file(tmp_path / "net.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert set(stored) == set(training.net.state_dict())
