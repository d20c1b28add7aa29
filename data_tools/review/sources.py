"""Where the videos lie that a dataset was built of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from data_tools.build.notes import noted_source
from data_tools.build.plan import video_name
from rainopt.app.kinds import VIDEOS
from rainopt.app.search import find


class Sources:
    """The videos of a dataset: where they were when it was built, or in folders that are named.

    Parameters
    ----------
    dataset
        Its folder.
    named
        Video files, folders of them, or globs, in which those are looked for that are gone.
    """

    def __init__(self, dataset: Path, named: Iterable[str] = ()) -> None:
        self._dataset, self._named = dataset, list(named)
        self._found: dict[str, Path] | None = None

    def find(self, video: str) -> tuple[Path | None, str | None]:
        """Return where a video is, or why it is not known."""
        noted = noted_source(self._dataset, video)
        content = video.rpartition("-")[2]
        if noted is not None and _content(noted) == content:
            return noted, None
        if self._found is None:
            self._found = {}
            for job in find(self._named, self._dataset, VIDEOS).inputs if self._named else ():
                if job.problem is None and (its := _content(job.source)) is not None:
                    self._found[its] = job.source
        if content in self._found:
            return self._found[content], None
        where = "where it was is not noted" if noted is None else f"'{noted}' is gone, or holds something else"
        return None, f"the video '{video}' is needed, and {where}; name it, or its folder, with --videos"


def _content(source: Path) -> str | None:
    """Return what names a video by its content, None if it cannot be read."""
    try:
        return video_name(source).rpartition("-")[2] if source.exists() else None
    except OSError:
        return None
