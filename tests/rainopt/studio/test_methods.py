"""Methods of other packages, which the page finds without knowing of them."""

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from rainnet.commands.page_methods import methods as networks
from rainnet.zoo import entry_of, names
from rainopt.app import methods as module
from rainopt.app.methods import GROUP, Wish, methods_with
from rainopt.app.results import OutputSettings
from rainopt.commands.solver_methods import own_methods
from rainopt.io import read_image, write_image
from rainopt.studio.asked import Asked
from rainopt.studio.looks import excerpt_of, seen_by
from rainopt.studio.photo import Photo, shown
from rainopt.studio.results import wish_of
from tests.support.photos import levels, rainy, save_photo


@pytest.fixture
def points(monkeypatch):
    found = []
    monkeypatch.setattr(module, "entry_points", lambda group: found if group == GROUP else [])
    return found


def test_methods_are_found_by_entry_points(points, caplog):
    assert list(methods_with(own_methods())) == ["solver", "refine"]
    points.append(EntryPoint("rainnet", "rainnet.commands.page_methods:methods", GROUP))
    points.append(EntryPoint("broken", "nowhere:methods", GROUP))
    found = methods_with(own_methods())
    assert {"solver", "refine", "rainnet:refine", "rainnet:udgnet-small"} <= set(found)
    assert "'nowhere:methods' are left out" in caplog.text


def test_the_entry_point_of_networks_is_in_the_distribution():
    import tomllib

    said = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert said["project"]["entry-points"][GROUP] == {"rainnet": "rainnet.commands.page_methods:methods"}


def test_commands_say_what_is_wished():
    solver, refine = own_methods()
    wish = Wish((12.0, -20.5), 1.5, True, Path("-m.png"))
    words = [
        "rainopt",
        "derain",
        "--angle",
        "12",
        "--angle",
        "-20.5",
        "--strength",
        "1.5",
        "--veil",
        "--marks",
        "./-m.png",
    ]
    assert solver.command(wish) == words
    assert refine.command(Wish((3.0,))) == ["rainopt", "derain", "--angle", "3", "--refine"]
    network = next(one for one in networks() if one.name == "rainnet:udgnet-small")
    assert network.command(wish)[:4] == ["rainnet", "derain", "--model", "udgnet-small"]
    assert network.command(wish)[-4:] == ["--angle", "12", "--angle", "-20.5"]


def test_networks_that_ship_are_told_as_many_directions_as_they_take():
    for method in networks():
        (network,) = (name for name in names() if method.name.removeprefix("rainnet:") in entry_of(name).weights)
        model = entry_of(network).model
        assert model.directional
        assert (method.directions, method.found) == (3, 3 if model.starts else 1)


@pytest.mark.parametrize("name", ["refine", "rainnet:udgnet-small"])
def test_networks_derain_a_file(tmp_path, name):
    method = next(one for one in (*own_methods(), *networks()) if one.name == name)
    source = save_photo(tmp_path / "a.png")
    task = method.task(source, Wish((0.0, 30.0)), OutputSettings(save_rain=True))
    record = task(source, tmp_path / "out" / "a.png")
    assert record.status == "ok", record.error
    assert (read_image(tmp_path / "out" / "a.png") != read_image(source)).any()
    assert (tmp_path / "out" / "a_rain.png").is_file()


@pytest.mark.parametrize(
    ("name", "lines"), [("refine", None), ("refine", [{"angle": 12.0}]), ("rainnet:udgnet-small", [{"angle": 12.0}])]
)
def test_a_part_is_what_the_file_has_there(tmp_path, name, lines):
    method = next(one for one in (*own_methods(), *networks()) if one.name == name)
    source = tmp_path / "a.png"
    write_image(source, levels(rainy((144, 176), angle=12.0)))
    photo, asked = Photo(source), Asked.of({"method": name, "lines": lines})
    record = method.task(source, wish_of(asked), OutputSettings(save_rain=True))(source, tmp_path / "out" / "a.png")
    assert record.status == "ok", record.error
    file = read_image(tmp_path / "out" / "a.png").astype(float)
    assert np.abs(file - photo.pixels).mean() > 1
    # At places that are no multiples of anything, and the whole.
    for region in (photo.part(67, 59, 50, 41), photo.whole()):
        shares = []
        seen = seen_by(method.part, *excerpt_of(photo, region, asked, method), shares.append)
        there = slice(region.top, region.top + region.height), slice(region.left, region.left + region.width)
        off = np.abs(shown(seen.background) - file[there])
        # The solver's pilot and the colour of the rain are those of the excerpt.
        assert off.max() <= (0 if region == photo.whole() else 8)
        assert off.mean() < 0.2
        assert seen.rain.shape == (region.height, region.width)
        assert max(shares) == 1
