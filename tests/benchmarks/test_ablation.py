import json
import math

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.solver.ablation import FULL, STRENGTHS, VARIANTS, main, patched
from data_tools import RainDirection, RainSpec, add_rain
from rainopt import derain, write_image
from rainopt.still import adaptive
from rainopt.still import derain as pipeline


def rainy(seed=0, **fields):
    clean = photograph(400, 600)[100:228, 40:200]
    return np.rint(add_rain(clean, RainSpec(**fields), np.random.default_rng(seed)).rainy * 255).astype(np.uint8)


@pytest.fixture
def tree(tmp_path):
    for kind, image in (("rain", rainy(angle=10.0)), ("norain", photograph(400, 600)[100:228, 40:200])):
        folder = tmp_path / "pairs" / "small" / kind
        folder.mkdir(parents=True)
        write_image(folder / "a.png", image)
    (tmp_path / "clean").mkdir()
    for k in range(2):
        write_image(tmp_path / "clean" / f"{k}.png", photograph(96 + k, 128))
    return tmp_path


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
def test_patches_are_taken_back_even_after_an_error(key):
    variant = VARIANTS[key]
    before = [getattr(module, name) for module, name, _ in variant.patches]
    with patched(variant):
        assert [getattr(module, name) for module, name, _ in variant.patches] == [v for *_, v in variant.patches]
    with pytest.raises(ValueError, match="at least 8 pixels"):
        variant(np.zeros((4, 4), np.uint8))
    assert all(getattr(m, n) is old for (m, n, _), old in zip(variant.patches, before, strict=True))


def test_importing_patches_nothing():
    assert pipeline.streak_height.__module__ == "rainopt.direction.estimate"
    assert pipeline.vote.__module__ == "rainopt.direction.estimate"
    assert adaptive.density.__module__ == "rainopt.still.adaptive"
    assert VARIANTS["full"].patches == ()


def test_ablation_measures_a_tree(tree, capsys):
    target = tree / "out" / "ablation.json"
    main(["--data", str(tree), "--json", str(target)])
    text = target.read_text()
    results = json.loads(text)
    assert set(results) == {"environment", "benchmark", "protocol", "sets", "clean"}
    assert list(results["sets"]) == [
        "pairs/small",
        "rendered/light",
        "rendered/medium",
        "rendered/heavy",
        "rendered/multi",
    ]
    for measured in results["sets"].values():
        assert measured["pictures"] == 1
        assert set(measured["psnr"]) == set(VARIANTS)
        assert set(measured["strength"]) == {"0.5", "1", "2"}
        assert measured["strength"]["1"] == measured["psnr"]["full"]
        assert measured["psnr"]["full"] > measured["input"] + 1
    clean = results["clean"]
    assert set(clean) == {"pictures", "psnr", "strength"}
    assert clean["pictures"] == 1
    assert all(math.isfinite(value) for value in clean["psnr"].values())
    # One angle is given, and more strength takes more.
    assert clean["psnr"]["one_direction"] == clean["psnr"]["full"]
    assert clean["strength"]["0.5"] > clean["strength"]["1"] > clean["strength"]["2"]
    assert str(tree) not in text
    out = capsys.readouterr().out
    assert "no_texture" in out
    assert "strength" in out


def test_ablation_without_clean_photographs_measures_the_pairs(tree, capsys):
    for path in (tree / "clean").iterdir():
        path.unlink()
    (tree / "clean").rmdir()
    main(["--data", str(tree), "--limit", "1"])
    out = capsys.readouterr().out
    results = json.loads(out[out.index("\n{") :])
    assert list(results["sets"]) == ["pairs/small"]
    assert "clean" not in results


def test_ablation_without_pairs_measures_the_clean_photographs(tree):
    target = tree / "ablation.json"
    (tree / "pairs").rename(tree / "elsewhere")
    main(["--data", str(tree), "--json", str(target)])
    assert all(name.startswith("rendered/") for name in json.loads(target.read_text())["sets"])


def test_ablation_of_empty_folders_is_empty(tmp_path):
    (tmp_path / "clean").mkdir()
    main(["--data", str(tmp_path), "--json", str(tmp_path / "a.json")])
    assert json.loads((tmp_path / "a.json").read_text())["sets"] == {}


def test_ablation_names_the_missing_truth(tree):
    (tree / "pairs" / "small" / "norain" / "a.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"rain/a\.png has no norain/a\.png"):
        main(["--data", str(tree)])


def test_ablation_says_what_the_folder_must_hold(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--data", str(tmp_path)])
    assert end.value.code == 2
    assert "'pairs'" in capsys.readouterr().err
