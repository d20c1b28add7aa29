"""Kernels are kept where they can be, announced when they are compiled, and never lost to a bad cache."""

import importlib.util
import logging
import pickle
import subprocess
import sys

import numba
import numpy as np
import pytest

from rainopt.kernels import compiler
from rainopt.kernels.announce import on_compile

SOURCE = """
from rainopt.kernels.compiler import compiled

@compiled
def more(x):
    return 2 * x + 1

@compiled
def total(values):
    result = 0.0
    for k in range(values.size):
        result += more(values[k])
    return result
"""
VALUES = np.arange(4.0)


@pytest.fixture
def heard():
    names = []
    forget = on_compile(names.append)
    yield names
    forget()


@pytest.fixture
def kernel(tmp_path, monkeypatch, heard):
    """Import a file of kernels anew, and return what its kernel gives and which kernels were compiled for it."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(compiler, "_warned", False)
    file = tmp_path / "code" / "loops.py"
    file.parent.mkdir()
    file.write_text(SOURCE)

    def run():
        heard.clear()
        spec = importlib.util.spec_from_file_location("loops", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.total(VALUES), sorted(heard)

    return run


FRESH = (16.0, ["loops.more", "loops.total"])


def test_what_is_compiled_is_announced_once_and_kept(kernel, heard):
    assert kernel() == FRESH
    assert kernel() == (16.0, [])
    again = on_compile(heard.append)
    again()
    again()  # to hear no more twice is no harm


def halved(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def changed(file):
    content = bytearray(file.read_bytes())
    content[-40] ^= 1
    file.write_bytes(content)


def of_a_type_that_has_moved(file):
    file.write_bytes(file.read_bytes().replace(b"numba.core.types", b"numba.kern.types"))


def not_a_pickle(file):
    file.write_text("nothing")


@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("damage", [halved, changed, of_a_type_that_has_moved, not_a_pickle])
def test_a_damaged_cache_is_compiled_again_and_then_whole(kernel, tmp_path, damage, pattern, caplog):
    kernel()
    files = list((tmp_path / "kept").rglob(pattern))
    before = [file.read_bytes() for file in files]
    for file in files:
        damage(file)
    if before != [file.read_bytes() for file in files]:
        assert kernel() == FRESH
    assert kernel() == (16.0, [])
    assert not caplog.records  # there is nothing to be done about it


def test_code_under_the_name_of_another_signature_is_not_run(kernel, tmp_path):
    # As two processes leave it that compile for two types at once.
    kernel()
    index = next(path for path in (tmp_path / "kept").rglob("*.nbi") if "total" in path.name)
    with index.open("rb") as file:
        version, (stamp, overloads) = pickle.load(file), pickle.load(file)
    (key, name), *_ = overloads.items()
    other = (numba.typeof((np.arange(4.0, dtype=np.float32),)).types, *key[1:])
    index.write_bytes(pickle.dumps(version) + pickle.dumps((stamp, {other: name, key: name})))
    spec = importlib.util.spec_from_file_location("loops", tmp_path / "code" / "loops.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.total(VALUES.astype(np.float32)) == 16
    assert module.total(VALUES) == 16


def test_without_a_folder_to_write_to_kernels_work_and_it_is_said_once(kernel, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    (tmp_path / "code" / "__pycache__").write_text("a file where a folder is wanted")
    monkeypatch.setenv("HOME", "~")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert kernel() == FRESH
    assert kernel() == FRESH
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "set NUMBA_CACHE_DIR to a folder" in record.getMessage()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code"]


def test_a_cache_that_can_be_read_and_not_written_is_used(kernel, tmp_path, monkeypatch, caplog):
    kernel()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiler._SealedFile, "save", full)
    assert kernel() == (16.0, [])
    for file in (tmp_path / "kept").rglob("*.nbi"):
        halved(file)
    assert kernel() == FRESH
    (record,) = caplog.records
    assert "No space left on device" in record.getMessage()


@pytest.mark.slow
def test_what_is_compiled_at_setup_serves_a_photograph(tmp_path):
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": "", "PYTHONPATH": ":".join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-m", "rainopt.kernels"], env=environment, check=True, capture_output=True)
    program = """
import numpy as np, rainopt
from rainopt.kernels.announce import on_compile
names = []
on_compile(names.append)
image = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
rainopt.derain(image)
rainopt.derain(image, angle=12.0)
rainopt.derain(image[..., 0], angle=12.0, weights=rainopt.UDGWeights())
rainopt.percentile_background(np.stack([image, image]))
print(names)
"""
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
