"""Pictures that were made smaller, kept on disk and in memory, both bounded."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from rainopt.io.atomic import WriteError, replacing

DISK_BYTES, MEMORY_BYTES = 256 << 20, 64 << 20
LEFT = 0.8  # share that is left when the disk's part was full


class PictureCache:
    """Encoded pictures by key: small ones in a folder, which may be deleted at any time, and the last ones in memory.

    Where the folder cannot be written, memory alone serves.
    """

    def __init__(self, folder: Path, disk: int = DISK_BYTES, memory: int = MEMORY_BYTES) -> None:
        self._folder, self._most_disk, self._most_memory = folder, disk, memory
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._held = 0
        self._on_disk: int | None = None
        self._mutex = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return a picture, or None."""
        with self._mutex:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
        file = self._file(key)
        try:
            content = file.read_bytes()
        except OSError:
            return None
        with suppress(OSError):
            os.utime(file)  # what was of use last goes last
        self._remember(key, content)
        return content

    def has(self, key: str) -> bool:
        """Tell whether a picture is there."""
        with self._mutex:
            if key in self._memory:
                return True
        return self._file(key).exists()

    def put(self, key: str, content: bytes, disk: bool) -> None:
        """Keep a picture, on the disk as well if asked for."""
        self._remember(key, content)
        if disk:
            with suppress(OSError, WriteError):
                self._write(self._file(key), content)

    def _remember(self, key: str, content: bytes) -> None:
        with self._mutex:
            self._held += len(content) - len(self._memory.pop(key, b""))
            self._memory[key] = content
            while self._held > self._most_memory:
                self._held -= len(self._memory.popitem(last=False)[1])

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.jpg"

    def _write(self, file: Path, content: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file, True) as out:
            out.write(content)
        with self._mutex:
            if self._on_disk is None:
                self._on_disk = sum(size for _, size, _ in self._files())
            else:
                self._on_disk += len(content)
            if self._on_disk > self._most_disk:
                self._shrink()

    def _shrink(self) -> None:
        files = sorted(self._files())
        left = sum(size for _, size, _ in files)
        for _, size, path in files:
            if left <= LEFT * self._most_disk:
                break
            with suppress(OSError):
                os.unlink(path)
            left -= size
        self._on_disk = left

    def _files(self) -> list[tuple[int, int, str]]:
        found = []
        with suppress(OSError):
            for part in os.scandir(self._folder):
                if part.is_dir(follow_symlinks=False):
                    for file in os.scandir(part.path):
                        with suppress(OSError):
                            facts = file.stat(follow_symlinks=False)
                            found.append((facts.st_mtime_ns, facts.st_size, file.path))
        return found


def key_of(*parts: object) -> str:
    """Return a key that stands for what it is made of, such as the names, sizes and times of files."""
    return hashlib.sha256("\0".join(map(str, parts)).encode(errors="surrogateescape")).hexdigest()[:32]
