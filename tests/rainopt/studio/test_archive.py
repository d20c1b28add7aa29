"""The ZIP file of results: those of uploads, each under a name of its own, and nothing else."""

import io
import time
import zipfile

import pytest

from rainopt.studio.archive import BLOCK, Entry, packed
from rainopt.studio.pictures import Picture
from tests.support.pages import client_of
from tests.support.photos import save_photo
from tests.support.studio import Studio, session_of

ASKED = {"lines": [{"angle": 0.0}]}


def fetched(studio):
    """What a ZIP file holds, by names, and what was left out of it."""
    told = studio.ask("/api/archive")
    answer = studio.client.get(told["address"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{told["name"]}"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        held = {name: archive.read(name) for name in archive.namelist()}
    assert list(held) == [one["name"] for one in told["packed"]]
    return held, {one["name"]: one["error"] for one in told["left"]}


def damaged(content):
    """A picture whose header is good, and whose pixels are not."""
    middle = len(content) // 2
    return content[:middle] + bytes(64) + content[middle + 64 :]


def test_results_of_uploads_are_packed_and_the_rest_is_named(tmp_path):
    content = save_photo(tmp_path / "x.png").read_bytes()
    other = save_photo(tmp_path / "named.png")
    with session_of(other) as session:
        studio = Studio(session)
        assert studio.post("/api/archive").status_code == 404
        works = []
        for name in ("a.png", "A.png", "a_derained_2.png", "ü é.png", "bad.png", "late.png"):
            number = studio.upload(name, damaged(content) if name == "bad.png" else content).json()["number"]
            if name not in ("bad.png", "late.png"):
                # What is asked of a picture is what was looked at last.
                studio.ask(f"/api/pictures/{number}/view", asked=ASKED)
                works.append((number, studio.result(number, ASKED)))
        studio.ask("/api/pictures/0/view", asked=ASKED)
        studio.result(0, ASKED)
        studio.post("/api/pictures/5/full", asked={})
        session.results.find(session.pictures.of(5), session.pictures.of(5).asked).work.done.wait(60)
        told = studio.client.get("/api/session").json()["pictures"]
        assert [one["made"] for one in told] == [True, True, True, True, True, False, False]
        held, left = fetched(studio)
        assert list(held) == ["a_derained.png", "A_derained_2.png", "a_derained_2_derained.png", "ü é_derained.png"]
        for (number, work), file in zip(works, held.values(), strict=True):
            assert studio.client.get(f"/api/pictures/{number}/result/{work}").content == file
        assert left["late.png"] == "its result is not made yet"
        assert "bad.png" in left["bad.png"]
        assert str(session.pictures.of(5).path.parent) not in left["bad.png"]
        assert set(left) == {"bad.png", "late.png"}
        # Settings that were changed since have no result yet.
        studio.ask("/api/pictures/1/view", asked=ASKED | {"strength": 2.0})
        held, left = fetched(studio)
        assert next(iter(held)) == "A_derained.png"
        assert "a.png" in left


def test_all_that_were_applied_to_are_packed_with_what_failed_named(tmp_path):
    content = save_photo(tmp_path / "x.png").read_bytes()
    with session_of() as session:
        studio = Studio(session)
        for name, sent in (("a.png", content), ("bad.png", damaged(content)), ("b.png", content)):
            studio.upload(name, sent)
        studio.ask("/api/pictures/0/all", asked=ASKED, lines=True)
        end = time.monotonic() + 60
        while studio.client.get("/api/all").json()["state"] == "running":
            assert time.monotonic() < end
            time.sleep(0.02)
        held, left = fetched(studio)
        assert list(held) == ["a_derained.png", "b_derained.png"]
        assert list(left) == ["bad.png"]
        assert left["bad.png"] != "its result is not made yet"


def test_strangers_get_no_file_of_results(tmp_path):
    with session_of() as session:
        studio = Studio(session)
        studio.upload("a.png", save_photo(tmp_path / "x.png").read_bytes())
        studio.result(0, {})
        address = studio.ask("/api/archive")["address"]
        stranger = client_of(studio.client._client._transport.app, own=False)
        assert stranger.post("/api/archive", json={}).status_code == 403
        foreign = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
        assert stranger.get(address, headers=foreign).status_code == 403
        assert stranger.get(address, headers={"host": "evil.example"}).status_code == 421
        # A key is guessed by nobody, and of one file alone.
        assert studio.client.get("/api/archive/0").status_code == 404
        studio.ask("/api/archive")
        assert studio.client.get(address).status_code == 404


def test_no_more_than_a_block_is_in_memory_and_a_lost_result_cuts_the_file_off(tmp_path):
    (tmp_path / "a.png").write_bytes(bytes(5 * BLOCK + 1))
    picture = Picture(0, "a.png", tmp_path / "a.png")
    whole = Entry(picture, "a.png", tmp_path / "a.png")
    pieces = list(packed([whole, whole._replace(name="b.png")]))
    assert max(map(len, pieces)) < BLOCK + 1000
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert [one.file_size for one in archive.infolist()] == [5 * BLOCK + 1] * 2
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
    pieces = packed([whole, whole._replace(file=tmp_path / "gone.png")])
    sent = []
    with pytest.raises(FileNotFoundError):
        sent.extend(pieces)
    assert not zipfile.is_zipfile(io.BytesIO(b"".join(sent)))
