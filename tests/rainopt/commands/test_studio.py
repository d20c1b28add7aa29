"""``rainopt studio`` as a command: what it refuses, how it begins, and how it ends."""

import http.client
import json
import signal
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from rainopt.commands.main import app
from rainopt.studio.photo import check_size
from rainopt.studio.pictures import LOOKED_AT, Named, usable
from tests.support.browsers import serving
from tests.support.clips import save, view
from tests.support.photos import files, levels, save_photo
from tests.support.processes import call


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-o", "out"], "--output"),
        (["a.png", "b.png", "-o", "dry.png"], "names one file"),
        (["a.png", "-o", "a.png"], "the input itself"),
        (["--host", "a b"], "--host"),
        (["--token", "short"], "--host"),
        (["--port", "70000"], "--port"),
    ],
)
def test_wrong_usage_is_named(here, arguments, named):
    for name in ("a.png", "b.png"):
        save_photo(here / name)
    status, _, err = call(app, "studio", *arguments, "--no-browser")
    assert (status, named in err) == (2, True), err


def test_without_any_good_input_there_is_no_page(here):
    status, out, err = call(app, "studio", "none.png", "--no-browser", "--json")
    assert status == 1
    assert "'none.png' does not exist" in err
    assert "none.png" in json.loads(out)["error"]


def test_files_that_only_look_like_pictures_are_named(here):
    (here / "notes.jpg").write_text("Monday: rain")
    (here / "empty.png").touch()
    save(here / "clip.mkv", [levels(view("coffee"))] * 3)
    (here / "clip.mkv").rename(here / "clip.jpeg")
    status, out, err = call(app, "studio", "notes.jpg", "empty.png", "clip.jpeg", "--no-browser", "--json")
    assert status == 1
    errors = [json.loads(line)["error"] for line in out.splitlines()]
    for name, error in zip(("notes.jpg", "empty.png", "clip.jpeg"), errors, strict=True):
        assert f"'{name}'" in error
        assert name in err


def test_headers_of_a_large_folder_do_not_delay_the_start(tmp_path, monkeypatch):
    good = save_photo(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("no picture")
    folder = [Named(tmp_path / "bad.png", tmp_path / "a.png"), *[Named(good, tmp_path / "b.png")] * (2 * LOOKED_AT)]
    looks = []
    monkeypatch.setattr("rainopt.studio.pictures.check_size", lambda path: looks.append(path) or check_size(path))
    kept, problems = usable(folder)
    assert kept == folder[1:]
    assert len(looks) == LOOKED_AT
    assert len(problems) == 1
    assert "bad.png" in problems[0]


def folders():
    return {path.name for path in Path(tempfile.gettempdir()).glob("rainopt-studio-*")}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_end_leaves_nothing_but_what_was_saved(tmp_path, number, status):
    save_photo(tmp_path / "a.png")
    before, others = files(tmp_path), folders()
    with serving("rainopt", "studio", "a.png", cwd=tmp_path) as server:
        with closing(http.client.HTTPConnection(server.url.split("/")[2], timeout=60)) as connection:
            connection.request("GET", "/api/session")
            with connection.getresponse() as answer:
                assert [one["name"] for one in json.loads(answer.read())["pictures"]] == ["a.png"]
        assert folders() - others
        server.send_signal(number)
        server.wait(timeout=30)
    assert server.returncode == status
    assert "Traceback" not in server.complained
    assert not folders() - others
    assert files(tmp_path) == before
