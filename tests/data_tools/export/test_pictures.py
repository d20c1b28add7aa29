"""Pictures that nobody recorded: damaged ones are named and left out, and pairs in one image become two."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from rainopt.io import read_image_file
from tests.support.datasets import noise, put
from tests.support.exports import contents, members


@pytest.mark.parametrize("to", ["webdataset", "spa"])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_damaged_picture_of_a_plain_dataset_is_named_and_left_out(tmp_path, export, to, suffix):
    for number in range(3):
        for side, folder in enumerate(("rain", "norain")):
            put(tmp_path / "data" / folder / f"{number}.{suffix}", noise([number, side], (40, 60)))
    bad = tmp_path / "data" / "norain" / f"1.{suffix}"
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    done = export(tmp_path / "data", tmp_path / "out", to)
    assert done.pairs == 2
    (failure,) = done.failures
    assert failure.startswith(f"'rain/1': '{bad}' ")
    there = [*contents(tmp_path / "out"), *(member for _, member in members(tmp_path / "out"))]
    assert not any("rain__1" in name for name in there)


@pytest.mark.parametrize("to", ["webdataset", "spa"])
def test_halves_become_files_with_the_profile_of_the_whole(tmp_path, export, to):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    left, right = noise(1, (16, 20)), noise(2, (16, 20))
    (tmp_path / "data").mkdir()
    Image.fromarray(np.hstack([left, right])).save(tmp_path / "data" / "1.png", icc_profile=profile)
    done = export(tmp_path / "data", tmp_path / "out", to, layout="rainy-right")
    assert (done.pairs, done.failures) == (1, ())
    if to == "spa":
        found = {name.split("/")[1]: content for name, content in contents(tmp_path / "out").items() if "/" in name}
        sides = found["rain"], found["gt"]
    else:
        found = {member: content for (_, member), content in members(tmp_path / "out").items()}
        sides = found["1.rainy.png"], found["1.clean.png"]
    for content, half in zip(sides, (right, left), strict=True):
        (tmp_path / "half.png").write_bytes(content)
        picture = read_image_file(tmp_path / "half.png")
        assert np.array_equal(picture.pixels, half)
        assert picture.metadata.icc == profile
        assert Image.open(io.BytesIO(content)).format == "PNG"
    before = contents(tmp_path / "out")
    assert export(tmp_path / "data", tmp_path / "out", to, layout="rainy-right").kept == (to == "webdataset")
    assert contents(tmp_path / "out") == before
