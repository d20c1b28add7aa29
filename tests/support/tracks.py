"""Video files that hold all that containers can hold besides moving pictures, and what other readers see of it."""

import io
from fractions import Fraction

import av
import numpy as np
from av.subtitles.subtitle import SubtitleSet
from PIL import Image

from tests.support.clips import blocks

TAGS = {
    "title": "Street in rain",
    "creation_time": "2024-05-06T07:08:09.000000Z",
    "location": "+47.5000+008.5000/",
    "artist": "A. Person",
    "com.example.camera": "front",
}
CHAPTERS = [
    {"id": k + 1, "start": 500 * k, "end": 500 * k + 500, "time_base": Fraction(1, 1000), "metadata": {"title": name}}
    for k, name in enumerate(("One", "Two"))
]
STYLES = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname, Fontsize, PrimaryColour, "
    b"SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
    b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\r\nStyle: Default,Arial,16,&Hffffff,"
    b"&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\r\n\r\n[Events]\r\nFormat: Layer, Start, End, Style, "
    b"Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)
FLAGS = av.stream.Disposition


def jpeg():
    """A small picture."""
    data = io.BytesIO()
    Image.new("RGB", (16, 16)).save(data, "JPEG")
    return data.getvalue()


def full(path, *, sound=(), subtitles=(), second=False, attachments=(), timecode=None, count=25, tags=None):
    """Write a clip of one second with B-frames, tags and chapters, and tracks of these codecs.

    The first sound is the default, the second for the hard of hearing; subtitles are forced, of two lines at 0.1 and
    0.5 s; ``attachments`` are pairs of a name and a kind.
    """
    with av.open(str(path), "w") as output:
        tracks = [_pictures(output, 64, "Front")]
        if timecode:
            tracks[0].metadata["timecode"] = timecode
        if second:
            tracks.append(_pictures(output, 32, "Rear"))
            tracks[1].disposition = FLAGS.comment
        heard = [_sound(output, codec, *one) for codec, one in zip(sound, _SOUNDS, strict=False)]
        written = [_subtitles(output, codec) for codec in subtitles]
        for name, kind in attachments:
            output.add_attachment(name, kind, jpeg() if kind == "image/jpeg" else b"data of an attachment")
        output.metadata.update(TAGS if tags is None else tags)
        output.set_chapters(CHAPTERS)
        for number, pixels in enumerate(blocks(count)):
            for track in tracks:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:, : track.width]), "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                output.mux(track.encode(frame))
        for track in tracks:
            output.mux(track.encode(None))
        for track in heard:
            _silence(output, track, count)
        for track in written:
            for number in range(2):
                line = SubtitleSet.create(b"0,0,Default,,0,0,0,,Rain %d" % number, 0, 300, pts=100 + 400 * number)
                packet = track.codec_context.encode_subtitle(line)
                packet.stream, packet.time_base, packet.duration = track, Fraction(1, 1000), 300
                packet.pts = packet.dts = 100 + 400 * number
                output.mux(packet)
    return path


_SOUNDS = [("deu", "Street", FLAGS.default), ("fra", "Told", FLAGS.hearing_impaired)]


def _pictures(output, width, title):
    track = output.add_stream("libx264", rate=25, options={"bf": "2", "b-adapt": "0"})
    track.width, track.height, track.pix_fmt = width, 48, "yuv420p"
    track.metadata["title"] = title
    return track


def _sound(output, codec, language, title, flags):
    track = output.add_stream(codec, rate=48000)
    track.layout = "mono"
    track.metadata.update({"language": language, "title": title})
    track.disposition = flags
    return track


def _subtitles(output, codec):
    track = output.add_stream(codec)
    track.metadata["language"] = "spa"
    track.disposition = FLAGS.forced
    track.time_base = track.codec_context.time_base = Fraction(1, 1000)
    track.codec_context.subtitle_header = STYLES
    return track


def _silence(output, track, count):
    layout, size = track.codec_context.format.name, 960
    samples = np.zeros((1, size), np.int16 if layout.startswith("s16") else np.float32)
    for start in range(0, 48000 * count // 25 - size, size):
        frame = av.AudioFrame.from_ndarray(samples, layout, "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        output.mux(track.encode(frame))
    output.mux(track.encode(None))


def packets_of(path, kind, number=0):
    """Time and bytes of each packet of a track of a kind; of subtitles those that say something."""
    with av.open(str(path)) as container:
        track = [one for one in container.streams if one.type == kind][number]
        packets = [packet for packet in container.demux(track) if packet.size > (2 if kind == "subtitle" else 0)]
        return [((packet.pts or 0) * packet.time_base, bytes(packet)) for packet in packets]


def lines_of(path, number=0):
    """Time, length and text of each subtitle, in seconds."""
    with av.open(str(path)) as container:
        track = container.streams.subtitles[number]
        lines = []
        for packet in container.demux(track):
            for line in (track.codec_context.decode2(packet) if packet.size else None) or ():
                time, length = (float(ticks * packet.time_base) for ticks in (packet.pts, packet.duration))
                lines.append((round(time, 3), round(length, 3), line.dialogue.decode()))
        return lines


def seen_in(path):
    """What an independent reader sees of a file: tags, chapters, and the kind, language, title and flags of tracks."""
    with av.open(str(path)) as container:
        return {
            "tags": {key.lower(): value for key, value in container.metadata.items()},
            "chapters": [
                (chapter["metadata"].get("title"), float(chapter["start"] * chapter["time_base"]))
                for chapter in container.chapters()
            ],
            "tracks": [
                (
                    stream.type,
                    stream.metadata.get("language", "und"),
                    stream.metadata.get("title") or stream.metadata.get("name") or stream.metadata.get("NAME"),
                    stream.disposition & ~(FLAGS.captions | FLAGS.descriptions),
                )
                for stream in container.streams
                if stream.type not in ("data", "attachment")
            ],
            "attachments": [
                (stream.metadata.get("filename"), stream.data)
                for stream in container.streams
                if stream.type == "attachment"
            ],
        }
