"""`rainnet list`: what there is, and what it costs."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from rainnet import zoo
from rainnet.commands.listing import WIDTH
from rainnet.commands.main import app
from rainnet.inventory.collect import collect
from rainnet.inventory.details import details
from rainnet.inventory.table import overview
from rainnet.recipes.recipe import read_recipe
from rainnet.recipes.shipped import shipped as recipes
from rainnet.weights.scores import Mean, SetScores, read_scores, scores_file, write_scores
from tests.support.processes import call
from tests.support.toy import ENTRY


def run(*arguments):
    return call(app, "list", *arguments)


@pytest.fixture(scope="module")
def everything():
    return collect()


def printed(parts, width):
    """What a terminal of so many columns shows."""
    console = Console(file=io.StringIO(), width=width)
    for part in parts:
        console.print(part)
    return console.file.getvalue()


def test_everything_is_there_once(everything):
    assert everything.failures == ()
    kinds = {kind: [r.name for r in everything.records if r.kind == kind] for kind in ("network", "recipe", "weights")}
    assert kinds["network"] == list(zoo.NETWORKS)
    assert sorted(kinds["recipe"]) == sorted(recipes())
    assert kinds["weights"] == list(zoo.shipped())
    presets = {(r.network, r.name): r for r in everything.records if r.kind == "preset"}
    assert set(presets) == {(name, preset) for name, entry in zoo.NETWORKS.items() for preset in entry.presets}
    assert presets["prenet", "paper"].parameters == 168_963


def test_recipes_say_what_they_need(everything):
    found = {record.name: record for record in everything.records if record.kind == "recipe"}
    assert found["udgnet"].needs == (
        "rainy photographs without truth (--data), and clean pictures of any scenes (--clean)"
    )
    assert "several frames of each scene" in found["timelapsenet"].needs
    assert "frames" not in found["timelapsenet-small"].needs  # these are rendered
    assert found["udgnet-single"].needs == "one rainy photograph (--single)"
    assert found["prenet-small"].losses == read_recipe("prenet-small").loss
    one = found["prenet"]
    assert (one.preset, one.data, one.steps, one.batch, one.size) == ("paper", "pairs", 150_000, 18, 100)


def test_shipped_weights_say_licence_origin_and_scores(everything):
    found = {record.name: record for record in everything.records if record.kind == "weights"}
    assert set(found) == {"udgnet-small", "refine"}
    for each in found.values():
        assert (each.preset, each.licence) == ("small", "Apache-2.0")
        assert each.file_megabytes == pytest.approx(each.megabytes, rel=0.02)
    one = found["udgnet-small"]
    for scores in one.scores:
        assert scores.protocol == "y_matlab"
        assert scores.of("udgnet-small").psnr > scores.of("input").psnr
        # The card says the same.
        mean = scores.of("rainopt")
        if mean.ssim is not None:
            row = f"{mean.psnr:.2f} / {mean.ssim:.3f}"
            assert row in (zoo.WEIGHTS / "README.md").read_text()
    assert "rain100l_dev" in [scores.name for scores in one.scores]


@pytest.mark.parametrize("width", [40, 60, 99, 100, 120, 200])
def test_nothing_is_cut_at_any_width(everything, width):
    for shown in (overview, details):
        text = printed(shown(everything.records, width), width)
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        for record in everything.records:
            assert record.kind == "network" or f"{record.parameters:,}" in text
    assert all(f" {name} " in f"{text} " for name in ("prn", "small"))


def test_the_table_in_a_pipe_is_wide_and_json_is_an_object_a_line(everything):
    status, out, err = run()
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) == WIDTH
    status, out, _ = run("--json")
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == json.loads(
        json.dumps([record.as_dict() for record in everything.records])
    )


def test_one_name_is_told_in_more_detail():
    status, out, _ = run("ddn")
    assert status == 0
    for said in ("Of the guided filter", "ddn-small  recipe", "upright", "210,000 steps", "reach: pixels around"):
        assert said in out
    assert "radius, epsilon" in out  # what is explained together
    assert "\\n" not in out
    assert "udgnet" not in out
    status, out, _ = run("udgnet-small")
    assert (status, "udgnet-small  recipe" in out, "udgnet-small  weights" in out) == (0, True, True)
    assert "licence: Apache-2.0" in out
    _, out, _ = run("udgnet-small", "--json")
    assert [json.loads(line)["kind"] for line in out.splitlines()] == ["recipe", "weights"]


def test_a_name_that_is_not_there_comes_with_a_suggestion():
    status, out, err = run("prenett")
    assert (status, out) == (2, "")
    assert "'prenett' is no network, recipe or shipped weights; did you mean 'prenet'?" in err


def test_other_distributions_are_listed_and_a_broken_one_is_named(installed):
    installed(toy="tests.support.toy:ENTRY", broken="tests.support.none:ENTRY")
    status, out, err = run("toy")
    assert (status, err) == (0, "")
    assert "strength" in out
    status, out, err = run("--json")
    assert status == 1
    assert "network 'broken' cannot be had: No module named 'tests.support.none'" in err
    names = [json.loads(line)["name"] for line in out.splitlines()]
    assert {"toy", "default", *zoo.NETWORKS} <= set(names)
    assert run("broken")[0] == 1


def test_a_broken_preset_or_file_does_not_stop_the_others(tmp_path):
    (tmp_path / "bad.safetensors").write_text("text")
    presets = {"good": ENTRY.model.Config(), "bad": ENTRY.model.Config(channels=-1)}
    entry = zoo.Entry(ENTRY.model, presets, ENTRY.program, None, {"toy-bad": tmp_path / "bad.safetensors"})
    with zoo.added("toy", entry):
        found = collect("toy")
    assert [record.name for record in found.records] == ["toy", "good"]
    assert [failure.split(" cannot")[0] for failure in found.failures] == [
        "preset 'bad' of network 'toy'",
        "weights 'toy-bad'",
    ]


def test_scores_are_read_as_they_were_written(tmp_path):
    weights = tmp_path / "net.safetensors"
    assert read_scores(weights) == ()
    scores = (SetScores("a", "A", 3, "rgb", (Mean("input", 20.0, 0.5), Mean("net", 30.0))),)
    assert write_scores(weights, scores) == scores_file(weights)
    assert read_scores(weights) == scores
    assert write_scores(weights, (replace(scores[0], pictures=4),)).is_file()
    for text in (
        "",
        "[]",
        '{"format": "other", "version": 1, "sets": []}',
        '{"format": "rainnet-scores", "version": 1}',
    ):
        scores_file(weights).write_text(text)
        with pytest.raises(ValueError, match=r"net\.scores\.json' holds no scores of version 1"):
            read_scores(weights)
