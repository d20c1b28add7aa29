"""Memory that is kept between frames, and given back after them."""

import ctypes
import json
import subprocess
import sys

import pytest

from rainnet.infer.heap import kept

LARGE = 40 << 20  # bytes, more than glibc keeps by itself
# In a process of its own: areas that other tests have freed would be used again in any case.
ROUNDS = f"""
import ctypes, json, resource
from rainnet.infer.heap import kept

library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]

def touched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        area = library.malloc({LARGE})
        ctypes.memset(area, 1, {LARGE})
        library.free(area)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def median(values):
    return sorted(values)[len(values) // 2]

found = {{"alone": median([touched() for _ in range(5)])}}
with kept():
    found["kept"] = median([touched() for _ in range(5)])
    within = held()
found["given back"] = within - held()
print(json.dumps(found))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="glibc alone is told")
def test_pages_are_touched_once_and_given_back():
    done = subprocess.run([sys.executable, "-c", ROUNDS], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["kept"] < LARGE // 4096 // 4
    assert found["alone"] > LARGE // 4096 // 4 or _huge_pages()
    assert found["given back"] > LARGE // 2


def _huge_pages():
    with open("/sys/kernel/mm/transparent_hugepage/enabled") as file:
        return "[always]" in file.read()


def test_another_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("rainnet.infer.heap._found", lambda name: None)
    with kept():
        pass


def test_blocks_within_each_other_end_with_the_outermost(monkeypatch):
    told = []
    functions = {
        "mallopt": lambda name, value: told.append((name, value)),
        "malloc_trim": lambda pad: told.append("trim"),
    }
    monkeypatch.setattr("rainnet.infer.heap._found", functions.get)
    with kept():
        with kept():
            begun = list(told)
        assert told == begun
    assert told.count("trim") == 1
    assert len(told) == 5
