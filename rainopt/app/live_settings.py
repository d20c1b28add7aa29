"""How a stream is derained, found from what has gone of it, beside the work on what comes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rainopt.app.preview import PreviewWork
from rainopt.parallel.threads import stay_in_this_thread
from rainopt.video.frames import MEMORY, FrameStore
from rainopt.video.scenes import CutDetector

REST = 5  # times as long as it takes to find settings, nothing is done to renew them
# Frames that settings are found from: in a new scene, and from then on, as many as fit into memory.
FIRST, LEAST, MOST = 8, 40, 120


@dataclass
class LiveSettings:
    """How a stream is derained, found in a thread from frames that have gone, and renewed now and then."""

    work: PreviewWork
    chosen: Any = None
    angles: list[float] = field(default_factory=list)
    error: BaseException | None = None
    _cuts: CutDetector = field(default_factory=CutDetector)
    _scene: int = 0
    _thread: threading.Thread | None = None
    _store: FrameStore = field(default_factory=FrameStore)
    _rest: float = 0.0

    def see(self, pixels: np.ndarray) -> bool:
        """Take a frame into account; tell whether it begins a new scene, of which nothing is known."""
        new = self._cuts.update(pixels)
        if new:
            self._scene, self.chosen = self._scene + 1, None
            self._store.close()
        # While settings are found, and some time after, there is no use for frames.
        busy = self._thread is not None and self._thread.is_alive()
        if not busy and (self.chosen is None or time.monotonic() > self._rest):
            self._store.append(pixels)
            if len(self._store) >= (FIRST if self.chosen is None else min(MOST, max(LEAST, MEMORY // pixels.nbytes))):
                store, self._store = self._store, FrameStore()
                find = threading.Thread(target=self._find, args=(store, self._scene), name="settings", daemon=True)
                find.start()
                self._thread = find
        return new

    def close(self) -> None:
        """Wait until nothing is looked for any more: no program may end while a thread of it runs kernels."""
        if self._thread is not None:
            self._thread.join()
        self._store.close()

    def _find(self, store: FrameStore, scene: int) -> None:
        # The pool is for the frames that wait.
        stay_in_this_thread()
        begin = time.monotonic()
        try:
            chosen = self.work.choose(store, self.chosen)
            angle = self.work.angle(chosen)
            chosen = self.work.part(chosen, None)
        except Exception as error:
            self.error = error
            return
        finally:
            store.close()
        if scene == self._scene:
            # The first ones are of few frames.
            now = time.monotonic()
            self._rest = now if self.chosen is None else now + REST * (now - begin)
            self.chosen = chosen
            self.angles += [] if angle is None else [round(angle, 2)]
