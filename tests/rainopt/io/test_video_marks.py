"""What a source says of its pictures is written with the result: colours, range, sampling, fields, HDR data."""

import re
from fractions import Fraction

import av
import numpy as np
import pytest

from rainopt.io.video.choices import picture_choices
from rainopt.io.video.colour import first_field
from rainopt.io.video.marks import Marks, _mastering
from rainopt.io.video.read import open_video, read_frames
from rainopt.io.video.write import VideoWriter
from tests.support.clips import blocks, coded, save

H, W = 48, 64
UNSPECIFIED = (2, 2, 2)
PQ, HLG, BT2020, P3 = (9, 16, 9), (9, 18, 9), (9, 14, 9), (12, 1, 1)


def marks_of(path):
    """Primaries, transfer, matrix and range, as an independent reader sees them."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range


def clip(path, codec="libx264", pix="yuv420p", marks=UNSPECIFIED, full=False, **options):
    primaries, transfer, matrix = marks
    said = {"color_primaries": primaries, "color_trc": transfer, "colorspace": matrix}
    return coded(path, [picture()] * 3, codec, pix, **said, color_range=2 if full else 1, **options)


def picture():
    """Slow ramps of all colours."""
    y, x = np.mgrid[:H, :W]
    return np.stack([255 * x / W, 255 * y / H, 255 * (1 - x / W)], axis=-1).round().astype(np.uint8)


def again(source, target, codec=None):
    """Write the frames of a video as they are."""
    video = open_video(source)
    options = {"height": video.height, "width": video.width, "rate": video.rate, "bits": video.bits, "codec": codec}
    with VideoWriter(target, **options, quality=2, marks=video.marks) as writer:
        for frame in video.frames():
            writer.write(frame.pixels, frame.time)
    return video


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".nut", ".webm"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("marks", [PQ, HLG, BT2020, P3, (1, 13, 6), (5, 6, 5), (9, 2, 9)])
def test_colour_description_and_range_are_kept(tmp_path, suffix, marks, full):
    deep = suffix != ".webm"
    source = clip(
        tmp_path / "a.mkv", "libx265" if deep else "libx264", "yuv420p10le" if deep else "yuv420p", marks, full
    )
    video = again(source, tmp_path / f"b{suffix}")
    assert marks_of(tmp_path / f"b{suffix}") == marks_of(source) == (*marks, 2 if full else 1)
    assert open_video(tmp_path / f"b{suffix}").bits == video.bits == (16 if deep else 8)
    assert picture_choices(video, tmp_path / f"b{suffix}") is None
    # By the matrix and the range that are marked, the colours are the same.
    levels = [read_frames(path).astype(float) / (257 if deep else 1) for path in (source, tmp_path / f"b{suffix}")]
    assert np.abs(levels[0] - levels[1]).mean() < (1 if deep else 2)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("pix", "bits"), [("yuv444p", 8), ("yuv444p10le", 10)])
def test_levels_come_back_where_they_were(tmp_path, pix, bits, full):
    """No level of brightness is gained or lost on the way to RGB and back; white is white in ten bits, too."""
    source = clip(tmp_path / "a.mkv", "ffv1", pix, BT2020, full, options={})
    again(source, tmp_path / "b.mkv")
    luma = []
    for path in (source, tmp_path / "b.mkv"):
        with av.open(str(path)) as opened:
            frame = next(opened.decode(video=0))
        assert frame.format.name.replace("j", "") == pix
        plane = np.frombuffer(frame.planes[0], np.uint8 if bits == 8 else np.uint16)
        luma.append(plane.reshape(H, -1)[:, :W].astype(int))
    assert abs((luma[0] - luma[1]).mean()) < 0.25
    assert np.abs(luma[0] - luma[1]).mean() < 1


def test_unmarked_sources_are_marked_as_is_customary(tmp_path):
    again(clip(tmp_path / "a.mkv"), tmp_path / "b.mp4")
    assert marks_of(tmp_path / "b.mp4") == (6, 6, 6, 1)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", None), (".mkv", None), (".mp4", "hevc"), (".mkv", "av1"), (".mov", "prores")]
)
def test_mastering_display_and_light_are_kept_or_told(tmp_path, suffix, codec):
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    said = {"x265-params": f"log-level=none:hdr10=1:master-display={display}:max-cll=1000,400"}
    source = clip(tmp_path / "a.mp4", "libx265", "yuv420p10le", PQ, options=said)
    target = tmp_path / f"b{suffix}"
    video = again(source, target, codec)
    assert marks_of(target) == marks_of(source) == (*PQ, 1)
    assert (video.marks.mastering, video.marks.light) == (display, "1000,400")
    told = picture_choices(video, target)
    if codec == "prores":
        assert "without the data of the display that they were made on and the light level of their content" in told
    else:
        marks = open_video(target).marks
        assert _numbers(marks.mastering) == pytest.approx(_numbers(display), abs=2)  # AV1 counts more finely
        assert marks.light == "1000,400"
        assert told is None


def _numbers(mastering):
    return [int(number) for number in re.findall(r"\d+", mastering)]


@pytest.mark.parametrize(
    ("pix", "codec", "chroma"),
    [
        ("yuv420p", "ffv1", "420"),
        ("yuv422p", "ffv1", "422"),
        ("yuv444p", "ffv1", "444"),
        ("yuv422p10le", "ffv1", "422"),
        ("yuvj422p", "mjpeg", "422"),
        ("yuv411p", "ffv1", "422"),  # a quarter of the columns: the least that holds it
        ("yuv440p", "ffv1", "444"),
        ("yuv410p", "ffv1", "420"),
        ("bgr0", "ffv1", "444"),
        ("gray", "ffv1", "420"),
    ],
)
def test_colour_is_sampled_as_finely_as_in_the_source(tmp_path, pix, codec, chroma):
    source = clip(tmp_path / "a.mkv", codec, pix, full=codec == "mjpeg", options={})
    for suffix in (".mp4", ".webm") if "10" not in pix else (".mp4",):
        video = again(source, tmp_path / f"b{suffix}")
        with av.open(str(tmp_path / f"b{suffix}")) as written:
            assert written.streams.video[0].pix_fmt.replace("j", "").startswith(f"yuv{chroma}p")
        assert picture_choices(video, tmp_path / f"b{suffix}") is None


def interlaced(path, codec, order, pix="yuv420p", size=(H, W), **options):
    """A clip of interlaced frames, as other programs write them."""
    height, width = size
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=pix, time_base=Fraction(1, 25))
    mark, sink = graph.add("setfield", order), graph.add("buffersink")
    source.link_to(mark)
    mark.link_to(sink)
    graph.configure()
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pix
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 50 * number, np.uint8), "rgb24")
            frame = frame.reformat(format=pix)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.push(frame)
            output.mux(stream.encode(graph.pull()))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mpg", "mpeg2video", {"flags": "+ildct+ilme"}),
        ("a.mp4", "libx264", {"flags": "+ildct+ilme"}),
        ("a.avi", "mpeg4", {"flags": "+ildct+ilme"}),
        ("a.avi", "dvvideo", {"size": (576, 720)}),
        ("a.mov", "prores_ks", {"pix": "yuv422p10le", "flags": "+ildct"}),
        ("a.mkv", "ffv1", {}),
    ],
)
def test_the_order_of_fields_is_kept(tmp_path, order, name, codec, options):
    source = interlaced(tmp_path / name, codec, order, **options)
    for suffix, chosen in ((".mp4", None), (".mov", "prores"), (".mkv", "ffv1")):
        video, target = again(source, tmp_path / f"b{suffix}", chosen), tmp_path / f"b{suffix}"
        assert video.marks.fields == order
        with av.open(str(target)) as written:
            stream = written.streams.video[0]
            assert {first_field(frame) for frame in written.decode(stream)} == {order}
            if chosen is None:
                assert stream.codec_context.field_order == {"tff": 2, "bff": 3}[order]
        assert "interlaced" not in (picture_choices(video, target) or "")


def test_vp9_knows_whole_pictures_only(tmp_path):
    video = again(interlaced(tmp_path / "a.mkv", "ffv1", "tff"), tmp_path / "b.webm")
    assert "without the mark that they are interlaced" in picture_choices(video, tmp_path / "b.webm")


@pytest.mark.parametrize("bits", [8, 16])
def test_fields_have_colours_of_their_own(tmp_path, bits):
    """Where something moves, the colours of one field are not those of the other."""
    frame = np.full((H, W, 3), 128, np.uint8)
    frame[0::2, 8:28], frame[1::2, 28:48] = (220, 40, 40), (220, 40, 40)
    frames = [frame if bits == 8 else frame.astype(np.uint16) * 257] * 2
    path = save(tmp_path / "a.mp4", frames, bits=bits, quality=2, marks=Marks(fields="tff"))
    assert np.abs(read_frames(path)[1] / (1 if bits == 8 else 257) - frame).mean() < 2.5
    mixed = read_frames(save(tmp_path / "b.mp4", frames, bits=bits, quality=2))[1]
    assert np.abs(mixed / (1 if bits == 8 else 257) - frame).mean() > 10


@pytest.mark.parametrize(
    ("height", "chroma", "bits", "kept"),
    [(48, "420", 16, True), (46, "420", 8, False), (46, "422", 8, True), (47, "420", 8, False), (46, "444", 16, True)],
)
def test_fields_that_cannot_be_stored_end_nothing(tmp_path, height, chroma, bits, kept):
    """Rows of colour of a field must be a whole number, as those of 486 rows of 4:2:0 are not."""
    frames = [np.zeros((height, W, 3), np.uint8 if bits == 8 else np.uint16)] * 2
    path = save(tmp_path / "a.mp4", frames, bits=bits, marks=Marks(fields="tff", chroma=chroma))
    assert (open_video(path).marks.fields == "tff") == kept


@pytest.mark.parametrize(
    ("pix", "codec", "size", "told"),
    [
        ("yuva444p", "ffv1", (H, W), "without transparency"),
        ("bgra", "ffv1", (H, W), "without transparency"),
        ("yuv420p12le", "ffv1", (H, W), "with 10 bits of 12"),
        ("yuva444p12le", "ffv1", (H, W), "without transparency and with 10 bits of 12"),
        ("yuv420p", "ffv1", (H - 1, W), "with colour of 4:4:4, since sides are odd, which not every player shows"),
    ],
)
def test_what_is_chosen_otherwise_is_told(tmp_path, pix, codec, size, told):
    source = coded(
        tmp_path / "a.mkv", blocks(3, (H, W)) if size == (H, W) else [picture()[:-1]] * 3, codec, pix, options={}
    )
    video = again(source, tmp_path / "b.mp4")
    target = tmp_path / "b.mp4"
    assert picture_choices(video, target) == f"'{target}' holds the pictures of '{source}' {told}"


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ([1, 50_000] * 8 + [1, 10_000, 1000, 1], "G(1,1)B(1,1)R(1,1)WP(1,1)L(10000000,1)"),
        ([70_000, 50_000] * 8 + [1, 10_000, 1000, 1], None),  # outside of what colours there are
        ([1, 50_000] * 8 + [1, 1, 1, 1], None),  # no light between black and white
        ([1, 0] * 10, None),
    ],
)
def test_a_mastering_display_that_no_encoder_takes_is_none(numbers, written):
    assert _mastering(np.array([*numbers, 1, 1], np.int32).tobytes()) == written


def test_captions_within_pictures_are_told(tmp_path):
    source = clip(tmp_path / "a.mkv")
    video = again(source, tmp_path / "b.mp4")
    video._source.beside.update({"A53_CC", "SEI_UNREGISTERED"})
    assert "without closed captions within the pictures" in picture_choices(video, tmp_path / "b.mp4")


def test_marks_of_a_writer_are_those_of_plain_video_by_default(tmp_path):
    frames = [picture()] * 2
    save(tmp_path / "a.mp4", frames)
    save(tmp_path / "b.mp4", frames, marks=Marks(), rate=Fraction(25))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize(("suffix", "bits"), [(".mp4", 8), (".mp4", 16), (".webm", 8)])
def test_samples_of_colour_lie_beside_the_left_ones_of_brightness(tmp_path, suffix, bits):
    """A ramp of blue difference comes out by no part of a pixel beside its place, in the file and read again."""
    kr, kb, width = 0.2126, 0.0722, 2 * W
    x = np.arange(width)
    luma, chroma = (128 - 16) / 219, (64 + x - 128) / 224
    blue = luma + (2 - 2 * kb) * chroma
    green = (luma - kr * luma - kb * blue) / (1 - kr - kb)
    row = np.stack([np.full(width, luma), green, blue], axis=-1)
    top = 255 if bits == 8 else 65535
    pixels = np.broadcast_to(np.rint(top * row), (H, width, 3)).astype(np.uint8 if bits == 8 else np.uint16)
    path = save(tmp_path / f"a{suffix}", [pixels] * 2, quality=1, bits=bits, marks=Marks(matrix=1))
    with av.open(str(path)) as opened:
        plane = next(opened.decode(video=0)).planes[1]
    stored = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16).reshape(H // 2, -1)[:, : width // 2]
    inner = slice(width // 8, -width // 8)
    assert abs((stored / (1 if bits == 8 else 4) - (64 + x[::2]))[:, inner].mean()) < 0.1
    read = read_frames(path)[1] / top
    assert abs((read - row)[:, 2 * width // 8 : -2 * width // 8].mean()) < 0.5 / 255
