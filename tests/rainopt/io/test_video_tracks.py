"""What a file holds besides its pictures is copied where the other container holds it, and told where not."""

from fractions import Fraction
from functools import partial

import av
import pytest

from rainopt.io.video.write import join_parts, part_suffix
from tests.support import tracks
from tests.support.clips import blocks, save
from tests.support.tracks import FLAGS, full, lines_of, packets_of, seen_in

LINES = [(0.1, 0.3, "Rain 0"), (0.5, 0.3, "Rain 1")]
FRONT = ("video", "und", "Front")
mkv = partial(full, sound=("aac", "libopus"), subtitles=("srt", "ass"), second=True)


def joined(source, target, count=25, **options):
    """The pictures of a clip beside the rest of another; returns what was told."""
    told = []
    part = save(target.parent / f"part{part_suffix(target)}", blocks(count))
    join_parts([part], target, rest_from=source, tell=told.append, **options)
    return told


def test_matroska_holds_all_of_it(tmp_path):
    attachments = [("rain.ttf", "application/x-truetype-font"), ("cover.jpg", "image/jpeg")]
    source, target = mkv(tmp_path / "a.mkv", attachments=attachments), tmp_path / "b.mkv"
    assert joined(source, target) == [f"'{target}': the pictures of track 1 are copied as they are, rain and all"]
    before, after = seen_in(source), seen_in(target)
    assert after.pop("tags").items() >= {key: tracks.TAGS[key] for key in tracks.TAGS}.items()
    before.pop("tags")
    assert after == before
    assert after["attachments"] == [("rain.ttf", b"data of an attachment")]
    assert packets_of(target, "subtitle", 1) == packets_of(source, "subtitle", 1)
    # The second pictures are stored in another order than shown, and all are there; the cover is one of its own.
    assert packets_of(target, "video", 1) == packets_of(source, "video", 1)
    assert [data for _, data in packets_of(target, "video", 2)] == [tracks.jpeg()]


@pytest.mark.parametrize(
    ("suffix", "left", "becomes", "sounds"),
    [
        (".mp4", "the attachment 'rain.ttf'", "mov_text", 2),
        (
            ".mov",
            "the sound of track 3 (opus), the attachment 'rain.ttf', the mark 'comment' of track 1, the mark 'forced' "
            "of track 4 and the mark 'forced' of track 5",
            "mov_text",
            1,
        ),
        (
            ".webm",
            "the pictures of track 1 (h264), the sound of track 2 (aac), the attachment 'rain.ttf' and the mark "
            "'hearing_impaired' of track 3",
            "webvtt",
            1,
        ),
        (
            ".nut",
            "the subtitles of track 4 (srt), the subtitles of track 5 (ssa), the attachment 'rain.ttf' and the mark "
            "'hearing_impaired' of track 3",
            None,
            2,
        ),
    ],
)
def test_what_another_container_holds_is_copied_or_converted_and_the_rest_told(tmp_path, suffix, left, becomes, sounds):
    source = mkv(tmp_path / "a.mkv", attachments=[("rain.ttf", "application/x-truetype-font")])
    target = tmp_path / f"b{suffix}"
    told = joined(source, target)
    assert told[0] == f"'{target}' is written without {left} of '{source}', which it cannot hold; .mkv holds more"
    if becomes:
        assert f"the subtitles of tracks 4 and 5 become {becomes}" in told[1]
        assert lines_of(target) == lines_of(target, 1) == LINES
    after = seen_in(target)
    assert after["tags"].items() >= tracks.TAGS.items()
    assert after["chapters"] == [("One", 0.0), ("Two", 0.5)]
    heard = [track for track in after["tracks"] if track[0] == "audio"]
    languages = ["ger" if suffix == ".mov" else "deu", "fra"]  # the older code of the same language
    assert [track[1] for track in heard] == (["fra"] if suffix == ".webm" else languages)[:sounds]
    assert after["tracks"][0][:3] == FRONT


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".nut"])
def test_a_recording_of_a_phone_or_camera(tmp_path, suffix):
    """Text of MP4 keeps its gaps, what stands for chapters is not copied twice, and the time code is that it had."""
    source = full(tmp_path / "a.mp4", sound=("aac",), subtitles=("mov_text",), timecode="01:02:03:04")
    target = tmp_path / f"b{suffix}"
    told = " ".join(joined(source, target))
    before, after = seen_in(source), seen_in(target)
    assert after["chapters"] == before["chapters"]
    assert after["tags"].items() >= {(key, value) for key, value in before["tags"].items() if key in tracks.TAGS}
    if suffix == ".nut":
        assert "the subtitles of track 2 (mov_text)" in told
    else:
        assert lines_of(target) == LINES
    with av.open(str(target)) as container:
        said = {key.lower(): value for key, value in container.streams.video[0].metadata.items()}
        assert said["timecode"] == "01:02:03:04"
        assert len(container.streams) == len(after["tracks"]) + (2 if suffix in (".mp4", ".mov") else 0)
    assert "timecode" not in told
    assert "chapters" not in told
    assert ("sound of track 1 (aac)" in told) == (suffix == ".webm")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm", ".nut"])
def test_covers(tmp_path, suffix):
    source = full(tmp_path / "a.mkv", attachments=[("cover.jpg", "image/jpeg")], tags={"title": "Street"})
    target = tmp_path / f"b{suffix}"
    told = joined(source, target)
    with av.open(str(target)) as container:
        covers = [stream for stream in container.streams.video if stream.disposition & FLAGS.attached_pic]
        assert len(container.streams.video) == 1 + len(covers)
    assert len(covers) == (suffix in (".mp4", ".mkv"))
    assert bool(told) == (not covers)
    assert all("the cover picture" in sentence for sentence in told)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_data_beside_the_pictures(tmp_path, suffix):
    source, target = tmp_path / "a.ts", tmp_path / f"b{suffix}"
    with av.open(str(source), "w") as output:
        pictures = output.add_stream("libx264", rate=25, options={"bf": "0"})
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        data = output.add_data_stream("klv")
        for number, pixels in enumerate(blocks(25)):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(pictures.encode(frame))
            packet = av.Packet(b"where the camera is")
            packet.stream, packet.pts, packet.dts, packet.time_base = data, number, number, Fraction(1, 25)
            output.mux(packet)
        output.mux(pictures.encode(None))
    told = joined(source, target)
    if suffix == ".mov":
        assert packets_of(target, "data") == packets_of(source, "data")
        assert "without the kind 'klv' of the data of track 1" in told[0]
    else:
        assert "without the data of track 1 (klv)" in told[0]


def test_what_lies_between_two_times(tmp_path):
    source, target = mkv(tmp_path / "a.mkv"), tmp_path / "b.mkv"
    joined(source, target, 10, between=(Fraction(2, 5), Fraction(4, 5)))
    assert lines_of(target) == [(0.1, 0.3, "Rain 1")]
    assert seen_in(target)["chapters"] == [("One", 0.0), ("Two", 0.1)]
    times = [time for time, _ in packets_of(target, "audio")]
    assert 0 <= times[0] < 0.03
    assert 0.35 < times[-1] < 0.4


def test_what_only_seems_to_fit_is_left_out(tmp_path, monkeypatch):
    """A header is no promise: where writing fails, sound and subtitles are saved."""
    source, target = mkv(tmp_path / "a.mkv"), tmp_path / "b.mp4"
    opened = av.open

    class Output:
        """An output that takes the header of the second pictures, and nothing else of them."""

        def __init__(self, output):
            self._output = output

        def __getattr__(self, name):
            return getattr(self._output, name)

        def mux(self, packet):
            if packet.stream.type == "video" and packet.stream.width == 32:
                raise av.error.InvalidDataError(1094995529, "not as it should be")
            self._output.mux(packet)

    def open_failing(file, mode="r", **options):
        output = opened(file, mode, **options)
        return Output(output) if file.__class__ is str and mode == "w" else output

    with monkeypatch.context() as patched:
        patched.setattr(av, "open", open_failing)
        told = joined(source, target)
    assert "without the pictures of track 1 (h264)" in told[0]
    assert [track[0] for track in seen_in(target)["tracks"]] == ["video", "audio", "audio", "subtitle", "subtitle"]
