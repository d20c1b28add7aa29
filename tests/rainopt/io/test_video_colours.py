"""Levels of a stream become RGB by the matrix and the range that it names, or by those that are usual."""

from fractions import Fraction

import av
import numpy as np
import pytest

from rainopt.io.video.read import VideoError, open_video, read_frames
from tests.support.clips import coded

H, W = 48, 64
MATRICES = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
COLOURS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 0, 0), (0.5, 0.2, 0.8), (0.9, 0.7, 0.1)]


def flat_clip(path, values, pix, bits, shape=(H, W), **tags):
    """Write flat frames of given levels as they are."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *shape, pix
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for n, levels in enumerate(values):
            frame = av.VideoFrame(shape[1], shape[0], pix)
            for plane, level in zip(frame.planes, levels, strict=True):
                np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16)[:] = level
            frame.pts, frame.time_base = n, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def to_levels(rgb, matrix, bits, full):
    red, green, blue = rgb
    kr, kb = MATRICES[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    step, top = 2 ** (bits - 8), 2**bits - 1
    if full:
        levels = [top * luma, *(top * c + 128 * step for c in chroma)]
    else:
        levels = [(219 * luma + 16) * step, *((224 * c + 128) * step for c in chroma)]
    return [min(round(level), top) for level in levels]


def to_rgb(levels, matrix, bits, full):
    kr, kb = MATRICES[matrix]
    step, top = 2 ** (bits - 8), 2**bits - 1
    luma = levels[0] / top if full else (levels[0] / step - 16) / 219
    cb, cr = ((c - 128 * step) / top if full else (c / step - 128) / 224 for c in levels[1:])
    red, blue = luma + (2 - 2 * kr) * cr, luma + (2 - 2 * kb) * cb
    return np.clip([red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue], 0, 1)


@pytest.mark.parametrize(
    ("matrix", "mark", "full"),
    [("601", 5, True), ("601", 6, False), ("709", 1, False), ("709", 1, True), ("2020", 9, False)],
)
@pytest.mark.parametrize(
    ("pix", "bits"),
    [
        ("yuv420p", 8),
        ("yuv444p", 8),
        ("yuv420p10le", 10),
        ("yuv422p10le", 10),
        ("yuv444p10le", 10),
        ("yuv444p12le", 12),
    ],
)
def test_colours_follow_matrix_and_range(tmp_path, pix, bits, matrix, mark, full):
    values = [to_levels(colour, matrix, bits, full) for colour in COLOURS]
    path = flat_clip(tmp_path / "a.mkv", values, pix, bits, colorspace=mark, color_range=2 if full else 1)
    assert open_video(path).bits == (8 if bits == 8 else 16)
    got = read_frames(path)
    assert got.dtype == (np.uint8 if bits == 8 else np.uint16)
    top = np.iinfo(got.dtype).max
    for frame, levels in zip(got, values, strict=True):
        np.testing.assert_array_equal(frame, np.broadcast_to(frame[0, 0], frame.shape))
        assert np.abs(frame[0, 0] / top - to_rgb(levels, matrix, bits, full)).max() <= 0.75 / (2**bits - 1)
    assert got[3].min() == top  # white is white
    assert got[4].max() == 0


@pytest.mark.parametrize(("height", "matrix"), [(718, "601"), (720, "709")])
def test_unmarked_colours_go_by_the_height(tmp_path, height, matrix):
    values = [to_levels(colour, matrix, 8, False) for colour in COLOURS]
    got = read_frames(flat_clip(tmp_path / "a.mkv", values, "yuv420p", 8, shape=(height, 32)))
    want = [to_rgb(levels, matrix, 8, False) * 255 for levels in values]
    assert np.abs(got[:, 5, 5] - want).max() <= 0.75


@pytest.mark.parametrize(("pix", "bits"), [("gray", 8), ("gray10le", 10)])
def test_grey_is_full_range(tmp_path, pix, bits):
    top = 2**bits - 1
    got = read_frames(flat_clip(tmp_path / "a.mkv", [[0], [top // 2], [top]], pix, bits))
    assert got.shape == (3, H, W, 3)
    want = np.array([[0], [top // 2 / top], [1]])
    assert np.abs(got[:, 0, 0] / np.iinfo(got.dtype).max - want).max() < 0.5 / top


def test_chroma_is_interpolated(tmp_path):
    """Half-resolution chroma repeated in blocks would leave steps of two pixels."""
    ramp = np.zeros((H, W, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, W)
    got = read_frames(coded(tmp_path / "a.mp4", [ramp], options={"qp": "0"}))
    steps = np.diff(got[0, H // 2, 4:-4, 0].astype(int))
    assert steps.min() >= 2
    assert steps.max() <= 7


def test_a_matrix_that_is_not_known_is_refused(tmp_path):
    path = flat_clip(tmp_path / "a.mkv", [(50, 60, 70)], "yuv444p", 8, colorspace=8)
    with pytest.raises(VideoError, match=r"a\.mkv' stores its colours by matrix 8"):
        read_frames(path)
