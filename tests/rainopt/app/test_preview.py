"""One frame of a video, shown as the whole would be."""

import functools
import json

import numpy as np
import pytest

from rainnet.commands.main import app as rainnet
from rainopt import UDGWeights
from rainopt.app.preview import shown
from rainopt.app.results import OutputSettings
from rainopt.commands import derain_video as module
from rainopt.commands.derain_video import Solver, derain_video
from rainopt.commands.main import app
from rainopt.io import read_image
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.numbering import pattern_of
from rainopt.io.video.read import open_video
from rainopt.io.video.span import WHOLE, FrameFolders, Moment, Span
from rainopt.video import stretches
from rainopt.video.settings import VideoSettings
from tests.support.clips import rained, save, view
from tests.support.photos import files, save_photo
from tests.support.processes import call

STRETCH = 12


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    monkeypatch.setattr(module, "STRETCH", STRETCH)
    monkeypatch.setattr(stretches, "FEW", 10)
    monkeypatch.setattr(stretches, "SAMPLES", 2)
    monkeypatch.setattr(stretches, "LOOKED_AT", 4)


@functools.cache
def frames(name="coffee", count=30):
    return [frame[:64, :96] for frame in rained(view(name), "light", count)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "clip.mkv", frames(), quality=0)


QUICK = VideoSettings(weights=UDGWeights(), max_iter=2, background=False)


@pytest.mark.parametrize(
    ("span", "settings"),
    [pytest.param(WHOLE, VideoSettings(max_iter=2), marks=pytest.mark.slow), (Span(Moment.of("4f")), QUICK)],
)
def test_a_frame_comes_out_as_in_the_whole_video(tmp_path, clip, span, settings):
    # Pictures, which hold what is written to the last value.
    numbered = OutputSettings(folders=FrameFolders(pattern=pattern_of("%d.png")), span=span)
    record = derain_video(clip, tmp_path / "out" / "1.png", settings, numbered, {})
    assert record.status == "ok"
    for number in (5, 11, 21):
        video = CutVideo(clip, span)
        frame, clean, angle = shown(video, number, Solver(settings, STRETCH))
        np.testing.assert_array_equal(clean, read_image(tmp_path / "out" / f"{number + 1}.png"))
        assert angle == record.angles[number // STRETCH]
        assert (frame.index, video.first) == (number, 4 if span else 0)


def test_after_a_cut_nothing_is_remembered(tmp_path):
    source = save(tmp_path / "a.mkv", frames(count=18) + frames("astronaut", 12))
    output = OutputSettings(folders=FrameFolders(pattern=pattern_of("%d.png")))
    derain_video(source, tmp_path / "out" / "1.png", QUICK, output, {})
    video = CutVideo(source)
    _, clean, _ = shown(video, 20, Solver(QUICK, STRETCH))
    np.testing.assert_array_equal(clean, read_image(tmp_path / "out" / "21.png"))


@pytest.mark.parametrize(("program", "more"), [(app, ["--no-background"]), (rainnet, ["--device", "cpu"])])
def test_one_picture_of_each_video(here, clip, program, more):
    source = here / "in" / "a.mkv"
    source.parent.mkdir()
    source.write_bytes(clip.read_bytes())
    save_photo(here / "in" / "photo.png")
    status, out, _ = call(
        program, "derain", "in", "-o", "out", "--preview-at", "0.5", "--start", "0.2", "--json", *more
    )
    assert (status, files(here / "out").keys()) == (0, {"a_preview.png"})
    record = json.loads(out)
    assert (record["output"], record["frame"], record["time"]) == ("out/a_preview.png", 12, 0.48)
    sheet = read_image("out/a_preview.png")
    before = next(open_video(clip).frames(12)).pixels
    np.testing.assert_array_equal(sheet[-64:, :96], before)
    assert (sheet[-64:, 104:200] != before).any()
    again = call(program, "derain", "in", "-o", "out", "--preview-at", "0.5", *more)
    assert "kept out/a_preview.png (--overwrite to do it again)" in again[1]
    status, out, err = call(program, "derain", source, "in/photo.png", "-o", "new", "--preview-at", "99f", *more)
    assert (status, out, files(here / "new")) == (1, "", {})
    assert f"'{source}' shows no frame at 99f; it was read to frame 29f at 1.16 s: choose another moment" in err
    assert "'in/photo.png': --preview-at is for videos; leave them out for images" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.mkv", "-o", "b.mkv", "--preview-at", "1"], "'b.mkv' cannot be written; use .avif,"),
        (["a.mkv", "-o", "b/%d.png", "--preview-at", "1"], "is one picture, and 'b/%d.png' names many; name one, or a"),
        (["a.mkv", "-o", "b.png", "--preview-at", "soon"], "--preview-at must be seconds, as 12.5"),
    ],
)
def test_wrong_usage(here, arguments, told):
    (here / "a.mkv").touch()
    status, out, err = call(app, "derain", *arguments)
    assert (status, out) == (2, "")
    assert told in err.replace(": ", " ")
