import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import integrate
from skimage import data

import rainopt
from benchmarks.metrics import niqe_fit
from benchmarks.metrics.niqe_fit import SPOILED, Source, free_sources, halves, model_text
from rainopt import niqe
from rainopt.metrics.niqe import NiqeModel, fit, sharp_features
from rainopt.metrics.scene_statistics import (
    EXPONENTS,
    FEATURES,
    LEAST_CONTRAST,
    NEIGHBOURS,
    PATCH,
    contrast,
    fit_aggd,
    halved,
    patch_features,
)


def grain(rng, rows, columns):
    """Return a grey picture of white noise, (H, W) uint8, each of whose patches is as sharp as the next."""
    return rng.integers(60, 196, (rows, columns), dtype=np.uint8)


def aggd(rng, alpha, left, right, count=200_000):
    """Draw samples: the side by the ratio of the widths, and |x|^α of a gamma distribution."""
    negative = rng.random(count) < left / (left + right)
    size = rng.gamma(1 / alpha, size=count) ** (1 / alpha)
    return np.where(negative, -left * size, right * size)


@pytest.mark.parametrize(
    ("alpha", "left", "right"), [(2, 1.5, 1.5), (1, 0.5, 0.5), (0.6, 0.1, 0.3), (1.3, 2, 0.7), (4, 1, 1.4)]
)
def test_the_estimator_finds_the_parameters_of_samples(rng, alpha, left, right):
    found = fit_aggd(np.stack([aggd(rng, alpha, left, right), aggd(rng, alpha, right, left)]))
    assert found[0] == pytest.approx(alpha, rel=0.05)
    assert found[1] == pytest.approx([left, right], rel=0.05)
    assert found[2] == pytest.approx([right, left], rel=0.05)


def test_gauss_and_laplace_are_exponents_2_and_1(rng):
    samples = np.stack([rng.normal(0, 3, 200_000), rng.laplace(0, 3, 200_000)])
    alpha, left, right = fit_aggd(samples)
    assert alpha == pytest.approx([2, 1], rel=0.03)
    # exp(-x² / 2σ²) has the width σ √2, exp(-|x| / b) the width b.
    assert left == pytest.approx([3 * np.sqrt(2), 3], rel=0.03)
    assert right == pytest.approx([3 * np.sqrt(2), 3], rel=0.03)


@given(st.floats(1e-3, 1e3), st.integers(0, 100))
def test_widths_scale_with_the_samples_and_swap_with_the_sign(factor, seed):
    samples = np.random.default_rng(seed).normal(0.2, 1, (2, 500))
    alpha, left, right = fit_aggd(samples)
    turned = fit_aggd(-factor * samples)
    assert turned[0] == pytest.approx(alpha, rel=1e-9)
    assert turned[1] == pytest.approx(factor * right, rel=1e-9)
    assert turned[2] == pytest.approx(factor * left, rel=1e-9)


def test_a_side_without_samples_has_no_width_and_no_samples_have_no_shape(rng):
    alpha, left, right = fit_aggd(np.stack([np.abs(rng.normal(0, 3, 1000)), np.zeros(1000)]))
    assert left[0] == 0
    assert right[0] > 0
    assert EXPONENTS[0] <= alpha[0] <= EXPONENTS[1]
    assert np.isnan([alpha[1], left[1], right[1]]).all()


def test_contrast_is_that_of_a_loop_over_pixels(rng):
    luma = 255 * rng.random((9, 11))
    normalised, deviation = contrast(luma)
    weights = np.array([[np.exp(-(i**2 + j**2) / 2 / (7 / 6) ** 2) for j in range(-3, 4)] for i in range(-3, 4)])
    weights /= weights.sum()
    padded = np.pad(luma, 3, mode="edge")
    for i in range(9):
        for j in range(11):
            window = padded[i : i + 7, j : j + 7]
            mean = np.sum(weights * window)
            sigma = np.sqrt(np.sum(weights * (window - mean) ** 2))
            assert deviation[i, j] == pytest.approx(sigma, rel=1e-9)
            assert normalised[i, j] == pytest.approx((luma[i, j] - mean) / (sigma + 1), abs=1e-9)


def test_half_size_is_that_of_pillow_over_a_mirrored_border(rng):
    plane = 255 * rng.random((22, 36))
    padded = np.pad(plane, 8, mode="symmetric").astype(np.float32)
    expected = np.asarray(Image.fromarray(padded).resize((26, 19), Image.Resampling.BICUBIC))[4:-4, 4:-4]
    assert halved(plane) == pytest.approx(expected, abs=1e-3)


def test_features_are_those_of_each_patch_at_both_sizes(rng):
    luma = 255 * rng.random((2 * PATCH, 3 * PATCH)) ** 2
    features, sharpness = patch_features(luma)
    assert features.shape == (6, 36)
    assert len(FEATURES) == len(set(FEATURES)) == 36
    planes = {"full": contrast(luma)[0], "half": contrast(halved(luma))[0]}
    for patch in (0, 2, 4):
        row, column = divmod(patch, 3)
        value = dict(zip(FEATURES, features[patch], strict=True))
        for size, side in (("full", 96), ("half", 48)):
            c = planes[size][row * side : (row + 1) * side, column * side : (column + 1) * side]
            alpha, left, right = (float(v[0]) for v in fit_aggd(c.reshape(1, -1)))
            assert value[f"{size} size, contrast: exponent"] == pytest.approx(alpha)
            assert value[f"{size} size, contrast: width"] == pytest.approx((left + right) / 2)
            for name, (down, across) in NEIGHBOURS.items():
                pairs = [
                    c[i, j] * c[i + down, j + across]
                    for i in range(side)
                    for j in range(side)
                    if i + down < side and 0 <= j + across < side
                ]
                alpha, left, right = (float(v[0]) for v in fit_aggd(np.array([pairs])))
                assert value[f"{size} size, {name}: exponent"] == pytest.approx(alpha)
                assert value[f"{size} size, {name}: left width"] == pytest.approx(left)
                assert value[f"{size} size, {name}: right width"] == pytest.approx(right)
        deviation = contrast(luma)[1][row * 96 : (row + 1) * 96, column * 96 : (column + 1) * 96]
        assert sharpness[patch] == pytest.approx(deviation.mean())


def test_the_mean_of_a_product_is_that_of_its_distribution():
    features, _ = patch_features(data.camera()[:192, 192:384].astype(np.float64))
    for row in features:
        value = dict(zip(FEATURES, row, strict=True))
        alpha = value["full size, down: exponent"]
        mass, moment = 0.0, 0.0
        for sign, side in ((-1, "left"), (1, "right")):
            beta = value[f"full size, down: {side} width"]
            mass += integrate.quad(lambda x: np.exp(-((x / beta) ** alpha)), 0, np.inf)[0]  # noqa: B023
            moment += sign * integrate.quad(lambda x: x * np.exp(-((x / beta) ** alpha)), 0, np.inf)[0]  # noqa: B023
        assert value["full size, down: mean"] == pytest.approx(moment / mass, rel=1e-3)


def test_a_transposed_picture_swaps_across_and_down():
    luma = data.camera()[:192, 192:384].astype(np.float64)
    features, turned = patch_features(luma)[0], patch_features(luma.T)[0]
    swap = {"across": "down", "down": "across"}
    order = [
        FEATURES.index(f"{size}, {swap.get(name, name)}: {what}")
        for size, rest in (feature.split(", ") for feature in FEATURES)
        for name, what in (rest.split(": "),)
    ]
    # Patches, too, are counted down columns then.
    assert turned[[0, 2, 1, 3]] == pytest.approx(features[:, order], rel=1e-6, abs=1e-9)
    assert not np.allclose(turned[[0, 2, 1, 3]], features, rtol=1e-2)


def test_what_remains_beside_whole_patches_is_cut_off(rng):
    image = grain(rng, 2 * PATCH + 95, 3 * PATCH + 95)
    assert niqe(image) == niqe(image[: 2 * PATCH, : 3 * PATCH])
    assert niqe(image) != niqe(image[PATCH:, PATCH:])


def test_flat_patches_do_not_count(rng):
    image = np.full((2 * PATCH, 5 * PATCH), 128, np.uint8)
    image[:, : 2 * PATCH] = grain(rng, 2 * PATCH, 2 * PATCH)
    # The window brings contrast into the first column of flat patches, and into no further one.
    assert len(patch_features(image.astype(np.float64))[0]) == 6
    assert niqe(image) == pytest.approx(niqe(image[:, : 3 * PATCH]), rel=1e-9)


def test_an_even_slope_is_flat():
    slope = np.tile(np.linspace(0, 255, 4 * PATCH), (PATCH, 1))
    # It has contrast only in the outer patches, where the border repeats.
    assert len(patch_features(slope)[0]) == 2


def test_a_patch_with_an_edge_just_beyond_it_is_left_out():
    image = np.zeros((PATCH, 2 * PATCH))
    image[:, PATCH + 2 :] = 255
    # Only the last column of the first patch has contrast, so that products across are all 0.
    assert np.sqrt(np.mean(contrast(image)[0][:, :PATCH] ** 2)) > LEAST_CONTRAST
    features, sharpness = patch_features(image)
    assert len(features) == len(sharpness) == 1
    assert np.isfinite(features).all()


def test_fitted_are_the_sharp_patches_alone(rng):
    image = np.full((2 * PATCH, 4 * PATCH), 128, np.uint8)
    image[:, : 2 * PATCH] = grain(rng, 2 * PATCH, 2 * PATCH)
    faint = image.copy()
    faint[:, 2 * PATCH :] += rng.integers(0, 40, (2 * PATCH, 2 * PATCH), dtype=np.uint8)
    features, _ = patch_features(faint.astype(np.float64))
    assert len(features) == 8
    assert sharp_features(faint) == pytest.approx(features[[0, 1, 4, 5]], rel=1e-4)


def test_the_fit_is_mean_and_covariance_over_all_pictures(rng):
    images = [grain(rng, 4 * PATCH, 5 * PATCH) for _ in range(2)]
    model = fit(iter(images))
    features = np.concatenate([sharp_features(image) for image in images])
    assert len(features) == 40
    assert model.mean == pytest.approx(features.mean(axis=0))
    centred = features - features.mean(axis=0)
    assert model.covariance == pytest.approx(centred.T @ centred / 39)
    assert niqe(images[0], model=model) < niqe(data.camera(), model=model)


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


def test_the_shipped_model_is_at_distance_0_from_itself():
    assert NiqeModel.load().distance(NiqeModel.load()) == 0


def test_a_picture_is_at_distance_0_from_its_own_model():
    image = data.camera()
    own = NiqeModel.of(patch_features(image.astype(np.float64))[0])
    assert niqe(image, model=own) == pytest.approx(0, abs=1e-2)
    assert niqe(image) > 1


def test_dtypes_libraries_and_channels_agree(xp):
    image = data.astronaut()[:192, :300]
    expected = niqe(image)
    assert isinstance(niqe(xp.asarray(image)), float)
    assert niqe(xp.asarray(image)) == pytest.approx(expected, rel=1e-6)
    assert niqe(image / 255.0) == pytest.approx(expected, rel=1e-4)
    assert niqe(image.astype(np.uint16) * np.uint16(257)) == pytest.approx(expected, rel=1e-4)
    assert niqe(np.dstack([image, image[..., 0]])) == pytest.approx(expected, rel=1e-9)


def test_grey_counts_as_three_equal_channels():
    grey = data.camera()[:192, :300]
    assert niqe(np.dstack([grey] * 3)) == pytest.approx(niqe(grey), rel=1e-4)
    assert niqe(grey[..., None]) == niqe(grey)


@pytest.mark.parametrize("photograph", [data.astronaut, data.chelsea, data.coffee])
@pytest.mark.parametrize(
    "steps",
    [
        ("clean", "blur 1", "blur 2"),
        ("clean", "noise 5", "noise 10", "noise 25"),
        ("clean", "JPEG 60", "JPEG 30", "JPEG 10"),
        ("clean", "heavy rain"),
    ],
)
def test_the_score_rises_with_what_spoils_a_photograph(photograph, steps):
    clean = photograph()[:288, :384]
    scores = [niqe(SPOILED[step](clean, np.random.default_rng(1))) for step in steps]
    assert scores == sorted(scores)
    assert scores[-1] > scores[0] + 1


@pytest.mark.parametrize("shape", [(95, 300), (300, 95), (1, 1), (95, 96, 3)])
def test_pictures_smaller_than_a_patch_have_no_score(shape):
    message = rf"`image` must be at least 96 x 96 pixels for NIQE, got {shape[0]} x {shape[1]}"
    for function in (niqe, sharp_features):
        with pytest.raises(ValueError, match=message):
            function(np.zeros(shape))


def test_pictures_of_too_few_patches_have_no_score(rng):
    with pytest.raises(ValueError, match=r"at least 2 patches .* got 0 in shape \(300, 400, 3\); use a larger picture"):
        niqe(np.full((300, 400, 3), 0.4))
    with pytest.raises(ValueError, match=r"got 1 in shape \(191, 191\)"):
        niqe(grain(rng, 191, 191))
    assert niqe(grain(rng, 191, 192)) > 0


def test_bad_input_is_refused():
    image = np.zeros((100, 200, 3))
    with pytest.raises(ValueError, match="finite"):
        niqe(image * np.nan)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        niqe(image + 100)
    with pytest.raises(TypeError, match="uint8, uint16 or floating point"):
        niqe(image.astype(int))


def test_a_model_needs_more_patches_than_features(rng):
    with pytest.raises(ValueError, match=r"more than 36 sharp patches, got 36 in 1; add pictures"):
        fit([grain(rng, 6 * PATCH, 6 * PATCH)])
    with pytest.raises(ValueError, match=r"got 0 in 0"):
        fit([])
    with pytest.raises(ValueError, match=r"got 0 in 1"):
        fit([np.zeros((200, 200))])


def test_models_are_checked_and_cannot_be_changed():
    mean, covariance = np.zeros(36), np.eye(36)
    with pytest.raises(ValueError, match=r"`mean` must have shape \(36,\), got \(35,\)"):
        NiqeModel(mean[:35], covariance)
    with pytest.raises(ValueError, match=r"`covariance` must have shape \(36, 36\), got \(36,\)"):
        NiqeModel(mean, mean)
    with pytest.raises(ValueError, match="`mean` must be finite"):
        NiqeModel(mean * np.nan, covariance)
    with pytest.raises(ValueError, match="`covariance` must be symmetric"):
        NiqeModel(mean, np.triu(np.ones((36, 36))))
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


def test_the_shipped_model_is_what_the_fit_writes():
    path = rainopt.metrics.niqe._SHIPPED
    text = path.read_text(encoding="utf-8")
    content = json.loads(text)
    model = NiqeModel.load()
    assert text == model_text(model, content["patches"], [Source(**source) for source in content["sources"]])
    assert content["pictures"] == len(content["sources"]) > 0
    assert content["patches"] > 10 * len(FEATURES)
    # A distance needs every direction.
    assert np.linalg.eigvalsh(model.covariance).min() > 1e-6
    assert NiqeModel.load() is model


def test_the_shipped_model_is_of_free_pictures():
    content = json.loads(rainopt.metrics.niqe._SHIPPED.read_text(encoding="utf-8"))
    for source in content["sources"]:
        assert source["licence"].startswith(("CC0", "public domain"))


def test_only_free_pictures_are_fitted_and_photographs_are_not_torn_apart(tmp_path):
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


def test_the_command_says_what_it_needs(tmp_path, capsys):
    with pytest.raises(SystemExit):
        niqe_fit.main(["--data", str(tmp_path)])
    assert "--data must hold SOURCES.tsv" in capsys.readouterr().err
