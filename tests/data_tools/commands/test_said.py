"""What the commands say: results on standard output, all else on the other, and JSON for programs."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_tools.commands.main import app
from data_tools.manifest.file import read_manifest
from tests.support.datasets import photograph, put, rainy_of, waves
from tests.support.processes import call, run


def raindata(*arguments):
    return call(app, *arguments)


def test_a_process_says_results_on_standard_output_and_the_rest_on_the_other(here):
    Path("photos/bad.png").write_text("no picture")
    done = run("raindata", "synth", "photos", "-o", "out", cwd=here)
    assert done.returncode == 1
    assert re.fullmatch(r"3 pairs made in [\d.]+ s; out holds 3\n", done.stdout)
    assert done.stderr == (
        "failed  'photos/bad.png' is not a PNG, JPEG, TIFF, WebP, AVIF, HEIC, BMP or raw image; convert it to one of "
        "these\n"
    )


def test_findings_are_named_in_tables_or_as_one_json_object(here):
    assert raindata("synth", "photos", "-o", "out", "-n", 25)[0] == 0
    status, out, err = raindata("verify", "out")
    assert (status, err) == (0, "")
    assert "nothing is wrong with 25 pairs of 3 scenes" in out
    records = read_manifest("out").records
    Path("out", records[0].rain).unlink()
    for record in records:
        Path("out", record.mask).unlink()
    status, out, err = raindata("verify", "out")
    assert (status, err) == (1, "")
    assert records[0].id in out
    assert "and 6 more; --json lists all" in out
    assert "26 findings: 26 missing" in out
    status, out, err = raindata("verify", "out", "--json")
    assert (status, err) == (1, "")
    (line,) = out.splitlines()
    report = json.loads(line)
    assert set(report) == {"message", "ok", "pairs", "scenes", "splits", "sizes", "findings", "notes"}
    assert report["ok"] is False
    assert len(report["findings"]) == 26
    assert set(report["findings"][0]) == {"kind", "where", "message"}
    assert (report["findings"][0]["kind"], report["findings"][0]["where"]) == ("missing", records[0].id)


def test_a_folder_of_photographs_is_told_to_be_no_dataset(here):
    status, out, _ = raindata("verify", "photos")
    assert status == 1
    assert "1 findings: 1 no pairs" in out
    status, out, _ = raindata("verify", "photos", "-l", "unpaired")
    assert status == 0
    assert "nothing is wrong with 3 images; whether they are rainy cannot be told without clean ones" in out


def test_pairs_of_any_two_folders_are_verified_and_exported(here):
    for k in range(3):
        clean = photograph("astronaut", (40 + 20 * k, 60))
        put(here / "a" / f"wet_{k}_x.png", rainy_of(clean, seed=k))
        put(here / "b" / f"{k}.dry.png", clean)
    sides = ("--rainy", "a", "--clean", "b", "--match", "[0-9]")
    status, out, err = raindata("verify", *sides)
    assert (status, err) == (0, "")
    assert "nothing is wrong with 3 pairs of 3 scenes" in out
    status, out, err = raindata("export", *sides, "-o", "out", "--to", "spa")
    assert (status, err) == (0, "note: pairs of no split are listed as training pairs: 3")
    lists = Path("out/real_world.txt").read_text().splitlines()
    assert lists[1] == "/real_world/rain/wet_1_x.png /real_world/gt/wet_1_x.png"
    assert Path("out/real_world/gt/wet_1_x.png").read_bytes() == Path("b/1.dry.png").read_bytes()
    assert "'b/new' lies in the dataset 'b'" in raindata("export", *sides, "-o", "b/new", "--to", "spa")[2]
    status, out, _ = raindata("verify", "--rainy", "a", "--clean", "b", "--json")
    assert status == 1
    assert "tell with `match` what they share" in json.loads(out)["error"]


@pytest.mark.parametrize("dataset", ["nowhere ä [x]", "empty", "broken", "broken/manifest.jsonl", "photos/b.png"])
def test_what_is_no_dataset_is_status_1_with_a_message(here, dataset):
    Path("empty").mkdir()
    Path("broken").mkdir()
    Path("broken/manifest.jsonl").write_text("{}\n")
    for arguments in (["verify", dataset], ["export", dataset, "-o", "new", "--to", "spa"]):
        status, out, err = raindata(*arguments)
        assert (status, out) == (1, "")
        assert err.startswith("failed ")
        assert dataset in err
    status, out, _ = raindata("verify", dataset, "--json")
    assert status == 1
    answer = json.loads(out)
    assert answer["ok"] is False
    assert dataset in answer["error"]


def test_an_export_says_one_line_and_names_what_failed(here):
    assert raindata("synth", "photos", "-o", "data", "-n", 6, "--val-share", "0.4", "-s", 3)[0] == 0
    count = sum(record.split == "val" for record in read_manifest("data"))
    assert 0 < count < 6
    status, out, err = raindata("export", "data", "-o", "out", "--to", "webdataset")
    assert (status, out.count("\n"), err) == (0, 1, "")
    assert out.startswith("out holds 6 pairs in 2 shards (")
    assert "2 shards, 2 of them there already (" in raindata("export", "data", "-o", "out", "--to", "webdataset")[1]
    status, out, err = raindata("export", "data", "-o", "spa", "--to", "spa", "--split", "val")
    assert f"holds {count} pairs in 1 list (" in out
    assert err == f"note: left out: {6 - count} pairs not in split 'val'"
    lost = read_manifest("data").records[0]
    Path("data", lost.mask).unlink()
    status, out, err = raindata("export", "data", "-o", "new", "--to", "webdataset")
    assert status == 1
    assert out.endswith("; 1 failed\n")
    assert err == f"failed '{lost.id}': '{lost.mask}' is missing"


def test_a_preview_alone_writes_nothing_else(here):
    status, out, err = raindata("synth", "photos", "--preview", "sheet ☂.png", "-p", "heavy")
    assert (status, err) == (0, "")
    assert out == "sheet ☂.png: clean, rainy and rain layer (x2) of 3 pairs\n"
    assert sorted(os.listdir()) == ["photos", "sheet ☂.png"]
    sheet = np.asarray(Image.open("sheet ☂.png")).astype(int)
    # Three rows of three pictures of 360 columns, with a gap of 6 around each and a title of 20 above each row.
    assert sheet.shape == (3 * (20 + 240 + 6) + 6, 3 * (360 + 6) + 6, 3)
    clean, rainy, rain = (sheet[26:266, 6 + k * 366 : 366 + k * 366] for k in range(3))
    assert np.abs(clean - np.asarray(Image.open("photos/b.png").resize((360, 240)))).mean() < 10
    assert rainy.mean() > clean.mean() + 5
    assert (rain[..., 0] == rain[..., 2]).all()
    assert np.corrcoef((rainy - clean).mean(-1).ravel(), rain[..., 0].ravel())[0, 1] > 0.8


def test_a_preview_with_a_dataset_shows_its_pairs(here):
    arguments = ["synth", "photos", "-o", "out", "--preview", "out/sheet.png", "-n", 10]
    Path("out").mkdir()
    status, out, _ = raindata(*arguments)
    assert status == 0
    assert "of 8 pairs" in out
    assert "10 pairs made" in out
    first = Path("out/sheet.png").read_bytes()
    assert raindata(*arguments)[0] == 0
    assert Path("out/sheet.png").read_bytes() == first
    assert raindata("verify", "out")[0] == 0


def test_a_preview_leaves_out_what_cannot_be_read_or_written(here):
    put(Path("more/d.png"), waves())
    Path("more/e.png").write_text("no picture")
    status, out, err = raindata("synth", "more", "--preview", "sheet.png")
    assert status == 1
    assert "of 1 pairs" in out
    assert "failed 'more/e.png' is not a PNG" in err
    assert raindata("synth", "more/e.png", "--preview", "none.png")[0] == 1
    assert not Path("none.png").exists()
    status, out, err = raindata("synth", "photos", "--preview", "nowhere/sheet.png")
    assert (status, out) == (1, "")
    assert "there is no folder 'nowhere'" in err
