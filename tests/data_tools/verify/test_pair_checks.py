"""One pair of images: each fault provoked, and none found in pairs that are good."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from data_tools.layouts.read import Pair
from data_tools.manifest.pictures import pictures_of
from data_tools.manifest.record import ManifestHeader, PairRecord
from data_tools.verify.pair_checks import check_pair
from rainopt.io import write_image
from tests.support.datasets import as_jpeg, photograph, rainy_of

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "camera", "brick", "gravel", "moon", "page")
PRESETS = ("light", "medium", "heavy", "multi")
SHIFTS = ((1, 0), (0, 1), (-1, 1), (7, -5))


@functools.cache
def picture(name, shift=(0, 0)):
    return photograph(name, (8 + shift[0], 8 + shift[1]), (160, 320))


@functools.cache
def rainy(name, preset="medium"):
    return rainy_of(picture(name), preset)


@pytest.fixture
def look(tmp_path):
    """Write a pair and return what is wrong with it."""

    def findings(rainy, clean):
        paths = []
        for name, image in (("rainy", rainy), ("clean", clean)):
            path = tmp_path / f"{name}.png"
            if isinstance(image, bytes):
                path.write_bytes(image)
            elif image is not None:
                write_image(path, image)
            paths.append(path)
        return check_pair(Pair(*paths, "scene", None, "one")).findings

    return findings


@pytest.fixture
def check(look):
    """Write a pair and return the kinds of what is wrong with it."""
    return lambda rainy, clean: {finding.kind for finding in look(rainy, clean)}


@pytest.mark.parametrize(("name", "preset"), list(zip(PHOTOGRAPHS * 2, PRESETS * 2 + PRESETS[::-1] * 2, strict=True)))
def test_rain_in_its_place_is_no_fault_but_exchanged_or_moved_by_a_pixel_it_is(check, name, preset):
    clean, wet = picture(name), rainy(name, preset)
    assert check(wet, clean) == set()
    assert check(as_jpeg(wet), as_jpeg(clean)) == set()
    assert check(clean, wet) == {"swapped"}
    assert check(as_jpeg(clean), as_jpeg(wet)) == {"swapped"}
    for shift in SHIFTS:
        assert check(wet, picture(name, shift)) == {"misaligned"}, shift
    assert check(as_jpeg(wet), picture(name, (1, 1))) == {"misaligned"}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_no_rain_and_another_exposure_are_no_fault(check, name):
    clean = picture(name)
    assert check(as_jpeg(clean), clean) == set()
    for gain in (0.985, 1, 1.05):
        assert check(np.clip(np.rint(clean * gain), 0, 255).astype(np.uint8), clean) == set()


def test_depths_and_channels_may_differ(check):
    clean, wet = picture("camera"), rainy("camera")
    assert check(wet.astype(np.uint16) * 257, clean) == set()
    assert check(np.repeat(wet[..., None], 3, axis=2), clean) == set()


@pytest.mark.parametrize("size", [(1, 40), (15, 15), (40, 1)])
def test_pictures_too_small_to_be_aligned(check, size):
    clean = picture("camera")[: size[0], : size[1]]
    assert check(np.maximum(clean, 30), clean) <= {"range"}


@pytest.mark.parametrize(("shift", "said"), [((2, -3), "+2 rows and -3 columns"), ((0, 1), "+0 rows and +1 columns")])
def test_the_message_tells_the_way_back(look, shift, said):
    # What lies at (i, j) in the rainy picture lies at (i, j) + shift in the clean one.
    (finding,) = look(rainy("coffee"), picture("coffee", (-shift[0], -shift[1])))
    assert finding.where == "one"
    assert said in finding.message


def test_what_may_not_be_trusted_is_not_looked_at(tmp_path):
    wet, valid = rainy("coffee").copy(), np.full((160, 320), 255, np.uint8)
    wet[20:150, 20:300], valid[20:150, 20:300] = 0, 0  # something dark in front of the background
    for name, image in (("rainy", wet), ("clean", picture("coffee")), ("valid", valid)):
        write_image(tmp_path / f"{name}.png", image)
    pair = Pair(tmp_path / "rainy.png", tmp_path / "clean.png", "scene", None, "one")
    assert {finding.kind for finding in check_pair(pair).findings} >= {"swapped"}
    record = {"id": "one", "clean": "clean.png"}
    for values in (
        record | {"rainy": "rainy.png", "valid": "valid.png"},
        record | {"frames": [{"rainy": "rainy.png", "valid": "valid.png"}]},
    ):
        (named,) = pictures_of(PairRecord.parse(values), ManifestHeader())
        masked = replace(pair, valid=tmp_path / named.valid)
        assert check_pair(masked, named, tmp_path).findings == ()
    # Also without a manifest, as of lists beside which masks lie.
    assert check_pair(masked).findings == ()


def test_a_missing_and_a_corrupt_file(check, tmp_path):
    clean = picture("camera")
    assert check(None, clean) == {"missing"}
    whole = (tmp_path / "clean.png").read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"This is no picture."):
        assert check(broken, clean) == {"corrupt"}
    assert check(rainy("camera"), whole[:-30]) == {"corrupt"}


def test_sizes_that_differ(look):
    (finding,) = look(picture("camera")[:-1], picture("camera"))
    assert (finding.kind, finding.message) == ("size", "rainy is 159 x 320 and clean 160 x 320 pixels")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.rint(picture("camera") / 255).astype(np.uint8), "0 and 1 only"),
        (picture("camera").astype(np.uint16), "8-bit levels were written as 16-bit"),
        (np.zeros((160, 320), np.uint8), "is 0 everywhere"),
        (np.full((160, 320, 3), 65535, np.uint16), "is 65535 everywhere"),
    ],
)
@pytest.mark.parametrize("kind", ["rainy", "clean"])
def test_ranges_that_are_wrong(look, wrong, said, kind):
    images = {"rainy": rainy("camera"), "clean": picture("camera")} | {kind: wrong}
    (finding,) = (finding for finding in look(**images) if finding.kind == "range")
    assert finding.message.startswith(f"the {kind} image ")
    assert said in finding.message
