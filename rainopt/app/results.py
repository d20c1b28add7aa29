"""The files that deraining writes: which there will be, which are missing, and how a picture becomes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainopt.app.keep import NOTHING, Keep
from rainopt.app.task import is_there
from rainopt.io.unchanged import Stamp
from rainopt.io.video.formats import is_video
from rainopt.io.video.span import WHOLE, FrameFolders, Moment, Span

if TYPE_CHECKING:
    import numpy as np

    from rainopt.io import ImageFile


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """What a run writes, and how.

    Attributes
    ----------
    save_rain, compare
        Whether the rain layer and a comparison are written as well.
    captions
        Of a photograph and of its result in the comparison.
    extras
        Names of further pictures of each photograph, which are written beside it as ``_NAME.png``.
    overwrite
        Whether files that are there are replaced.
    quality
        Of JPEG files, 1 to 100.
    crf
        Quality of videos, 0 to 51; 0 is lossless.
    codec
        What videos are coded with; None is what their containers are usually coded with.
    keep
        What is left alone in every picture and frame.
    span
        The part of each video that is worked on.
    folders
        How folders of numbered pictures are videos; None where they are folders of photographs.
    preview
        The moment of each video that is shown in one picture, which is all that is written then.
    """

    save_rain: bool = False
    compare: bool = False
    captions: tuple[str, str] = ("rainy", "derained")
    extras: tuple[str, ...] = ()
    overwrite: bool = False
    quality: int = 95
    crf: int = 18
    codec: str | None = None
    keep: Keep = NOTHING
    span: Span = WHOLE
    folders: FrameFolders | None = None
    preview: Moment | None = None

    def frames_as_json(self) -> dict[str, Any]:
        """Return what the frames of a video depend on, as JSON has it."""
        folders = self.folders
        named = None if folders is None else [str(folders.rate), folders.pattern and folders.pattern.text, self.quality]
        kept, span = self.keep.as_json(), str(self.span)
        return {"crf": self.crf, "codec": self.codec, "keep": kept, "span": span, "folders": named}


def results_of(target: Path, output: OutputSettings) -> dict[str, Path]:
    """Return the files that a run writes for one target; a video has no rain layer, and no extras.

    Of the pictures that a video becomes, the first stands for all: where it is, the others are.
    """
    files = {"derained": target}
    if output.preview is not None:
        return files
    if output.folders is not None and not is_video(target):
        folder = Path(os.path.abspath(target.parent)) if not target.parent.name else target.parent
        return files | ({"compare": folder.with_name(f"{folder.name}_compare.png")} if output.compare else {})
    if output.save_rain and not is_video(target):
        files["rain"] = target.with_name(f"{target.stem}_rain.png")
    if output.compare:
        files["compare"] = target.with_name(f"{target.stem}_compare.png")
    if not is_video(target):
        files |= {name: target.with_name(f"{target.stem}_{name}.png") for name in output.extras}
    return files


def wanted_of(files: dict[str, Path], overwrite: bool) -> dict[str, Path]:
    """Return those of the files that are to be written: all, or those that are not there."""
    return files if overwrite else {kind: path for kind, path in files.items() if not is_there(path)}


def write_results(
    source: Path,
    file: ImageFile,
    wanted: dict[str, Path],
    derained: np.ndarray,
    rain: np.ndarray,
    output: OutputSettings,
    untouched: bool = False,
    stamp: Stamp | None = None,
    extras: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write what is wanted of one picture, with the depth, the profile and the EXIF data of its file.

    Parameters
    ----------
    source, file
        The picture, and what was read from it.
    wanted
        Some of `results_of`; the folder is made.
    derained
        Shaped as the picture, in its dtype or float32 in [0, 1].
    rain
        (H, W) float32 in [0, 1].
    untouched
        Whether the picture was left as it is; then the very file is copied where that is possible.
    stamp
        Of the file, taken before it was read; nothing is written of a file that has changed since.
    extras
        (H, W) or (H, W, 3) uint8, by the names in ``output.extras``.
    """
    from rainopt.io import copy_image, is_format, write_image

    image, overwrite = file.pixels, output.overwrite
    if stamp is not None:
        stamp.require(source)
    for path in wanted.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    bits = {"u1": 8, "u2": 16}.get(image.dtype.str[1:], 32)
    # The derained image last: where it is, the rest is.
    if "rain" in wanted:
        write_image(wanted["rain"], rain, bits=16 if bits != 8 else 8, overwrite=overwrite)
    if "compare" in wanted:
        from rainopt.app.compare import colours_of, side_by_side

        sheet, colours = side_by_side(image, derained, rain, output.captions), colours_of(file.metadata)
        write_image(wanted["compare"], sheet, metadata=colours, overwrite=overwrite)
    for name, extra in (extras or {}).items():
        if name in wanted:
            write_image(wanted[name], extra, overwrite=overwrite)
    target = wanted.get("derained")
    if target is None:
        return
    if untouched and is_format(target, file.format) and not file.turned:
        # No rain: the very file, not a JPEG of a JPEG.
        copy_image(source, target, overwrite=overwrite, stamp=stamp)
    else:
        write_image(target, derained, metadata=file.metadata, bits=bits, quality=output.quality, overwrite=overwrite)
