"""The table of formats tells what is kept, what became something else, what was told, and what was lost in silence."""

import pytest

from benchmarks import format_files, formats
from rainopt.app.task import FileRecord


@pytest.mark.parametrize(
    ("thing", "source", "target", "found"),
    [
        ("depth", ".png", ".tif", "kept"),
        ("depth", ".avif", ".png", "converted"),
        ("depth", ".png", ".jpg", "told"),
        ("alpha", ".png", ".webp", "kept"),
        ("gamma chunks", ".png", ".jpg", "converted"),
        ("IPTC", ".tif", ".avif", "told"),
        ("orientation", ".jpg", ".png", "kept"),
    ],
)
def test_cells(tmp_path, thing, source, target, found):
    (tmp_path / f"in{source}").write_bytes(formats.THINGS[thing][0](source))
    assert formats.cell(thing, tmp_path / f"in{source}", tmp_path / f"out{target}") == found


def test_what_is_lost_in_silence_is_seen(tmp_path, monkeypatch):
    def careless(source, target, *_):
        target.write_bytes(format_files.saved(target.suffix, format_files.scene()))
        return FileRecord(str(source), str(target), "ok")

    monkeypatch.setattr(formats, "derain_photo", careless)
    for thing in ("ICC", "EXIF", "XMP", "IPTC", "alpha", "orientation", "gamma chunks", "depth"):
        (tmp_path / "in.png").write_bytes(formats.THINGS[thing][0](".png"))
        assert formats.cell(thing, tmp_path / "in.png", tmp_path / "out.png") == "LOST"
