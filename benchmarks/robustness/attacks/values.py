"""Odd values, as strategies of hypothesis: arrays of every library, type, shape and layout, and odd scalars."""

from __future__ import annotations

import array
import datetime
import decimal
import fractions
from typing import Any

import numpy as np
from hypothesis import strategies as st

from benchmarks.robustness.corpus import waves

SHAPES: tuple[tuple[int, ...], ...] = (
    (24, 32),
    (24, 32, 3),
    (24, 32, 1),
    (24, 32, 2),
    (24, 32, 4),
    (8, 8),
    (8, 9, 3),
    (3, 24, 32),
)
ODD_SHAPES: tuple[tuple[int, ...], ...] = (
    (),
    (0,),
    (1,),
    (24,),
    (0, 8),
    (8, 0, 3),
    (1, 1),
    (1, 1, 3),
    (7, 7),
    (2, 3),
    (24, 32, 5),
    (24, 32, 0),
)
ODD_SHAPES += ((2, 24, 32, 3), (1, 1, 1, 1, 1), (4000, 2), (2, 4000), (11, 11), (1, 300), (97, 101, 3), (200, 8))
DTYPES = ("uint8", "uint16", "float32", "float64")
ODD_DTYPES: tuple[str, ...] = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint32",
    "uint64",
    "float16",
    "longdouble",
    "complex64",
)
ODD_DTYPES += ("complex128", ">u2", ">f4", "<f8", "object", "S4", "U4", "datetime64[s]", "V6", "float128")
FILLS = (
    "scene",
    "scene",
    "noise",
    "zero",
    "full",
    "half",
    "nan",
    "inf",
    "-inf",
    "huge",
    "negative",
    "denormal",
    "one nan",
)
LAYOUTS = ("plain", "plain", "fortran", "strided", "backwards", "broadcast", "read-only", "unaligned", "swapped axes")
LIBRARIES: tuple[str, ...] = (
    "numpy",
    "numpy",
    "masked",
    "matrix",
    "list",
    "memoryview",
    "torch",
    "torch grad",
    "torch bfloat16",
)
LIBRARIES += (
    "torch sparse",
    "torch meta",
    "torch half",
    "torch conj",
    "strict",
    "array",
    "bytes",
    "generator",
    "subclass",
)


class Named(np.ndarray):
    """A subclass of arrays."""


def filled(shape: tuple[int, ...], dtype: str, fill: str) -> np.ndarray:
    """Return an array of a shape and type; what the type cannot hold becomes something else, without a word."""
    with np.errstate(all="ignore"):
        try:
            kind = np.dtype(dtype)
        except TypeError:
            kind = np.dtype("float32")
        if kind.kind in "OSUMV":
            return np.zeros(shape, kind)
        top = float(np.iinfo(kind).max) if kind.kind in "iu" else 1.0
        values = _values(shape, fill)
        if kind.kind in "iu":
            values = np.nan_to_num(values, posinf=top, neginf=0)
            return np.clip(np.rint(values * min(top, 65535.0)), 0, min(top, 65535.0)).astype(kind)
        return values.astype(kind)


def _values(shape: tuple[int, ...], fill: str) -> np.ndarray:
    if fill == "scene" and len(shape) >= 2 and 0 not in shape:
        scene = waves(shape[0], shape[1])[..., 0] / 255
        return np.broadcast_to(scene.reshape(scene.shape + (1,) * (len(shape) - 2)), shape).copy()
    values = np.random.default_rng(0).random(shape)
    single = {"zero": 0.0, "full": 1.0, "half": 0.5, "nan": np.nan, "inf": np.inf, "-inf": -np.inf, "huge": 1e308}
    single |= {"negative": -0.5, "denormal": 5e-324}
    if fill in single:
        return np.full(shape, single[fill])
    if fill == "one nan" and values.size:
        values.flat[values.size // 2] = np.nan
    return values


def laid_out(values: np.ndarray, layout: str) -> np.ndarray:
    """Return the same values, or nearly, laid out otherwise in memory."""
    match layout:
        case "fortran":
            return np.asfortranarray(values)
        case "strided" if values.ndim:
            return np.repeat(values, 2, axis=0)[::2]
        case "backwards" if values.ndim:
            return values[::-1]
        case "broadcast" if values.ndim >= 2 and values.shape[0]:
            return np.broadcast_to(values[:1], values.shape)
        case "read-only":
            values = values.copy()
            values.flags.writeable = False
            return values
        case "unaligned" if values.dtype.kind in "iufc":
            raw = np.zeros(values.nbytes + 1, np.uint8)
            moved = raw[1:].view(values.dtype).reshape(values.shape)
            moved[...] = values
            return moved
        case "swapped axes" if values.ndim >= 2:
            return values.swapaxes(0, 1).copy().swapaxes(0, 1)
    return values


def in_library(values: np.ndarray, library: str) -> Any:
    """Return values as another library, or type, has them; as they are where that is impossible."""
    match library:
        case "masked":
            mask = np.zeros(values.shape, bool)
            mask[..., : max(1, values.shape[-1] // 3) if values.ndim else None] = True
            return np.ma.masked_array(values, mask)
        case "matrix":
            return np.matrix(values) if values.ndim == 2 else values
        case "list":
            return values.tolist()
        case "memoryview":
            return values.data if values.dtype.kind in "iuf" and values.dtype.isnative else values
        case "array":
            return array.array("d", [0.5] * 8)
        case "bytes":
            return values.tobytes()
        case "generator":
            return (row for row in values) if values.ndim else values
        case "subclass":
            return values.view(Named)
        case "strict" if values.dtype.name in (*DTYPES, *ODD_DTYPES[:7]):
            import array_api_strict

            return array_api_strict.asarray(values)
    return _in_torch(values, library) if library.startswith("torch") else values


def _in_torch(values: np.ndarray, library: str) -> Any:
    import torch

    try:
        tensor = torch.from_numpy(np.array(values, order="C"))
    except (TypeError, ValueError):  # a type or byte order that torch has not
        return values
    match library:
        case "torch grad" if tensor.is_floating_point():
            return tensor.requires_grad_()
        case "torch bfloat16":
            return tensor.to(torch.bfloat16)
        case "torch half":
            return tensor.to(torch.float16)
        case "torch sparse":
            # Of types in which torch cannot count what is not 0, there are no sparse tensors.
            return tensor.to_sparse() if tensor.ndim and values.dtype.kind not in "u" else tensor
        case "torch meta":
            return tensor.to("meta")
        case "torch conj":
            return tensor.to(torch.complex64).conj()
    return tensor


@st.composite
def pictures(draw: st.DrawFn, shapes: tuple[tuple[int, ...], ...] = SHAPES) -> np.ndarray:
    """Return a picture that is to be accepted."""
    shape, dtype = draw(st.sampled_from(shapes)), draw(st.sampled_from(DTYPES))
    return filled(shape, dtype, draw(st.sampled_from(FILLS[:6])))


@st.composite
def odd_pictures(draw: st.DrawFn) -> Any:
    """Return something in the place of a picture: an odd shape, type, content, layout or library, or several."""
    shape, dtype, fill, layout, library = SHAPES[0], "float32", "scene", "plain", "numpy"
    for _ in range(draw(st.integers(1, 3))):
        match draw(st.integers(0, 5)):
            case 0:
                shape = draw(st.sampled_from((*SHAPES, *ODD_SHAPES)))
            case 1:
                dtype = draw(st.sampled_from((*DTYPES, *ODD_DTYPES)))
            case 2:
                fill = draw(st.sampled_from(FILLS))
            case 3:
                layout = draw(st.sampled_from(LAYOUTS))
            case 4:
                library = draw(st.sampled_from(LIBRARIES))
            case _:
                return draw(odd_scalars())
    return in_library(laid_out(filled(shape, dtype, fill), layout), library)


def odd_scalars() -> st.SearchStrategy[Any]:
    """Return what may be given where a number, a word or nothing is expected."""
    return st.one_of(st.sampled_from(range(len(_scalars()))).map(lambda k: _scalars()[k]), st.floats(), st.integers())


def _scalars() -> list[Any]:
    """Return them anew each time: some change when they are used."""
    many: list[Any] = [None, True, False, 0, 1, -1, 2, 3, 7, 8, 45, 90, -90, 91, 1000, 2**31, 2**63, 2**64, 10**30]
    many += [0.0, -0.0, 0.5, 1.0, 1.5, 1e-308, 5e-324, 1e6, 1e308, -1e308, float("nan"), float("inf"), float("-inf")]
    many += ["", "x", "auto", "cpu", "cuda:99", "solver", "1", "\0", "\x1b[31m", b"x", (), (1,), [], [0.5], {}, set()]
    many += [1j, object(), type, len, Ellipsis, slice(None), fractions.Fraction(1, 3), decimal.Decimal("0.5")]
    many += [
        np.float32(0.5),
        np.float64("nan"),
        np.int64(3),
        np.uint8(3),
        np.bool_(True),
        np.array(3.0),
        np.array([1, 2]),
    ]
    many += [np.ma.masked, np.datetime64("2024"), datetime.date(2024, 1, 1), range(3), iter([1.0]), NotImplemented]
    return many


def described(value: Any) -> str:
    """Return an argument in one short piece of a line."""
    kind = type(value).__name__
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        grad = ", grad" if getattr(value, "requires_grad", False) else ""
        return f"{kind}{tuple(value.shape)} {value.dtype}{grad}"
    text = repr(value)
    return text if len(text) < 60 else f"{kind} {text[:50]}..."
