"""The rainy pictures of a manifest: those of records, and frames of sequences with what their record says."""

import pytest

from data_tools.manifest.pictures import pictures_of
from data_tools.manifest.record import ManifestHeader, PairFrame, PairRecord

HEADER = ManifestHeader(licence="CC-BY")


def pictures(**fields):
    return list(pictures_of(PairRecord(id="clip", **fields), HEADER))


def test_a_record_is_a_picture_with_all_that_it_says():
    fields = {"rainy": "r.png", "clean": "c.png", "rain": "l.png", "mask": "m.png", "split": "val", "source": "a film"}
    sums = {"v.png": "0" * 64}
    (picture,) = pictures(**fields, licence="CC0", angle=7, spec={"a": 1}, checksums=sums, valid="v.png")
    assert {name: getattr(picture, name) for name in fields} == fields
    assert (picture.name, picture.valid, picture.licence, picture.angle) == ("clip", "v.png", "CC0", 7)
    assert (picture.spec, picture.checksums) == ({"a": 1}, sums)
    assert picture.paths == ("r.png", "c.png", "l.png", "m.png", "v.png")


@pytest.mark.parametrize(
    ("fields", "scene"),
    [({"scene": "street", "clean": "c.png"}, "street"), ({"clean": "c.png"}, "c.png"), ({}, "r.png")],
)
def test_a_scene_is_what_is_said_or_the_clean_picture_or_the_rainy_one(fields, scene):
    (picture,) = pictures(rainy="r.png", **fields)
    assert picture.scene == scene
    assert picture.licence == "CC-BY"


def test_frames_have_what_their_record_has_unless_they_have_their_own():
    frames = [
        PairFrame(rainy="0.png", mask="mask.png"),
        PairFrame(rainy="1.png", clean="own.png", valid="own_valid.png"),
        PairFrame(rainy="2.png", clean="own.png"),
    ]
    found = pictures(clean="clean.png", frames=frames, angle=7, valid="valid.png", rain="rain.png")
    assert [(one.name, one.rainy, one.clean, one.mask, one.valid) for one in found] == [
        ("clip/0", "0.png", "clean.png", "mask.png", "valid.png"),
        ("clip/1", "1.png", "own.png", None, "own_valid.png"),
        # The record's valid pixels are those of the record's clean picture.
        ("clip/2", "2.png", "own.png", None, None),
    ]
    assert {one.scene for one in found} == {"clean.png", "own.png"}
    assert {(one.angle, one.rain) for one in found} == {(7, None)}
    assert found[1].paths == ("1.png", "own.png")
