"""``rainopt derain --refine``."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from rainopt.commands.main import app
from rainopt.io import read_image, write_image
from rainopt.refine import refine
from tests.support.clips import save, view
from tests.support.photos import files, levels, rainy, save_photo
from tests.support.processes import call


def test_the_file_holds_what_the_array_function_returns(here):
    save_photo(here / "a.png")
    status, out, err = call(app, "derain", "a.png", "-o", "dry.png", "--refine", "--angle", "2", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    wanted = refine(read_image("a.png"), angle=2.0)
    np.testing.assert_array_equal(read_image("dry.png"), levels(wanted.background))
    assert told["rain"] == pytest.approx(wanted.rain.mean(), rel=1e-4)
    assert (told["angle"], "confidence" in told) == (2, False)


def test_depth_alpha_and_what_is_kept_stay(here):
    grey = np.dstack([levels(rainy().mean(axis=-1), np.uint16), np.full((72, 96), 40000, np.uint16)])
    write_image("a.png", grey)
    asked = ("--refine", "--angle", "0", "--keep", "10,20,30,40", "--veil", "--save-rain", "--compare")
    assert call(app, "derain", "a.png", "-o", "dry.png", *asked)[::2] == (0, "")
    assert files(here).keys() == {"a.png", "dry.png", "dry_rain.png", "dry_compare.png"}
    dry = read_image("dry.png")
    assert (dry.dtype, dry.shape) == (np.uint16, grey.shape)
    np.testing.assert_array_equal(dry[20:60, 10:40], grey[20:60, 10:40])
    np.testing.assert_array_equal(dry[..., 1], grey[..., 1])
    assert (dry != grey).any()


def test_a_picture_without_rain_is_copied(here):
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save("a.png")
    assert call(app, "derain", "a.png", "-o", "dry.png", "--refine")[0] == 0
    assert (here / "dry.png").read_bytes() == (here / "a.png").read_bytes()


def test_videos_are_refused_and_photographs_beside_them_are_done(here):
    save_photo(here / "in" / "a.png")
    save(here / "in" / "b.mp4", [levels(view("coffee"))] * 2)
    status, _, err = call(app, "derain", "in", "-o", "out", "--refine")
    assert (status, "--refine is for images; leave it out for videos" in err) == (1, True)
    assert files(here / "out").keys() == {"a.png"}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("--strength", "2"), "--strength: the network was trained on what is removed without it; leave one out"),
        (("--weights", "tau=0.01"), "--weights: the network was trained on what is removed without it; leave one out"),
        (("--device", "cuda:0"), "--device: the network runs on the CPU; leave one out"),
        (("--sequence",), "--sequence: it is for photographs; leave one out"),
        (("--live",), "--live: it is for photographs; leave one out"),
        (("--preview-at", "1"), "--preview-at: it is for photographs; leave one out"),
    ],
)
def test_what_it_does_not_go_together_with_is_refused_before_any_work(here, asked, why):
    save_photo(here / "a.png")
    status, _, err = call(app, "derain", "a.png", "-o", "out", "--refine", *asked)
    assert (status, f"--refine: does not go together with {why}" in err) == (2, True)
    assert files(here).keys() == {"a.png"}


def test_without_the_runtime_it_is_refused_before_any_work(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    save_photo(here / "a.png")
    status, _, err = call(app, "derain", "a.png", "-o", "out", "--refine")
    assert (status, "pip install 'rainopt[refine]'" in err) == (2, True)
    assert files(here).keys() == {"a.png"}
