"""``rainopt studio`` as a command: what it refuses, how it begins, and how it ends."""

import http.client
import json
import signal
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from rainopt.commands.main import app
from tests.support.browsers import serving
from tests.support.photos import files, save_photo
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
