"""Memory that is kept between frames, and given back after them."""

import ctypes
import resource

import pytest
import torch

from rainnet.infer.heap import kept

LARGE = 40 << 20  # bytes, more than glibc keeps by itself


def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.ones(LARGE // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="glibc alone is told")
def test_pages_are_touched_once():
    with kept():
        faults()
        assert faults() < LARGE // 4096 // 4
    assert faults() > LARGE // 4096 // 4 or _huge_pages()


def _huge_pages():
    with open("/sys/kernel/mm/transparent_hugepage/enabled") as file:
        return "[always]" in file.read()


def test_another_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("rainnet.infer.heap._found", lambda name: None)
    with kept():
        pass
