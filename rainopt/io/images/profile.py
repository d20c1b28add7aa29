"""ICC profiles made from what PNG, AVIF and HEIC say of colours in chunks and numbers, for formats that hold profiles.

The numbers go in at the resolution of a profile, 1/65536. Layout and chromatic adaptation are those of ICC.1:2010
(profile version 4.3), code points those of ITU-T H.273.
"""

from __future__ import annotations

import struct

import numpy as np

# x and y of red, green, blue and white, by H.273 code point.
_D65 = (0.3127, 0.3290)
PRIMARIES: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
# Parameters of the ICC's curve of type 3, (g, a, b, c, d): v → (a v + b)^g from d on, c v below; or a gamma alone.
_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709 = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
CURVES: dict[int, tuple[float, ...]] = {
    **dict.fromkeys((1, 6, 14, 15), _BT709),
    4: (2.2,),
    5: (2.8,),
    8: (1.0,),
    13: _SRGB,
}
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_DATE = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)  # fixed, so that the same picture gives the same file


def srgb_profile(grey: bool = False) -> bytes:
    """Return a profile of sRGB, or of its grey axis."""
    return build_profile("sRGB", PRIMARIES[1], _SRGB, grey)


def from_chunks(chunks: dict[str, bytes], grey: bool) -> bytes | None:
    """Return the profile that says what PNG's colour chunks say, in their order of rank; None if no profile can.

    Where gAMA stands alone, the primaries are taken to be those of sRGB, and where cHRM stands alone, the curve, as
    viewers do.
    """
    if "cICP" in chunks:
        primaries, transfer, matrix, full = chunks["cICP"][:4]
        if primaries not in PRIMARIES or transfer not in CURVES or matrix != 0 or full != 1:
            return None
        if (primaries, transfer) == (1, 13):
            return srgb_profile(grey)
        return build_profile(f"H.273 {primaries}/{transfer}", PRIMARIES[primaries], CURVES[transfer], grey)
    if "sRGB" in chunks:
        return srgb_profile(grey)
    if not chunks.keys() & {"gAMA", "cHRM"}:
        return None
    points: tuple[tuple[float, float], ...] = PRIMARIES[1]
    curve: tuple[float, ...] = _SRGB
    name = []
    if "gAMA" in chunks:
        (gamma,) = struct.unpack(">I", chunks["gAMA"])
        if not 1 <= gamma <= 1_000_000_000:
            return None
        curve = (100_000 / gamma,)
        name.append(f"gamma {gamma / 100_000:.5g}")
    if "cHRM" in chunks:
        numbers = [value / 100_000 for value in struct.unpack(">8I", chunks["cHRM"])]
        white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
        points = (red, green, blue, white)
        name.append("chromaticities " + ", ".join(f"{value:.5g}" for value in numbers))
    try:
        return build_profile("PNG " + ", ".join(name), points, curve, grey)
    except (ValueError, ArithmeticError, struct.error, np.linalg.LinAlgError):
        return None


def build_profile(
    name: str, primaries: tuple[tuple[float, float], ...], curve: tuple[float, ...], grey: bool = False
) -> bytes:
    """Return a display profile of one curve for all channels.

    Parameters
    ----------
    name
        Its description.
    primaries
        x and y of red, green, blue and white.
    curve
        A gamma alone, or the five parameters of `CURVES`.
    grey
        Whether it is of one channel.
    """
    *colours, white = (_xyz(*point) for point in primaries)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white)) @ _BRADFORD
    tone = b"para" + struct.pack(">IHH", 0, 0 if len(curve) == 1 else 3, 0) + _fixed(*curve)
    tags = {b"desc": _text(name), b"cprt": _text("No copyright"), b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50)}
    tags[b"chad"] = b"sf32\0\0\0\0" + _fixed(*adapted.ravel())
    if grey:
        tags[b"kTRC"] = tone
    else:
        basis = np.stack(colours, axis=1)
        columns = adapted @ (basis * np.linalg.solve(basis, white))
        for letter, column in zip("rgb", columns.T, strict=True):
            tags[f"{letter}XYZ".encode()] = b"XYZ \0\0\0\0" + _fixed(*column)
            tags[f"{letter}TRC".encode()] = tone
    table, data, places = b"", b"", {}
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        if value not in places:
            places[value] = start + len(data)
            data += value + b"\0" * (-len(value) % 4)
        table += struct.pack(">4sII", tag, places[value], len(value))
    space = b"GRAY" if grey else b"RGB "
    head = struct.pack(">I4sI", start + len(data), b"\0\0\0\0", 0x04300000) + b"mntr" + space + b"XYZ "
    head += _DATE + b"acsp" + bytes(28) + _fixed(*_D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def _xyz(x: float, y: float) -> np.ndarray:
    if y <= 0:
        raise ValueError(f"a chromaticity with y = {y}")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(float(value) * 65536) for value in values))


def _text(value: str) -> bytes:
    data = value.encode("utf-16-be")
    return b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(data), 28) + data
