"""Help, wrong usage and interruption of ``raindata``: nothing is done, and the status says why."""

import os
import sys

import pytest

from data_tools.commands import main as cli
from data_tools.layouts.read import LAYOUTS
from data_tools.rain.presets import PRESETS
from tests.support.datasets import files
from tests.support.processes import call


def test_help_names_what_may_be_chosen():
    status, out, err = call(cli.app, "synth", "--help")
    assert (status, err) == (0, "")
    assert all(word in out for word in ("CLEAN", "Exit status", "raindata synth photos/", *PRESETS))
    _, out, _ = call(cli.app, "verify", "--help")
    assert all(word in out for word in ("DATASET", "Exit status", *LAYOUTS))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("synth", "Missing argument 'CLEAN"),
        ("synth photos", "--preview"),
        ("synth photos -o", "-o"),
        ("synth nowhere -o out", "'nowhere' does not exist"),
        ("synth photos -o out -p fog", "--preset must be one of light, medium, heavy, multi, got 'fog'"),
        ("synth photos -o out -s -1", "--seed"),
        ("synth photos -o out -n 0", "--count"),
        ("synth photos -o out --val-share nan", "--val-share"),
        ("synth photos -o out -j 0", "--jobs"),
        ("synth photos -o photos", "outside 'photos'"),
        ("synth photos/b.png -o photos", "no image"),
        ("synth photos --preview sheet.gif", "'sheet.gif' cannot be written"),
        ("synth photos --preview photos/b.png", "is a clean picture itself"),
        ("synth photos/c.png -o photos/b.png", "'photos/b.png' is a file; name a folder"),
        ("verify", "name DATASET, or two folders with --rainy and --clean"),
        ("verify --rainy photos", "--clean: --rainy and --clean are two folders of one dataset; name both"),
        ("verify photos --rainy photos --clean x", "are the dataset; leave DATASET out"),
        ("export --rainy photos --clean photos -o out --to spa --match (", "--match: `match` must be a regular"),
        ("verify photos -l zip", "`layout` must be one of manifest, spa"),
        ("build", "Missing argument 'VIDEO"),
        ("build photos", "Missing option '-o' / '--output'"),
        ("build photos -o out --val-share 0.6 --test-share 0.4", "--val-share and --test-share must leave something"),
        ("build photos -o out -n 0", "--pairs"),
        ("build photos -o out --crop 8", "--crop"),
        ("build photos -o out --every -1", "--every"),
        ("build photos -o out --per-sequence 4", "--per-sequence: needs --sequences"),
        ("build photos -o out --sequences --per-sequence 1", "--per-sequence"),
        ("build photos -o out --sequences -n 4", "--pairs: belongs to pairs; leave it out, or --sequences"),
        ("build photos -o out --sequences --every 0", "--every must be above 0 for sequences, got 0"),
        ("build photos -o photos", "--output: 'photos' is not empty and holds no manifest.jsonl"),
        ("export photos -o out", "--to"),
        ("export photos -o out --to zip", "--to: `to` must be one of webdataset, spa"),
        ("export photos -o out --to spa --split dev", "--split: `split` must be"),
        ("export photos -o out --to spa -l x", "--layout: `layout` must be"),
        ("export photos -o out --to spa --shard-size 0", "--shard-size"),
        ("export photos -o out --to spa", "holds no pair to export"),
    ],
)
def test_wrong_usage_is_status_2_before_anything_is_done(here, arguments, said):
    before = files(here)
    status, out, err = call(cli.app, *arguments.split())
    assert (status, out) == (2, "")
    assert said in err
    assert files(here) == before
    assert os.listdir() == ["photos"]


@pytest.mark.parametrize(
    ("where", "arguments"),
    [
        ("build.synth_plan.plan_pairs", "synth photos -o out"),
        ("build.rendered.render_pair", "synth photos --preview sheet.png"),
        ("verify.dataset.verify", "verify photos"),
        ("build.plan.find", "build photos -o out"),
        ("build.video.open_video", "build photos -o out"),
        ("build.sheet.write_sheet", "build photos -o out"),
        ("export.dataset.collect", "export photos -o out --to spa -l unpaired"),
    ],
)
def test_an_interruption_at_any_time_is_status_130(here, monkeypatch, where, arguments):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"data_tools.{where}", interrupt)
    monkeypatch.setattr(sys, "argv", ["raindata", *arguments.split()])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130
