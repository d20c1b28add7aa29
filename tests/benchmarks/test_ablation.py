import json
import math

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.solver import ablation
from benchmarks.solver.ablation import FULL, STRENGTHS, VARIANTS, collect, main, patched
from data_tools import RainDirection, RainSpec, add_rain
from rainopt import derain
from tests.support.processes import call


def rainy(**fields):
    clean = photograph(400, 600)[100:228, 40:200]
    return np.rint(add_rain(clean, RainSpec(**fields), np.random.default_rng(0)).rainy * 255).astype(np.uint8)


@pytest.mark.slow
def test_variants_differ_from_one_another():
    images = [
        rainy(angle=8.0, density=1200.0, length=30.0, composition="additive"),
        rainy(angle=-5.0, density=15000.0, length=60.0, layers=3, composition="additive"),
        rainy(density=8000.0, directions=(RainDirection(-20.0, 1.0), RainDirection(20.0, 0.8))),
    ]
    everything = {**VARIANTS, **{f"strength {key}": v for key, v in STRENGTHS.items() if v is not FULL}}
    scene = np.random.default_rng(2).integers(90, 160, (128, 160), dtype=np.uint8)  # dense, and nothing in it parallel
    results = {key: [*(variant(image) for image in images), variant(scene, 0.0)] for key, variant in everything.items()}
    names = list(results)
    for i, a in enumerate(names):
        for b in names[:i]:
            same = all(np.array_equal(x, y) for x, y in zip(results[a], results[b], strict=True))
            assert not same, f"{a} is the same as {b}"


def test_full_is_derain_as_it_is():
    image = rainy(angle=8.0)
    assert np.array_equal(VARIANTS["full"](image), np.rint(derain(image).background * 255).astype(np.uint8))


@pytest.mark.parametrize("key", [key for key, variant in VARIANTS.items() if variant.patches])
def test_patches_are_there_while_a_variant_runs_and_taken_back_even_after_an_error(key):
    variant = VARIANTS[key]
    before = [getattr(module, name) for module, name, _ in variant.patches]
    values = [value for *_, value in variant.patches]
    assert not any(own is value for own, value in zip(before, values, strict=True))
    with patched(variant):
        assert [getattr(module, name) for module, name, _ in variant.patches] == values
    with pytest.raises(ValueError, match="at least 8 pixels"):
        variant(np.zeros((4, 4), np.uint8))
    assert all(getattr(m, n) is old for (m, n, _), old in zip(variant.patches, before, strict=True))


@pytest.mark.slow
def test_ablation_measures_a_tree(tree, monkeypatch):
    monkeypatch.setattr(ablation, "RENDERED", ("heavy",))
    target = tree / "out" / "ablation.json"
    status, out, _ = call(main, "--data", tree, "--limit", 1, "--json", target)
    assert status == 0
    assert "no_texture" in out
    text = target.read_text()
    assert str(tree) not in text
    results = json.loads(text)
    assert list(results["sets"]) == ["pairs/small", "rendered/heavy"]
    for measured in results["sets"].values():
        assert measured["pictures"] == 1
        assert set(measured["psnr"]) == set(VARIANTS)
        assert measured["strength"]["1"] == measured["psnr"]["full"] > measured["input"] + 1
    clean = results["clean"]
    assert all(math.isfinite(value) for value in clean["psnr"].values())
    # One angle is given, and more strength takes more.
    assert clean["psnr"]["one_direction"] == clean["psnr"]["full"]
    assert clean["strength"]["0.5"] > clean["strength"]["1"] > clean["strength"]["2"]


def test_either_folder_may_be_missing_and_empty_ones_measure_nothing(tree, tmp_path):
    (tree / "pairs").rename(tree / "elsewhere")
    assert all(name.startswith("rendered/") for name in collect(tree, None))
    (tree / "clean").rename(tree / "gone")
    (tree / "elsewhere").rename(tree / "pairs")
    assert list(collect(tree, None)) == ["pairs/small"]
    (tmp_path / "empty" / "clean").mkdir(parents=True)
    assert call(main, "--data", tmp_path / "empty", "--json", tmp_path / "a.json")[0] == 0
    assert json.loads((tmp_path / "a.json").read_text())["sets"] == {}
