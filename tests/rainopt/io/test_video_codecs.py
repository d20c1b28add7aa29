"""Other codecs than the usual ones: every frame at its time, in parts too, or a refusal that says why."""

from fractions import Fraction

import av
import numpy as np
import pytest

from rainopt.io.video import codecs
from rainopt.io.video.codecs import available, encoder_of, is_hardware
from rainopt.io.video.common import VideoError
from rainopt.io.video.join import join_parts, part_suffix
from rainopt.io.video.read import open_video, read_frames
from rainopt.io.video.trial import require_codec
from rainopt.io.video.write import VideoWriter
from tests.support.clips import blocks
from tests.support.stretches import times_of

NAMES = {"h264": "h264", "hevc": "hevc", "av1": "av1", "vp9": "vp9", "prores": "prores", "ffv1": "ffv1"}
CODED = [
    (name, suffix, bits)
    for name in NAMES
    for suffix in (".mkv", ".mov" if name in ("hevc", "prores") else ".mp4")
    for bits in (8, 16)
    if (name, bits) != ("vp9", 16)  # PyAV's build has 8 bits only
]


def grey(count):
    return [frame[..., :1].repeat(3, axis=-1) for frame in blocks(count, (64, 96))]


@pytest.mark.parametrize(("codec", "suffix", "bits"), CODED)
def test_parts_become_a_video_of_the_codec(tmp_path, codec, suffix, bits):
    frames = [frame.astype(f"uint{bits}") << (bits - 8) for frame in grey(14)]
    times = [Fraction(3 + k + (k > 4), 25) for k in range(14)]
    parts = [tmp_path / f"{first}{part_suffix('a.mp4', codec)}" for first in (0, 9)]
    options = {"height": 64, "width": 96, "rate": Fraction(25), "time_base": Fraction(1, 25)}
    for part, pieces in zip(parts, (slice(0, 9), slice(9, 14)), strict=True):
        with VideoWriter(part, **options, bits=bits, codec=codec, quality=4) as writer:
            for frame, time in zip(frames[pieces], times[pieces], strict=True):
                writer.write(frame, time)
    target = join_parts(parts, tmp_path / f"a{suffix}")
    with av.open(str(target)) as file:
        assert file.streams.video[0].codec_context.name in (NAMES[codec], f"lib{codec}", "libdav1d")
        if (codec, suffix) == ("hevc", ".mov"):
            assert file.streams.video[0].codec_context.codec_tag == "hvc1"
    got = read_frames(target)
    assert open_video(target).bits == (16 if codec == "prores" else bits)
    assert [time - times_of(target)[0] for time in times_of(target)] == [time - times[0] for time in times]
    scale = np.iinfo(got.dtype).max
    assert np.abs(got / scale - np.stack(frames) / np.iinfo(frames[0].dtype).max).mean() < 0.03


@pytest.mark.parametrize(
    ("codec", "suffix", "size", "told"),
    [
        ("prores", ".mp4", (64, 96), r"96 x 64 pixels cannot be coded as prores for .mp4 here \('mp4' format does not"),
        ("hevc", ".webm", (64, 96), "cannot be coded as hevc for .webm here"),
        ("av1", ".mkv", (65, 97), r"97 x 65 pixels .* \(the encoder libsvtav1 .* lacks yuv444p\)"),
        ("h265", ".mkv", (64, 96), "'h265' is no codec of this build of FFmpeg, which has h264, hevc, av1, vp9"),
    ],
)
def test_what_cannot_be_coded_is_told_beforehand(codec, suffix, size, told):
    with pytest.raises(VideoError, match=told):
        require_codec(codec, suffix, size)


def test_hardware_that_is_not_there_is_refused_at_once(monkeypatch):
    there = [codec for codec in available() if is_hardware(codec)]
    for codec in there:
        assert encoder_of(codec).name == codec
        assert all(isinstance(value, str) for value in encoder_of(codec).options(18).values())
    with pytest.raises(VideoError, match="is no codec of this build"):
        encoder_of("h264_nothing")
    # An encoder that opens nowhere, as one of hardware does where there is none.
    broken = codecs.Encoder("libx264", lambda quality: {"profile": "none"})
    monkeypatch.setitem(codecs.SOFTWARE, "h264", broken)
    monkeypatch.setattr("rainopt.io.video.trial.is_hardware", lambda codec: True)
    with pytest.raises(VideoError, match="the machine lacks it, or its driver; choose another --codec"):
        require_codec("h264")
