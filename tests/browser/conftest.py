"""Pages in a headless Chromium; skipped, with the reason, where it or Playwright is not installed."""

import shutil

import pytest

from data_tools.commands.main import app
from tests.support.browsers import ARGUMENTS, Visit, chromium_path, serving
from tests.support.clips import save
from tests.support.datasets import clip
from tests.support.processes import call
from tests.support.review_page import at


@pytest.fixture(scope="session")
def browser():
    reason = "install it with: pip install -c constraints.txt playwright"
    sync_api = pytest.importorskip("playwright.sync_api", reason=f"playwright is missing; {reason}")
    path = chromium_path()
    if path is None:
        pytest.skip("chromium is missing; install it, or name it in the variable CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open a page; no page may log an error, but for what a test takes out of `errors`."""
    visits = []

    def open_page(url, **options):
        visits.append(Visit(browser, url, **options))
        return visits[-1]

    yield open_page
    errors = [error for one in visits for error in one.errors]
    for one in visits:
        one.context.close()
    assert errors == []


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A dataset that `raindata build` made of videos: four windows."""
    top = tmp_path_factory.mktemp("videos")
    for name, count in (("astronaut", 42), ("coffee", 21), ("chelsea", 21)):
        save(top / "videos" / f"{name}.mkv", clip(name, count))
    arguments = ["--every", "0.8", "-n", "2", "--no-stabilise"]
    status, _, err = call(app, "build", top / "videos", "-o", top / "dataset", *arguments)
    assert status == 0, err
    return top / "dataset"


@pytest.fixture
def dataset(built, tmp_path):
    """A copy of it, which a test may decide about."""
    return shutil.copytree(built, tmp_path / "dataset")


@pytest.fixture
def review(dataset, visit):
    """The page of its review, at the first scene."""
    with serving("raindata", "review", dataset, "--reviewer", "ada") as server:
        page = visit(server.url).page
        at(page, 1)
        yield page
