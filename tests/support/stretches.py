"""Work on the stretches of a video that needs no solver, and what video files hold."""

from dataclasses import dataclass, field

import av
import numpy as np

from rainopt.app.results import OutputSettings
from rainopt.app.stretches import in_stretches
from rainopt.app.video import video_to_video
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.read import open_video

STRETCH = 12  # 30 frames are stretches of 12, 12 and 6


@dataclass
class Darkening:
    """Darken each stretch by more than the one before: how it is done depends on what was done.

    ``begun`` are the stretches that were worked on, by their number of frames and whether they follow another of their
    scene; the work is interrupted when it would begin with number ``stop``. ``dry`` says of each stretch whether its
    frames are left as they are.
    """

    video: CutVideo
    output: OutputSettings = OutputSettings(crf=5)  # noqa: RUF009 - frozen
    length: int = STRETCH
    settings: dict = field(default_factory=dict)
    stop: int | None = None
    dry: list = field(default_factory=list)
    begun: list = field(default_factory=list)

    def choose(self, store, before):
        """Return how much darker a stretch becomes, and by how many steps."""
        number = len(self.begun)
        if number == self.stop:
            raise KeyboardInterrupt
        step = 1 if before is None else before["step"] + 1
        dry = number < len(self.dry) and self.dry[number]
        self.begun.append((len(store), before is not None))
        return {"step": step, "dry": dry, "angle": 8.0}

    def derained(self, store, chosen):
        """Yield darker frames."""
        by = 0 if chosen["dry"] else 8 * chosen["step"] << (self.video.bits - 8)
        return (np.maximum(picture, by) - by for picture in store)

    def note(self, chosen):
        """Return how a stretch is darkened."""
        return chosen

    def recall(self, store, note):
        """Return how a stretch was darkened, from its note."""
        assert len(store) == note["frames"]
        return note


def darken(source, target, output=None, of_images=None, progress=None, begun=None, **work):
    """Darken a video file; return its record. ``work`` are fields of `Darkening`."""
    output = OutputSettings(crf=5) if output is None else output

    def write(video):
        darkening = Darkening(video, output, begun=[] if begun is None else begun, **work)
        return in_stretches(video, target, darkening, output, progress).facts()

    return video_to_video(source, target, output, of_images or {}, write)


def parts_of(target):
    """The hidden folder of the parts of a result."""
    return target.with_name(f".{target.name}.parts")


def times_of(path):
    """The time of every frame of a video file."""
    return [frame.time for frame in open_video(path).frames()]


def sound_of(path):
    """The bytes of every packet of sound of a video file."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]
