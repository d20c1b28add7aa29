"""Sequences that `raindata build` makes of videos are trained on as they are."""

import numpy as np
import pytest

from data_tools.build.dataset import begin, finish, note, run
from data_tools.build.plan import plan_videos
from data_tools.build.settings import SequenceSettings
from data_tools.manifest.file import read_manifest
from rainnet.data.kinds import dataset_for
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.sections import DataSection
from rainopt.io import read_image
from tests.support.clips import save
from tests.support.datasets import clip

SIDE = 32


def test_an_example_is_two_frames_of_one_scene_and_the_angle_is_that_of_the_manifest(tmp_path):
    save(tmp_path / "v.mkv", clip("coffee", 16))
    out, settings = tmp_path / "out", SequenceSettings(frames=4)
    begin(out, settings)
    results = list(run(plan_videos([tmp_path / "v.mkv"], out, settings).jobs, 1))
    note(out, results[0], set())
    finish(out, settings, results)
    manifest = read_manifest(out)
    assert len(manifest) == 4
    frames = [read_image(manifest.path(record.rainy)).astype(int) for record in manifest]
    section = DataSection(kind="rainy", train=(out,), size=SIDE)
    dataset = dataset_for(section, 0, ExampleSpec(frames=2, angle=True))
    for k in range(4):
        example = dataset[k]
        one, other = (example["rainy"].numpy().transpose(0, 2, 3, 1) * 255).round().astype(int)
        assert one.shape == (SIDE, SIDE, 3)
        assert (one != other).any()
        places = [_places(picture, frames) for picture in (one, other)]
        assert len(places[0]) == len(places[1]) == 1
        (first, *where), (second, *there) = places[0][0], places[1][0]
        assert first != second
        assert where == there
        assert abs(example["angle"]).tolist() == pytest.approx([abs(manifest.records[0].angle)] * 2)


def _places(crop, frames):
    """Return (frame, top, left, mirrored) of all places that show a crop."""
    found = []
    for number, frame in enumerate(frames):
        for mirrored in (False, True):
            wanted = crop[:, ::-1] if mirrored else crop
            inside = frame[: frame.shape[0] - SIDE + 1, : frame.shape[1] - SIDE + 1]
            for top, left in np.argwhere((inside == wanted[0, 0]).all(axis=-1)).tolist():
                if (frame[top : top + SIDE, left : left + SIDE] == wanted).all():
                    found.append((number, top, left, mirrored))
    return found
