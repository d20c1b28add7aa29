"""The commands of the benchmarks: their help, and what they refuse."""

import importlib
import re
import runpy
import sys
from pathlib import Path

import pytest
import typer

from tests.support.processes import call

WITH_PICTURES = (
    "solver.quality",
    "solver.ablation",
    "angle.accuracy",
    "networks.quality",
    "networks.card",
    "networks.baselines",
    "rain.presets",
    "darker",
)
OTHERS = ("solver.peers", "networks.ablation", "networks.angle", "networks.single", "networks.speed", "rain.synth")
OTHERS += ("networks.baselines_trained", "networks.ship", "traces")
ATTACKS = ("robustness.fuzz", "robustness.bombs", "robustness.twice", "robustness.kills")
ALONE = (
    "speed",
    "quality",
    "scaling",
    "formats",
    "video.quality",
    "video.rows",
    "video.living",
    "video.flicker",
    "video.speed",
    "metrics.niqe_fit",
    "digests",
    "walk",
)


# Beside the others of video.
JUDGED = ("video.judged",)


def load(name):
    module = importlib.import_module(f"benchmarks.{name}")
    return module, getattr(module, "app", module.main)


README = Path(__file__).parents[2] / "benchmarks" / "README.md"
NAMED = sorted(set(re.findall(r"python -m benchmarks\.([\w.]+)", README.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", NAMED)
def test_what_the_page_names_is_a_command(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    # As it is run, beside what is imported already.
    monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    assert ended.value.code == 0
    assert f"benchmarks.{name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*WITH_PICTURES, *OTHERS, *ATTACKS, *ALONE, *JUDGED])
def test_help_teaches(name):
    module, app = load(name)
    status, out, _ = call(app, "--help")
    assert status == 0
    assert all(line.strip() in out for line in module.__doc__.splitlines())
    assert f"benchmarks.{name}" in out
    assert all(parameter.help for parameter in typer.main.get_command(app).params)


@pytest.mark.parametrize("name", WITH_PICTURES)
def test_a_folder_without_pictures_is_refused(name, tmp_path):
    status, _, err = call(load(name)[1], "--data", tmp_path)
    assert status == 2
    assert "--data must hold" in err
    assert "'pairs'" in err


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("speed", ["--only", "colour"], "'solver', 'kernels', 'derain', 'angle'"),
        ("speed", ["--repeat", "0"], "--repeat"),
        ("quality", ["--only", "colour"], "'still', 'angle', 'background'"),
        ("scaling", ["--only", "time"], "'solve_udg/pixels', 'derain/pixels'"),
        ("solver.peers", ["--size", "12by14"], "such as 1024x2048, got '12by14'"),
        ("solver.peers", ["--size", "0x14"], "got '0x14'"),
        ("solver.quality", [], "--data"),
        ("robustness.fuzz", ["--only", "colours"], "one of pictures"),
        ("robustness.bombs", ["--only", "colours"], "one of tiff"),
        ("robustness.twice", ["--only", "colours"], "one of derain"),
        ("robustness.kills", ["--only", "colours"], "one of derain"),
    ],
)
def test_what_makes_no_sense_is_refused(name, arguments, message):
    status, _, err = call(load(name)[1], *arguments)
    assert status == 2
    assert message in err
