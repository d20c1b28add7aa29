import json
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from benchmarks.metrics.niqe_fit import SPOILED, Source, free_sources, halves, main, model_text
from rainopt import niqe
from rainopt.metrics import scene_statistics
from rainopt.metrics.niqe import NiqeModel, fit, sharp_features
from rainopt.metrics.scene_statistics import FEATURES, PATCH, patch_features

SHIPPED = Path(scene_statistics.__file__).with_name("niqe_model.json")


def grain(rng, rows, columns):
    """Return a grey picture of white noise, (H, W) uint8, each of whose patches is as sharp as the next."""
    return rng.integers(60, 196, (rows, columns), dtype=np.uint8)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_the_score_rises_with_what_spoils_a_photograph(name):
    clean = getattr(data, name)()[:288, :384]
    for steps in (("blur 1", "blur 2"), ("noise 5", "noise 25"), ("JPEG 60", "JPEG 10"), ("heavy rain",)):
        scores = [niqe(SPOILED[step](clean, np.random.default_rng(1))) for step in ("clean", *steps)]
        assert scores == sorted(scores)
        assert scores[-1] > scores[0] + 1


def test_any_library_is_scored_and_grey_counts_as_three_equal_channels(xp):
    image = data.astronaut()[:192, :200, 1]
    score = niqe(xp.asarray(np.dstack([image] * 4)))
    assert isinstance(score, float)
    for same in (image, image[..., None], image / 255.0):
        assert niqe(same) == pytest.approx(score, rel=1e-4)


def test_whole_patches_with_contrast_count_alone(rng):
    image = grain(rng, 2 * PATCH + 95, 3 * PATCH + 95)
    assert niqe(image) == niqe(image[: 2 * PATCH, : 3 * PATCH])
    assert niqe(image) != niqe(image[PATCH:, PATCH:])
    flat = np.full((2 * PATCH, 5 * PATCH), 128, np.uint8)
    flat[:, : 2 * PATCH] = grain(rng, 2 * PATCH, 2 * PATCH)
    assert niqe(flat) == pytest.approx(niqe(flat[:, : 3 * PATCH]), rel=1e-9)


def test_pictures_too_small_or_flat_or_no_pictures_have_no_score(rng):
    for shape in ((95, 300), (300, 95), (1, 1), (95, 96, 3)):
        message = rf"`image` must be at least 96 x 96 pixels for NIQE, got {shape[0]} x {shape[1]}"
        for function in (niqe, sharp_features):
            with pytest.raises(ValueError, match=message):
                function(np.zeros(shape))
    with pytest.raises(ValueError, match=r"at least 2 patches .* got 0 in shape \(300, 400, 3\); use a larger picture"):
        niqe(np.full((300, 400, 3), 0.4))
    with pytest.raises(ValueError, match=r"got 1 in shape \(191, 191\)"):
        niqe(grain(rng, 191, 191))
    assert niqe(grain(rng, 191, 192)) > 0
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        niqe(np.full((100, 200, 3), 100.0))


def test_a_picture_is_at_distance_0_from_its_own_model_and_the_shipped_one_from_itself():
    image = data.camera()[:300, :300]
    own = NiqeModel.of(patch_features(image.astype(np.float64))[0])
    assert niqe(image, model=own) == pytest.approx(0, abs=1e-2)
    assert niqe(image) > 1
    assert NiqeModel.load().distance(NiqeModel.load()) == 0


def test_distances_of_gaussians_are_known():
    eye, mean = np.eye(36), np.arange(36.0)
    a, b = NiqeModel(np.zeros(36), eye), NiqeModel(mean, 7 * eye)
    assert a.distance(a) == 0
    assert a.distance(b) == b.distance(a) == pytest.approx(np.sqrt(np.sum(mean**2) / 4))
    # Along what varies in neither there is no distance.
    flat = np.diag([1.0] * 10 + [0.0] * 26)
    distance = NiqeModel(np.zeros(36), flat).distance(NiqeModel(mean, flat))
    assert distance == pytest.approx(np.sqrt(np.sum(mean[:10] ** 2)))


def test_the_distance_does_not_depend_on_the_units_of_features(rng):
    features = rng.standard_normal((2, 60, 36)) + np.array([0.0, 0.3])[:, None, None]
    mixing = rng.standard_normal((36, 36))
    a, b = (NiqeModel.of(f) for f in features)
    c, d = (NiqeModel.of(f @ mixing + 5) for f in features)
    assert a.distance(b) == pytest.approx(c.distance(d), rel=1e-6)
    assert a.distance(b) > 1


def test_fitted_are_mean_and_covariance_of_the_sharp_patches_of_all_pictures(rng):
    faint = np.full((2 * PATCH, 4 * PATCH), 128, np.uint8)
    faint[:, : 2 * PATCH] = grain(rng, 2 * PATCH, 2 * PATCH)
    faint[:, 2 * PATCH :] += rng.integers(0, 40, (2 * PATCH, 2 * PATCH), dtype=np.uint8)
    features, _ = patch_features(faint.astype(np.float64))
    assert len(features) == 8
    assert sharp_features(faint) == pytest.approx(features[[0, 1, 4, 5]], rel=1e-4)
    images = [faint, grain(rng, 6 * PATCH, 6 * PATCH)]
    features = np.concatenate([sharp_features(image) for image in images])
    assert len(features) == 40
    model = fit(iter(images))
    assert model.mean == pytest.approx(features.mean(axis=0))
    assert model.covariance == pytest.approx(np.cov(features.T))


def test_a_model_needs_more_patches_than_features(rng):
    with pytest.raises(ValueError, match=r"more than 36 sharp patches, got 36 in 1; add pictures"):
        fit([grain(rng, 6 * PATCH, 6 * PATCH)])
    with pytest.raises(ValueError, match=r"got 0 in 0"):
        fit([])
    with pytest.raises(ValueError, match=r"got 0 in 1"):
        fit([np.zeros((200, 200))])


def test_models_are_checked_and_cannot_be_changed():
    mean, covariance = np.zeros(36), np.eye(36)
    for wrong, message in (
        ((mean[:35], covariance), r"`mean` must have shape \(36,\), got \(35,\)"),
        ((mean, mean), r"`covariance` must have shape \(36, 36\), got \(36,\)"),
        ((mean * np.nan, covariance), "`mean` must be finite"),
        ((mean, np.triu(np.ones((36, 36)))), "`covariance` must be symmetric"),
    ):
        with pytest.raises(ValueError, match=message):
            NiqeModel(*wrong)
    model = NiqeModel(mean, covariance)
    with pytest.raises(ValueError, match="read-only"):
        model.mean[0] = 1
    mean[0] = 1
    assert model.mean[0] == 0


def test_a_model_survives_its_file(tmp_path, rng):
    model = NiqeModel.of(rng.standard_normal((50, 36)))
    path = tmp_path / "model.json"
    path.write_text(model_text(model, 50, [Source("clean/a.png", "owner/name", "a.png", "CC0")]), encoding="utf-8")
    loaded = NiqeModel.load(path)
    assert np.array_equal(loaded.mean, model.mean)
    assert np.array_equal(loaded.covariance, model.covariance)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not JSON", "Expecting value"),
        ("[1]", "indices must be integers"),
        ('{"mean": [1]}', "'features' is missing"),
        ('{"features": ["width"], "mean": [1], "covariance": [[1]]}', "its features are others"),
        (json.dumps({"features": FEATURES, "mean": [1], "covariance": [[1]]}), r"must have shape \(36,\)"),
    ],
)
def test_files_of_other_things_are_refused(tmp_path, text, message):
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"model\.json holds no NIQE model: .*{message}"):
        NiqeModel.load(path)


def test_the_shipped_model_is_what_the_fit_writes_of_free_pictures():
    text = SHIPPED.read_text(encoding="utf-8")
    content = json.loads(text)
    model = NiqeModel.load()
    assert text == model_text(model, content["patches"], [Source(**source) for source in content["sources"]])
    assert content["pictures"] == len(content["sources"]) > 0
    assert content["patches"] > 10 * len(FEATURES)
    assert all(source["licence"].startswith(("CC0", "public domain")) for source in content["sources"])
    # A distance needs every direction.
    assert np.linalg.eigvalsh(model.covariance).min() > 1e-6
    assert NiqeModel.load() is model


def test_only_free_pictures_are_fitted_and_photographs_are_not_torn_apart(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--data", str(tmp_path)])
    assert "--data must hold SOURCES.tsv" in capsys.readouterr().err
    rows = [
        ("clean/b_0.jpg", "owner/set", "b.jpg", "CC0-1.0"),
        ("clean/b_1.jpg", "owner/set", "b.jpg", "CC0-1.0"),
        ("clean/a.png", "wheel", "a.png", "public domain (NASA)"),
        ("clean/c.jpg", "wheel", "c.jpg", "CC BY 2.0"),
        ("clean/d.jpg", "wheel", "d.jpg", "none stated"),
        ("photos/e.jpg", "wheel", "e.jpg", "CC0-1.0"),
    ]
    lines = ["\t".join(row) for row in [("file", "repository", "path", "licence"), *rows]]
    (tmp_path / "SOURCES.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = free_sources(tmp_path)
    assert [source.file for source in found] == ["clean/a.png", "clean/b_0.jpg", "clean/b_1.jpg"]
    first, *crops = halves(found)
    assert crops == [1 - first] * 2
