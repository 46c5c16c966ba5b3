"""The same person is found again, and nobody else is taken for it."""

from __future__ import annotations

import numpy as np

from munet.sequence.place import Place, difference, foreseen, most_alike, overlap, place_of

RED, BLUE = np.array([50.0, 60.0, 40.0]), np.array([40.0, 20.0, -60.0])


def at(x: float, colour: np.ndarray = RED, size: float = 200.0) -> Place:
    return Place(np.array([x, 100.0]), size, colour)


def walk_past(first: np.ndarray, second: np.ndarray, noise: float) -> list[bool]:
    """Let two people walk past each other and follow the first; returns whether each choice was right."""
    random, history, right = np.random.default_rng(0), [(0, at(0, first))], []
    for frame in range(1, 60):
        jitter = random.normal(0, noise, 2)
        people = [at(8.0 * frame + jitter[0], first), at(472 - 8.0 * frame + jitter[1], second)]
        (chosen,) = most_alike([foreseen(history, frame)], people, 0.6)
        assert chosen is not None
        right.append(chosen == 0)
        history.append((frame, people[chosen]))
    return right


def test_people_who_pass_each_other_are_not_mixed_up() -> None:
    assert all(walk_past(RED, BLUE, 3.0))
    assert all(walk_past(RED, RED, 0.5))


def test_nobody_alike_means_lost() -> None:
    assert most_alike([at(0)], [at(300), at(5, size=600.0), at(5, BLUE)], 0.6) == [None]
    assert most_alike([at(0)], [], 0.6) == [None]
    assert most_alike([at(0)], [at(300), at(10)], 0.6) == [1]


def test_nobody_is_given_to_two() -> None:
    assert most_alike([at(0), at(30)], [at(29)], 0.6) == [None, 0]
    assert most_alike([at(0), at(30)], [at(29), at(60)], 0.6) == [0, 1]
    assert overlap(at(0), at(15))
    assert not overlap(at(0), at(30))


def test_the_way_goes_on_for_a_while_only() -> None:
    history = [(frame, at(10.0 * frame)) for frame in range(5)]
    assert foreseen(history, 6).center[0] == 60
    assert foreseen(history, 1000).center[0] < 200
    assert foreseen(history[:1], 50).center[0] == 0
    assert difference(at(0), at(0)) == 0


def test_colour_is_that_of_the_trunk() -> None:
    image = np.zeros((300, 200, 3), np.uint8)
    image[100:200, 50:150] = (200, 30, 30)
    points = np.zeros((33, 2))
    points[[11, 12, 24, 23]] = [[55, 105], [145, 105], [145, 195], [55, 195]]
    place = place_of(points, 250.0, image)
    assert place.center.tolist() == [100, 150]
    assert place.colour[1] > 50
    outside = place_of(points + 1000, 250.0, image)
    assert np.isfinite(outside.colour).all()
