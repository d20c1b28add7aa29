"""Who finds the angle that a network works with."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rainnet.infer import angle as infer_angle
from rainnet.infer.angle import found_by_network, middle_angle
from rainnet.infer.derain import derain, find_angle
from rainopt import estimate_angle
from rainopt.geometry.lines import line_angle
from tests.support.toy import Toy
from tests.support.udgnet import rained, random_udgnet


def test_who_finds_the_angle(rng, monkeypatch):
    net, image = random_udgnet(), rained(rng, angle=20.0)
    with torch.no_grad():
        own = float(net.find_angle(torch.from_numpy(image / np.float32(255)).permute(2, 0, 1)[None])[0])
    solvers = estimate_angle(image).angle
    assert abs(solvers - 20) < 3
    assert abs(own - solvers) > 1
    assert derain(net, image, angle="network").angle == pytest.approx(own, abs=1e-4)
    assert derain(net, image, angle="solver").angle == solvers
    assert derain(net, image, angle=-80).angle == -80
    for by in ("network", "solver"):
        monkeypatch.setattr(infer_angle, "ANGLE_BY", by)
        assert derain(net, image).angle == derain(net, image, angle=by).angle == find_angle(net, image)
    assert find_angle(Toy(), image, by="network") is None


@pytest.mark.parametrize(
    ("angle", "kind", "message"),
    [
        ("slanted", ValueError, "got 'slanted'"),
        (90.5, ValueError, r"in \(-90, 90\] degrees, got 90.5"),
        (-90, ValueError, "got -90"),
        (float("nan"), ValueError, "got nan"),
        (True, TypeError, "got True"),
        ({3.0}, TypeError, r"got \{3.0\}"),
    ],
)
def test_angles_that_are_none(angle, kind, message):
    with pytest.raises(kind, match=f"`angle` must be .*{message}"):
        derain(random_udgnet(), np.zeros((8, 8, 3)), angle=angle)


def test_large_pictures_are_seen_in_crops(rng, monkeypatch):
    monkeypatch.setattr(infer_angle, "WHOLE_PIXELS", 10_000)
    monkeypatch.setattr(infer_angle, "CROP_SIDE", 60)
    net, seen = random_udgnet(), []
    answers = iter([3.0, 40.0, 5.0, 4.0, -44.0, 4.5, 4.2, 4.1, 3.9, 7.0, 7.0, 7.0])

    def answer(crop):
        seen.append(crop[0, 0].clone())
        return torch.tensor([next(answers)])

    monkeypatch.setattr(net, "find_angle", answer)
    image = torch.from_numpy(rng.random((3, 100, 150), dtype=np.float32))
    assert found_by_network(net, image, torch.device("cpu")) == pytest.approx(4.1)
    assert {tuple(crop.shape) for crop in seen} == {(60, 60)}
    corners = [image[0, :60, :60], image[0, -60:, -60:]]
    assert all(torch.equal(crop, corner) for crop, corner in zip((seen[0], seen[-1]), corners, strict=True))
    seen.clear()
    # A long picture is cut along its length only.
    assert found_by_network(net, torch.rand(3, 20, 900), torch.device("cpu")) == 7.0
    assert [tuple(crop.shape) for crop in seen] == [(20, 60)] * 3


@given(st.lists(st.floats(-89, 90), min_size=1, max_size=9), st.floats(-180, 180))
def test_the_middle_angle_turns_with_the_angles(angles, turn):
    def distance(centre, lines):
        return sum(abs(line_angle(centre - line)) for line in lines)

    middle, moved = middle_angle(angles), [line_angle(angle + turn) for angle in angles]
    assert distance(middle_angle(moved), moved) == pytest.approx(distance(middle, angles), abs=1e-6)
    if len(angles) % 2 and max(angles) - min(angles) < 90:
        assert distance(middle, angles) == pytest.approx(distance(float(np.median(angles)), angles), abs=1e-6)
