"""A file is written whole or not at all, whatever happens in between."""

import builtins
import os
import subprocess
import sys

import pytest

from rainopt.io.atomic import FileThereError, WriteError, replacing


def write(path, data, overwrite=True, error=None):
    with replacing(path, overwrite) as file:
        file.write(data)
        if error is not None:
            raise error


def test_an_existing_file_stays_without_overwrite(tmp_path):
    path = tmp_path / "a"
    write(path, b"old", overwrite=False)
    with pytest.raises(FileThereError, match="a' exists already") as caught:
        write(path, b"new", overwrite=False)
    assert isinstance(caught.value, FileExistsError)
    assert path.read_bytes() == b"old"
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (OSError(28, "No space left"), WriteError, r"a' cannot be written \(No space left\); check the disk"),
        (ValueError("broken"), WriteError, r"a' cannot be written \(broken\)"),
        (WriteError("of the body"), WriteError, "^of the body$"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_an_error_leaves_the_old_file_and_no_other(tmp_path, error, kind, says, there):
    path = tmp_path / "a"
    if there:
        path.write_bytes(b"old")
    with pytest.raises(kind, match=says):
        write(path, b"half a picture", error=error)
    assert os.listdir(tmp_path) == ["a"] * there
    assert not there or path.read_bytes() == b"old"


def test_places_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    with pytest.raises(WriteError, match="d' cannot be written: a folder has that name"):
        write(tmp_path / "d", b"")
    with pytest.raises(WriteError, match="create it first"):
        write(tmp_path / "none" / "a", b"")
    real = builtins.open

    def refusing(name, mode="r", *args, **kwargs):
        if "x" in mode:
            raise PermissionError(13, "Permission denied")
        return real(name, mode, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", refusing)
    with pytest.raises(WriteError, match=r"a' cannot be written \(Permission denied\)"):
        write(tmp_path / "a", b"")
    monkeypatch.undo()
    monkeypatch.setattr(os, "replace", lambda *_: real(tmp_path / "none"))
    with pytest.raises(WriteError, match=r"a' cannot be written \(No such file"):
        write(tmp_path / "a", b"")
    assert os.listdir(tmp_path) == ["d"]


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_what_killed_processes_left_goes_and_what_others_are_writing_stays(tmp_path):
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from rainopt.io.atomic import replacing\n"
        "with replacing(Path(sys.argv[1]), True):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a")], timeout=60, check=False)
    assert len(os.listdir(tmp_path)) == 1
    with replacing(tmp_path / "a", True):
        (mine,) = os.listdir(tmp_path)
        write(tmp_path / "a", b"other")  # of the same name
        assert sorted(os.listdir(tmp_path)) == sorted([mine, "a"])
