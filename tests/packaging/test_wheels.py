"""The distribution: what is in it, that it works by itself, and that every extra brings what it is for.

Everything here fetches packages, and takes minutes: slow.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.support import photographs

ROOT = Path(__file__).parents[2]
PINS = ROOT / "constraints.txt"
PACKAGES = ("rainopt", "data_tools", "rainnet")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def run(words, cwd, status=0):
    """Run a command without what this tree lends by its environment, and return what it says."""
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ended = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == status, said
    return said


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The archive of sources and the wheel that is built of it, of a copy of what git keeps."""
    place = tmp_path_factory.mktemp("dist")
    tree = place / "tree"
    kept = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT).split("\0")
    for name in filter(None, kept):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    run([sys.executable, "-m", "build", "--outdir", place / "out", tree], place)
    (wheel,) = (place / "out").glob("*.whl")
    (sources,) = (place / "out").glob("*.tar.gz")
    return tree, sources, wheel


@pytest.fixture(scope="module")
def install(built, tmp_path_factory):
    """Return what makes an environment with the wheel and some extras, and returns the folder of its programs."""

    def made(*extras):
        folder = tmp_path_factory.mktemp("env")
        venv.create(folder, with_pip=True, symlinks=True)
        what = f"{built[2]}[{','.join(extras)}]" if extras else str(built[2])
        run([folder / "bin/python", "-m", "pip", "install", "-q", "-c", PINS, what], folder)
        run([folder / "bin/python", "-m", "pip", "check"], folder)
        return folder / "bin"

    return made


@pytest.fixture
def photo(tmp_path):
    """A rainy photograph as a file."""
    from data_tools import RainSpec, add_rain
    from rainopt import write_image

    rng = np.random.default_rng(1)
    rainy = add_rain(photographs.photograph("coffee")[:160, :200], RainSpec.sample("medium", rng), rng).rainy
    write_image(tmp_path / "photo.png", np.rint(rainy * 255).astype(np.uint8))
    return tmp_path / "photo.png"


def test_the_wheel_holds_all_files_of_the_packages_and_nothing_else(built):
    tree, _, wheel = built
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {
        str(path.relative_to(tree)) for package in PACKAGES for path in (tree / package).rglob("*") if path.is_file()
    }


def test_the_sources_hold_what_builds_and_tests(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (
        "pyproject.toml",
        "Makefile",
        "constraints.txt",
        "LICENSE",
        "README.md",
        "tests/conftest.py",
        "docs",
    ):
        assert any(name == needed or name.startswith(f"{needed}/") for name in names), needed


def test_without_extras_photographs_are_derained_and_what_is_missing_is_named(install, photo):
    programs = install()
    run([programs / "rainopt", "derain", photo, "-o", "out/", "--save-rain"], photo.parent)
    assert (photo.parent / "out/photo.png").exists()
    code = "import sys, rainopt, rainnet, data_tools; print(*{'torch', 'av', 'skimage', 'fastapi'} & set(sys.modules))"
    assert run([programs / "python", "-c", code], photo.parent).strip() == ""
    (photo.parent / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(64))
    for words, extra, status in [
        (["rainopt", "derain", "clip.mp4", "-o", "clean.mp4"], "video", 1),
        (["rainopt", "derain", photo, "-o", "refined/", "--refine"], "refine", 2),
        (["rainopt", "studio", photo, "--no-browser"], "review", 1),
        (["raindata", "verify", photo.parent], "data", 1),
        (["rainnet", "derain", photo, "-o", "net/"], "net", 1),
    ]:
        said = run([programs / words[0], *words[1:]], photo.parent, status=status)
        assert f"pip install 'rainopt[{extra}]'" in " ".join(said.split()), said


def _heif(programs, photo):
    code = "import pillow_heif; pillow_heif.from_bytes('RGB', (64, 64), bytes(3 * 64 * 64)).save('phone.heic')"
    run([programs / "python", "-c", code], photo.parent)
    run([programs / "rainopt", "derain", "phone.heic", "-o", "out/"], photo.parent)


def _raw(programs, photo):
    # Only rawpy can tell that what begins as a raw photograph is damaged.
    (photo.parent / "bad.cr2").write_bytes(b"II*\0\x10\0\0\0CR\x02\0" + bytes(64))
    assert "rainopt[raw]" not in run([programs / "rainopt", "derain", "bad.cr2", "-o", "out/"], photo.parent, status=1)
    run([programs / "python", "-c", "import rawpy"], photo.parent)


def _video(programs, photo):
    make = (
        "import av, numpy as np\n"
        "with av.open('clip.mp4', 'w') as file:\n"
        "    track = file.add_stream('mpeg4', rate=10); track.width, track.height = 96, 64\n"
        "    for k in range(6):\n"
        "        frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 90 + k, np.uint8), format='rgb24')\n"
        "        file.mux(track.encode(frame))\n"
        "    file.mux(track.encode())\n"
    )
    run([programs / "python", "-c", make], photo.parent)
    run([programs / "rainopt", "derain", "clip.mp4", "-o", "clean.mp4"], photo.parent)
    assert (photo.parent / "clean.mp4").stat().st_size > 0


def _refine(programs, photo):
    run([programs / "rainopt", "derain", photo, "-o", "out/", "--refine"], photo.parent)


def _net(programs, photo):
    run([programs / "rainnet", "derain", photo, "-o", "out/"], photo.parent)
    assert "refine" in run([programs / "rainnet", "list"], photo.parent)


def _export(programs, photo):
    run([programs / "rainnet", "export", "udgnet-small", "-o", "net.onnx"], photo.parent)


def _data(programs, photo):
    (photo.parent / "clean").mkdir()
    shutil.copy(photo, photo.parent / "clean")
    run([programs / "raindata", "synth", "clean", "-o", "pairs", "--count", "2"], photo.parent)
    run([programs / "raindata", "verify", "pairs"], photo.parent)


def _cluster(programs, photo):
    run([programs / "python", "-c", "import distributed, data_tools.build"], photo.parent)


def _review(programs, photo):
    words = [programs / "rainopt", "studio", photo, "--no-browser", "--json"]
    served = subprocess.Popen([str(word) for word in words], cwd=photo.parent, stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(served.stdout.readline())["url"]
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert b"<html" in answer.read()
    finally:
        served.send_signal(signal.SIGINT)
        served.communicate(timeout=30)
    assert served.returncode == 130


USES = {
    ("video",): _video,
    ("heif",): _heif,
    ("raw",): _raw,
    ("refine",): _refine,
    ("data",): _data,
    ("data", "cluster"): _cluster,
    ("review",): _review,
    ("net",): _net,
    ("net", "export"): _export,
}
# Of a card, of who works on this project, and of what is compiled where it is installed: these are resolved below.
RESOLVED_ALONE = {"gpu", "gpu13", "dev", "docs", "peers"}


def test_every_extra_is_used_here_or_resolved():
    used = {extra for extras in USES for extra in extras}
    assert used | RESOLVED_ALONE >= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize("extras", USES, ids="+".join)
def test_an_extra_brings_what_it_is_for(install, photo, extras):
    USES[extras](install(*extras), photo)


@pytest.mark.parametrize("version", ["3.11.9", "3.12.0", "3.13.0"])
def test_the_pins_are_there_for_each_python(tmp_path, version):
    """A dry resolve, by wheels alone; prox_tv has none, and cards' packages are large."""
    extras = sorted(set(PROJECT["optional-dependencies"]) - {"gpu", "gpu13", "peers"})
    words = [sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed", "--only-binary=:all:"]
    words += [
        "--python-version",
        version,
        "--target",
        tmp_path / "none",
        "--report",
        tmp_path / "report.json",
        "-c",
        PINS,
    ]
    run([*words, f"{ROOT}[{','.join(extras)}]"], tmp_path)
    found = {one["metadata"]["name"].lower() for one in json.loads((tmp_path / "report.json").read_text())["install"]}
    assert {"rainopt", "numba", "torch", "av"} <= found
