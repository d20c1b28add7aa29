"""Which pictures count as clean ones, and what their numbers mean once rain was added to them."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from data_tools.build.plan import plan_videos
from data_tools.build.settings import BuildSettings, SynthSettings
from data_tools.build.synth_plan import SynthError, plan_pairs
from data_tools.commands.main import app
from data_tools.manifest.file import read_manifest
from rainopt.io import read_image_file
from rainopt.io.own_results import RECORD
from tests.support.datasets import files, waves
from tests.support.processes import call

SETTINGS = SynthSettings()


def test_datasets_among_photographs_are_left_out_and_told(photos, caplog):
    for name in ("first", "second", "third"):
        assert call(app, "synth", "photos", "-o", f"photos/rain/{name}")[0] == 0
        assert len(read_manifest(f"photos/rain/{name}")) == 3
        if name == "first":
            Path("photos/rain/first", RECORD).unlink()  # as in a dataset of before there were such records
    assert "left out, as datasets: 'photos/rain/first'; name their clean pictures" in caplog.text
    assert "left out: 12 results (photos/rain/second/train/clean/a.png, " in caplog.text
    clean = Path("photos/rain/first/train/clean")
    assert [job.scene for job in plan_pairs([clean], None, SETTINGS)] == ["a", "b", "c"]
    with pytest.raises(SynthError, match="'photos/rain/first' is a dataset, whose pictures are not all clean"):
        plan_pairs(["photos/rain/first"], None, SETTINGS)


def test_what_lies_beside_videos_is_told_and_what_a_run_wrote_is_not(here):
    for name in ("v/a.mp4", "v/c/1.png", "v/x.heic", "v/out/z.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    for inputs, videos, notes in (
        (["v"], ["v/a.mp4"], ("not read: 1 .heic, 1 .png; convert them to a format that is",)),
        (["v", "v/c"], ["v/a.mp4", "v/c"], ("not read: 1 .heic; convert them to a format that is",)),
    ):
        plan = plan_videos(inputs, Path("v/out"), BuildSettings())
        assert ([str(job.source) for job in plan.jobs], plan.problems) == (videos, ())
        assert plan.notes == notes
    assert plan_videos(["", "v/a.mp4"], Path("out"), BuildSettings()).problems == (
        "'' names no video; is a variable unset?",
    )


def test_a_manifest_of_another_program_is_no_dataset(photos):
    Path("photos/manifest.jsonl").write_text('{"name": "mine"}\n')
    assert len(plan_pairs([photos], None, SETTINGS)) == 3


def test_a_folder_that_cannot_be_listed_is_named_before_anything_is_done(photos, monkeypatch):
    (photos / "secret").mkdir()
    scandir = os.scandir

    def locked(place):
        if str(place).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", locked)
    before = files(photos)
    status, _, err = call(app, "synth", "photos", "-o", "out")
    assert status == 2
    assert "'photos/secret' cannot be listed (Permission denied)" in err
    assert (files(photos), Path("out").exists()) == (before, False)


def test_a_profile_goes_with_the_pictures_and_not_with_the_layers(here):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Path("in").mkdir()
    image = Image.fromarray((waves() * 255).astype(np.uint8))
    image.save("in/a.jpg", icc_profile=profile, exif=Image.Exif(), dpi=(72, 72))
    assert call(app, "synth", "in", "-o", "out")[0] == 0
    (record,) = read_manifest("out")
    kept = {kind: read_image_file(Path("out", getattr(record, kind))).metadata for kind in ("clean", "rainy", "rain")}
    assert kept["clean"] == kept["rainy"]
    assert (kept["clean"].icc, kept["clean"].exif, kept["rain"].icc) == (profile, None, None)
    assert call(app, "verify", "out")[0] == 0
