"""One pair of images: each fault provoked, and none found in pairs that are good."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from data_tools import RainSpec, add_rain
from data_tools.layouts.read import Pair
from data_tools.verify.pair_checks import check_pair
from rainopt.io import write_image

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "camera", "brick", "gravel", "moon", "page")
PRESETS = ("light", "medium", "heavy", "multi")
SHIFTS = ((1, 0), (0, 1), (-1, 1), (7, -5))


def photograph(name, shift=(0, 0)):
    top, left = 8 + shift[0], 8 + shift[1]
    return np.ascontiguousarray(getattr(data, name)()[top : top + 160, left : left + 320])


def rainy_of(clean, preset="medium", seed=0):
    rng = np.random.default_rng(seed)
    return np.rint(add_rain(clean, RainSpec.sample(preset, rng), rng).rainy * 255).astype(np.uint8)


def as_jpeg(image, quality=85):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.fixture
def check(tmp_path):
    """Write a pair and return the kinds of what is wrong with it."""

    def kinds(rainy, clean):
        paths = []
        for name, image in (("rainy", rainy), ("clean", clean)):
            path = tmp_path / f"{name}.png"
            if isinstance(image, bytes):
                path.write_bytes(image)
            elif image is not None:
                write_image(path, image)
            paths.append(path)
        return {finding.kind for finding in check_pair(Pair(*paths, "scene", None, "one")).findings}

    return kinds


# Good pairs


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_rain_in_its_place_is_no_fault(check, name, preset):
    clean = photograph(name)
    rainy = rainy_of(clean, preset)
    assert check(rainy, clean) == set()
    assert check(as_jpeg(rainy), as_jpeg(clean)) == set()


def test_a_picture_without_rain_is_no_fault(check):
    assert check(photograph("coffee"), photograph("coffee")) == set()
    assert check(as_jpeg(photograph("coffee")), photograph("coffee")) == set()


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_another_exposure_is_no_fault(check, name):
    clean = photograph(name)
    for gain in (0.985, 1.05):
        assert check(np.clip(np.rint(clean * gain), 0, 255).astype(np.uint8), clean) == set()


def test_depths_and_channels_may_differ(check):
    clean = photograph("camera")
    rainy = rainy_of(clean)
    assert check(rainy.astype(np.uint16) * 257, clean) == set()
    assert check(np.repeat(rainy[..., None], 3, axis=2), clean) == set()


@pytest.mark.parametrize("size", [(1, 40), (15, 15), (40, 1)])
def test_pictures_too_small_to_be_aligned(check, size):
    clean = photograph("camera")[: size[0], : size[1]]
    assert check(np.maximum(clean, 30), clean) <= {"range"}


# Misaligned pairs


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_pixel_of_shift_is_found_below_any_rain(check, name, preset):
    rainy = rainy_of(photograph(name), preset)
    for shift in SHIFTS:
        assert check(rainy, photograph(name, shift)) == {"misaligned"}, shift
    assert check(as_jpeg(rainy), photograph(name, (1, 1))) == {"misaligned"}


@pytest.mark.parametrize(("shift", "said"), [((2, -3), "+2 rows and -3 columns"), ((0, 1), "+0 rows and +1 columns")])
def test_the_message_tells_the_way_back(tmp_path, shift, said):
    # What lies at (i, j) in the rainy picture lies at (i, j) + shift in the clean one.
    write_image(tmp_path / "rainy.png", rainy_of(photograph("coffee")))
    write_image(tmp_path / "clean.png", photograph("coffee", (-shift[0], -shift[1])))
    pair = Pair(tmp_path / "rainy.png", tmp_path / "clean.png", "scene", None, "one")
    (finding,) = check_pair(pair).findings
    assert finding.where == "one"
    assert said in finding.message


# Exchanged pairs


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_rainy_and_clean_exchanged(check, name, preset):
    clean = photograph(name)
    rainy = rainy_of(clean, preset)
    assert check(clean, rainy) == {"swapped"}
    assert check(as_jpeg(clean), as_jpeg(rainy)) == {"swapped"}


# Files, sizes and ranges


def test_a_missing_and_a_corrupt_file(check, tmp_path):
    clean = photograph("camera")
    assert check(None, clean) == {"missing"}
    whole = (tmp_path / "clean.png").read_bytes()
    assert check(whole[: len(whole) // 2], clean) == {"corrupt"}
    assert check(b"", clean) == {"corrupt"}
    assert check(b"This is no picture.", clean) == {"corrupt"}
    assert check(rainy_of(clean), whole[:-30]) == {"corrupt"}


def test_sizes_that_differ(tmp_path):
    write_image(tmp_path / "rainy.png", photograph("camera")[:-1])
    write_image(tmp_path / "clean.png", photograph("camera"))
    checked = check_pair(Pair(tmp_path / "rainy.png", tmp_path / "clean.png", "scene", None, "one"))
    (finding,) = checked.findings
    assert (finding.kind, finding.message) == ("size", "rainy is 159 x 320 and clean 160 x 320 pixels")
    assert checked.size == (160, 320)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.rint(photograph("camera") / 255).astype(np.uint8), "0 and 1 only"),
        (photograph("camera").astype(np.uint16), "8-bit levels were written as 16-bit"),
        (np.zeros((160, 320), np.uint8), "is 0 everywhere"),
        (np.full((160, 320, 3), 65535, np.uint16), "is 65535 everywhere"),
    ],
)
@pytest.mark.parametrize("kind", ["rainy", "clean"])
def test_ranges_that_are_wrong(tmp_path, wrong, said, kind):
    images = {"rainy": rainy_of(photograph("camera")), "clean": photograph("camera")} | {kind: wrong}
    for name, image in images.items():
        write_image(tmp_path / f"{name}.png", image)
    findings = check_pair(Pair(tmp_path / "rainy.png", tmp_path / "clean.png", "scene", None, "one")).findings
    (finding,) = (finding for finding in findings if finding.kind == "range")
    assert finding.message.startswith(f"the {kind} image ")
    assert said in finding.message


# Fingerprints


def fingerprint(tmp_path, image):
    write_image(tmp_path / "x.png", image)
    return check_pair(Pair(tmp_path / "x.png", None, "scene", None, "one")).fingerprint


def test_fingerprints_keep_their_likeness_and_tell_pictures_apart(tmp_path):
    prints = {name: fingerprint(tmp_path, photograph(name)) for name in PHOTOGRAPHS}
    for name in PHOTOGRAPHS:
        for changed in (as_jpeg(photograph(name), 60), np.clip(photograph(name) * 1.03 + 2, 0, 255).astype(np.uint8)):
            assert (fingerprint(tmp_path, changed) ^ prints[name]).bit_count() <= 4, name
    for name, other in ((a, b) for a in PHOTOGRAPHS for b in PHOTOGRAPHS if a < b):
        assert (prints[name] ^ prints[other]).bit_count() > 8, (name, other)


def test_a_picture_that_shows_nothing_has_no_fingerprint(tmp_path):
    assert fingerprint(tmp_path, np.full((40, 40), 7, np.uint8)) is None
    assert Path(tmp_path / "x.png").exists()
