"""Nobody but the page itself gets in: hosts, origins, tokens, bodies, and what every answer forbids a browser."""

import pytest

from rainopt.web.access import Access, AccessError
from rainopt.web.app import create_app
from tests.support.pages import ADDRESS, client_of

TOKEN = "a-token-that-is-long"


def app_of(access=None, **options):
    app = create_app("test", access=access or Access(), **options)

    @app.get("/number")
    def number():
        return {"number": 1}

    @app.post("/number")
    def change(body: dict):
        return {"number": body["number"]}

    @app.get("/broken")
    def broken():
        raise RuntimeError("secret")

    return app


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1.evil.example:8000", ""]
)
def test_a_name_that_somebody_else_points_here_is_refused(host):
    answer = client_of(app_of()).get("/number", headers={"host": host})
    assert answer.status_code == 421
    assert "127.0.0.1:8000" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000"])
def test_its_own_names_are_served(host):
    assert client_of(app_of(), own=False).get("/number", headers={"host": host}).json() == {"number": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1:8001"},
        {"origin": "http://localhost:8000"},  # another site than the one that was called
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": ADDRESS, "sec-fetch-site": "cross-site"},
    ],
)
def test_changes_asked_for_by_other_pages_are_refused(headers):
    answer = client_of(app_of(), own=False).post("/number", json={"number": 2}, headers=headers)
    assert answer.status_code == 403


def test_changes_asked_for_by_the_page_are_made():
    assert client_of(app_of()).post("/number", json={"number": 2}).json() == {"number": 2}


def test_other_pages_may_link_here_and_read_nothing():
    client = client_of(app_of(), own=False)
    fetched = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    framed = followed | {"sec-fetch-dest": "iframe"}
    answers = [client.get("/number", headers=one).status_code for one in (fetched, framed, followed)]
    assert answers == [403, 403, 200]
    assert client.request("OPTIONS", "/number", headers={"origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_bodies_that_forms_can_send_are_refused(kind):
    client = client_of(app_of())
    assert client.post("/number", content=b'{"number": 2}', headers={"content-type": kind}).status_code == 415


def test_long_bodies_are_refused_before_they_are_read():
    client = client_of(app_of(Access(max_body=100)))
    read = 0

    async def endless():
        nonlocal read
        while read < 10_000:
            read += 50
            yield b" " * 50

    kind = {"content-type": "application/json"}
    assert client.post("/number", content=b"[" + b" " * 100, headers=kind).status_code == 413
    assert client.post("/number", content=endless(), headers=kind).status_code == 413
    said = {**kind, "content-length": "99999999999999999999"}
    assert client.post("/number", content=b"{}", headers=said).status_code == 413
    assert client.post("/number", content=b'{"number": 3}', headers=kind).json() == {"number": 3}


def test_a_token_is_asked_for_once_and_kept_from_scripts_and_other_sites():
    app = app_of(Access(host="192.0.2.1", port=8000, token=TOKEN))
    address = "http://192.0.2.1:8000"
    client = client_of(app, address)
    assert client.get("/number").status_code == 401
    assert client.get("/number?token=wrong").status_code == 401
    assert client.get("/number", headers={"cookie": "rainopt-8000=wrong"}).status_code == 401
    assert client.post(f"/number?token={TOKEN}", json={"number": 2}).status_code == 401
    first = client.get(f"/number?token={TOKEN}")
    assert first.json() == {"number": 1}
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(first.headers["set-cookie"].split("; "))
    assert client.get("/number").json() == {"number": 1}
    assert client.post("/number", json={"number": 2}).json() == {"number": 2}
    assert client.get("/static/kit/none.js").status_code == 404
    assert client_of(app, address).get("/static/kit/none.js").status_code == 401


def test_another_address_than_this_machine_alone_has_a_token():
    tokens = {Access(host=host).token for host in ("0.0.0.0", "192.168.1.2", "::", "studio.local")}
    assert None not in tokens
    assert len(tokens) == 4
    assert all(len(token) >= 32 for token in tokens)
    assert {Access(host=host).token for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2")} == {None}
    assert TOKEN not in repr(Access(token=TOKEN))


@pytest.mark.parametrize("options", [{"token": "short"}, {"token": "with spaces in it"}, {"port": 70000}, {"host": ""}])
def test_what_cannot_be_an_access_is_refused(options):
    with pytest.raises(AccessError, match=next(iter(options))):
        Access(**options)


@pytest.mark.parametrize("path", ["/number", "/none", "/broken", "/static/kit/none.js"])
def test_every_answer_forbids_the_browser_what_the_page_does_not_need(path):
    client = client_of(app_of())
    for answer in (client.get(path), client.get(path, headers={"host": "evil.example"})):
        rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "cache-control" in answer.headers


def test_errors_are_sentences_and_tell_no_secrets():
    client = client_of(app_of())
    broken, none, wrong = client.get("/broken"), client.get("/none"), client.post("/number", json=[])
    assert (broken.status_code, none.status_code, wrong.status_code) == (500, 404, 422)
    assert all(set(answer.json()) == {"error"} for answer in (broken, none, wrong))
    assert "secret" not in broken.text


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "..%5csecret.txt", "link.txt", "folder/secret.txt"],
)
def test_only_files_of_a_folder_are_served(tmp_path, path):
    served = tmp_path / "served"
    served.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (served / "page.txt").write_text("page")
    (served / "link.txt").symlink_to(tmp_path / "secret.txt")
    (served / "folder").symlink_to(tmp_path)
    client = client_of(app_of(static={"/static/page": served}, index=served / "page.txt"))
    assert client.get("/static/page/page.txt").text == client.get("/").text == "page"
    answer = client.get(f"/static/page/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text
