"""What could not be decoded of a video, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass
class Losses:
    """What one pass over a file met.

    Attributes
    ----------
    packets, frames : int
        Pieces read that are meant to be shown, and frames decoded from them.
    damaged : int
        Frames that the decoder marks as patched.
    error : str or None
        What went wrong first.
    after : int
        Pieces read since something last went wrong.
    others : int
        Frames of another size than the first, which are left out.
    met : int
        How often something went wrong.
    """

    packets: int = 0
    frames: int = 0
    damaged: int = 0
    error: str | None = None
    after: int = 0
    others: int = 0
    met: int = 0
    _other: str = ""
    _doubt: int = 0  # pieces read since an incomplete one, and that one

    def forget(self) -> None:
        """Begin anew."""
        self.packets = self.frames = self.damaged = self.after = self.met = 0
        self.error, self._doubt = None, 0

    def meet(self, error: str) -> None:
        """Note an error."""
        self.error = self.error or error
        self.after = 0
        self.met += 1

    def pass_packet(self, shown: bool, incomplete: bool, anew: bool = False) -> None:
        """Note a piece that was read; one that is not to be shown does not count.

        One of the last two pieces before the time stamps begin `anew` passes for incomplete: what follows does not
        continue it, since it belongs to another recording.
        """
        if anew:
            self._doubt = 0
        elif self._doubt > 2:
            self._settle()
        elif self._doubt or incomplete:
            self._doubt += 1
        self.packets += shown
        self.after += 1

    def _settle(self) -> None:
        """Take an incomplete piece for what it is."""
        if self._doubt:
            read = self._doubt - 1
            self.meet("data are missing")
            self.after, self._doubt = read, 0

    def leave_out(self, number: int, size: tuple[int, int]) -> None:
        """Note a frame, by its number among those decoded, that is left out because its (height, width) differs."""
        self.others += 1
        self._other = self._other or f"from frame {number} on ({size[0]} x {size[1]} pixels)"

    def pass_frame(self, damaged: bool) -> None:
        """Note a frame that was decoded."""
        self.frames += 1
        self.damaged += bool(damaged)

    def sentence(self, declared: int | None, ending: Fraction = Fraction(0), cut: bool = False) -> str | None:
        """Return what was lost, or None.

        Parameters
        ----------
        declared : int or None
            Frames that the container promises. Fewer frames are no loss where all of it could be read and decoded:
            encoders store frames that are not meant to be shown.
        ending : Fraction
            Seconds between the last frame and the end that the container promises.
        cut : bool
            Whether the file ends in the middle of something.
        """
        self._settle()
        parts = []
        if self.others:
            parts.append(f"{self.others} frames of another size than the first are left out, {self._other}")
        short = declared is not None and self.packets < declared
        missing = (declared or 0) - self.frames
        why = self.error or "the file ends early"
        if (self.error or short) and missing > 0:
            which = f"{missing} of {declared} frames"
            parts.append(f"{which if self.after and self.error else f'the last {which}'} cannot be decoded ({why})")
        elif self.error and not self.after:
            parts.append(f"what follows after {self.frames} frames cannot be decoded ({why})")
        elif self.error:
            parts.append(f"some frames beside the {self.frames} given cannot be decoded ({why})")
        elif ending:
            parts.append(f"the last {float(ending):.3g} s after {self.frames} frames are missing (the file ends early)")
        elif cut:
            parts.append(f"the file ends early: what may have followed after {self.frames} frames is missing")
        if self.damaged:
            parts.append(f"{self.damaged} of the {self.frames} frames given are damaged and patched by the decoder")
        return "; ".join(parts) or None


def promised_frames(stream: Any) -> int | None:
    """Return how many frames a container promises to show, if it says so."""
    if not stream.frames:
        return None
    # The index of an MP4 file leaves out what its edit list cuts off; the number in the header does not.
    entries = stream.index_entries if stream.container.format.name.startswith("mov") else ()
    shown = sum(not entry.is_discard for entry in entries)
    return min(stream.frames, shown) if shown else int(stream.frames)


def promised_end(container: Any) -> Fraction | None:
    """Return the time in seconds at which the pictures end by what the container says at its beginning, if it does."""
    # Only Matroska says it at the beginning but no number of frames; with sound, its end is that of the longer one.
    if not container.format.name.startswith("matroska") or container.duration is None or len(container.streams) > 1:
        return None
    return Fraction(container.duration, 1_000_000)
