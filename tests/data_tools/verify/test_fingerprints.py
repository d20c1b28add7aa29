"""Fingerprints of pictures: near for one picture, far for others, and every near pair found."""

import numpy as np

from data_tools.verify.fingerprints import NEAR, fingerprint, near_pairs
from rainopt.image import luminance, split_channels
from tests.support.datasets import as_jpeg, photograph

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "camera", "brick", "gravel", "moon", "page")


def print_of(image):
    return fingerprint(luminance(split_channels(image).colour))


def test_fingerprints_keep_their_likeness_and_tell_pictures_apart():
    pictures = {name: photograph(name, (8, 8), (160, 320)) for name in PHOTOGRAPHS}
    prints = {name: print_of(picture) for name, picture in pictures.items()}
    for name, picture in pictures.items():
        for changed in (as_jpeg(picture, 60), np.clip(picture * 1.03 + 2, 0, 255).astype(np.uint8)):
            assert (print_of(changed) ^ prints[name]).bit_count() <= NEAR, name
    for name, other in ((a, b) for a in PHOTOGRAPHS for b in PHOTOGRAPHS if a < b):
        assert (prints[name] ^ prints[other]).bit_count() > 8, (name, other)


def test_a_picture_that_shows_nothing_has_no_fingerprint():
    assert fingerprint(np.full((40, 40), 7 / 255)) is None


def test_near_pairs_are_those_that_comparing_all_finds_each_once():
    rng = np.random.default_rng(0)
    prints = []
    for k in range(150):
        value = int.from_bytes(rng.bytes(8), "big")
        off = sum(1 << int(bit) for bit in rng.choice(64, k % 7, replace=False))
        prints += [((k, 0), value), ((k, 1), value ^ off)]
    rng.shuffle(prints)
    prints = [((int(a), int(b)), int(value)) for (a, b), value in prints]
    expected = [
        (earlier, later, (one ^ other).bit_count())
        for j, (later, other) in enumerate(prints)
        for earlier, one in prints[:j]
        if (one ^ other).bit_count() <= NEAR
    ]
    assert len(expected) > 90
    assert sorted(near_pairs(prints)) == sorted(expected)
