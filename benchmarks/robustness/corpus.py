"""The files that attacks begin with: tiny ones of every format, made here, the same each time."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import struct
import tempfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.robustness.structure import PNG_HEAD, png_chunk

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'

VIDEOS = {
    "h264.mp4": ("libx264", "yuv420p", "aac"),
    "h264.mkv": ("libx264", "yuv420p", None),
    "mpeg4.avi": ("mpeg4", "yuv420p", None),
    "mpeg2.ts": ("mpeg2video", "yuv420p", None),
    "prores.mov": ("prores_ks", "yuv422p10le", None),
    "flash.flv": ("flv", "yuv420p", None),
    "vp9.webm": ("libvpx-vp9", "yuv420p", None),
    "raw.y4m": ("rawvideo", "yuv420p", None),
    "stills.mjpeg": ("mjpeg", "yuvj420p", None),
    "bare.h264": ("libx264", "yuv420p", None),
}
"""Clips by name: codec of the pictures, their pixel format, codec of the sound."""


def noise(*shape: int, bits: int = 8, seed: int = 0) -> np.ndarray:
    """Return noise of a shape, 8 or 16 bits."""
    return np.random.default_rng(seed).integers(0, 2**bits, shape, dtype="uint8" if bits <= 8 else "uint16")


def waves(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return a smooth picture with streaks, RGB uint8."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:height, :width]
    picture = 110 + 50 * np.sin(row / 7)[..., None] * np.cos(column / 9)[..., None] * np.array([1.0, 0.8, 0.6])
    for _ in range(max(height * width // 150, 3)):
        top, at = rng.integers(height), rng.integers(width)
        picture[top : top + 14, at] += 60
    return np.rint(picture.clip(0, 255)).astype(np.uint8)


@functools.cache
def pictures() -> dict[str, bytes]:
    """Return image files of every format that is read, or that people have."""
    rgb, grey = waves(24, 32), noise(24, 32)
    found = dict(_by_pillow(rgb, grey))
    found |= {f"tifffile-{name}.tif": data for name, data in _by_tifffile(rgb)}
    found["16bit.png"] = png_of(noise(9, 13, 3, bits=16), 16, 2)
    told = [png_chunk(b"gAMA", struct.pack(">I", 100_000)), png_chunk(b"cICP", bytes([9, 16, 0, 1]))]
    told.append(png_chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)))
    told.append(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    found["told.png"] = png_of(noise(9, 13, 3), 8, 2, *told)
    found["parts.png"] = in_parts(noise(9, 13, 3), 2, 0, 100)
    found["grey16alpha.png"] = png_of(noise(9, 13, 2, bits=16), 16, 4)
    return found


def _by_pillow(rgb: np.ndarray, grey: np.ndarray) -> Iterator[tuple[str, bytes]]:
    from PIL import Image, ImageCms, features

    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6
    exif.get_ifd(0x8769)[0x829A] = 0.01
    exif.get_ifd(0x8825)[1] = "N"
    tags: dict[str, Any] = {"exif": exif.tobytes()}
    tags["xmp"] = XMP
    tags["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    alpha = np.dstack([rgb, grey])
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "rgb.png": (rgb, tags),
        "grey.png": (grey, {}),
        "alpha.png": (alpha, {}),
        "baseline.jpg": (rgb, tags),
        "progressive.jpg": (rgb, {"progressive": True, "quality": 60, "comment": b"made here"}),
        "grey.jpg": (grey, {}),
        "rgb.bmp": (rgb, {}),
        "lossless.webp": (alpha, {"lossless": True, **tags}),
        "lossy.webp": (rgb, {}),
        "pillow.tif": (rgb, {"compression": "tiff_lzw", "icc_profile": tags["icc_profile"]}),
        "rgb.gif": (rgb, {}),
    }
    if features.check("avif"):
        kinds["rgb.avif"] = (rgb, {"exif": exif.tobytes()})
    for name, (pixels, options) in kinds.items():
        yield name, _saved(Image.fromarray(pixels), name, **options)
    cmyk = Image.fromarray(rgb).convert("CMYK")
    yield "cmyk.jpg", _saved(cmyk, "cmyk.jpg")
    palette = Image.fromarray(rgb).quantize(16)
    yield "palette.png", _saved(palette, "palette.png", transparency=3)
    yield "bits.png", _saved(Image.fromarray(grey).convert("1"), "bits.png")
    frames = [Image.fromarray(rgb), Image.fromarray(rgb[::-1])]
    for name in ("moving.webp", "moving.png", "moving.gif"):
        yield name, _saved(frames[0], name, save_all=True, append_images=frames[1:])
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
        yield "rgb.heic", _saved(Image.fromarray(rgb), "rgb.heic")
    except (ImportError, OSError, KeyError):  # the extra is not there, or it cannot write
        return


def _saved(image: Any, name: str, **options: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    image.save(file, Image.registered_extensions()[Path(name).suffix], **options)
    return file.getvalue()


def _by_tifffile(rgb: np.ndarray) -> Iterator[tuple[str, bytes]]:
    import tifffile

    kinds: dict[str, tuple[np.ndarray, dict[str, Any], dict[str, Any]]] = {
        "deflate16": (noise(24, 32, 3, bits=16), {}, {"compression": "zlib", "predictor": True}),
        "float": (np.random.default_rng(0).random((9, 13), dtype=np.float32), {}, {}),
        "tiled": (rgb, {}, {"tile": (16, 16), "compression": "zlib"}),
        "big": (rgb, {"bigtiff": True}, {}),
        "motorola": (rgb, {"byteorder": ">"}, {}),
        "planar": (np.moveaxis(rgb, -1, 0), {}, {"planarconfig": "separate"}),
        "strips": (rgb, {}, {"rowsperstrip": 5}),
    }
    for name, (pixels, container, options) in kinds.items():
        file = io.BytesIO()
        photometric = "rgb" if pixels.ndim == 3 else "minisblack"
        with tifffile.TiffWriter(file, **container) as writer:
            writer.write(pixels, photometric=photometric, metadata=None, **options)
        yield name, file.getvalue()
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for page in (rgb, rgb[::-1]):
            writer.write(page, photometric="rgb", metadata=None)
    yield "pages", file.getvalue()
    # As cameras of many makes write it: a mosaic of 12 bits, and how it is to be developed.
    told: dict[int, tuple[int, int, Any]] = {33421: (3, 2, (2, 2)), 33422: (1, 4, bytes([0, 1, 1, 2]))}
    told |= {50706: (1, 4, bytes([1, 4, 0, 0])), 50708: (2, 4, "cam"), 50714: (4, 1, 64), 50717: (4, 1, 4095)}
    tags = [(tag, *values, True) for tag, values in told.items()]
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(noise(48, 64, bits=12), photometric="cfa", metadata=None, extratags=tags)
    yield "raw", file.getvalue()


def png_of(array: np.ndarray, depth: int, colour: int, *extra: bytes) -> bytes:
    """Return a PNG file by the specification, without a filter."""
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in array)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", head), *extra, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return PNG_HEAD + b"".join(chunks)


def in_parts(array: np.ndarray, *lengths: int) -> bytes:
    """Return an 8-bit RGB PNG file whose data are in chunks of some lengths, and a last one."""
    whole = png_of(array, 8, 2)
    at = whole.index(b"IDAT") - 4
    length = int.from_bytes(whole[at : at + 4], "big")
    data, parts = whole[at + 8 : at + 8 + length], []
    for part in lengths:
        parts.append(png_chunk(b"IDAT", data[:part]))
        data = data[part:]
    return b"".join([whole[:at], *parts, png_chunk(b"IDAT", data), whole[at + 12 + length :]])


@functools.cache
def videos() -> dict[str, bytes]:
    """Return clips of six frames of 48 × 64 pixels, in the containers and codecs that people have."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (codec, pixels, sound) in VIDEOS.items():
            clip(Path(folder, name), codec, pixels, sound)
        return {name: Path(folder, name).read_bytes() for name in VIDEOS}


def clip(
    path: Path,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    sound: str | None = None,
    size: int = 48,
    count: int = 6,
) -> Path:
    """Write a clip of a scene with moving streaks, as another program would."""
    import av

    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = size, size * 4 // 3, pixels
        # One thread: the same bytes whatever the computer.
        stream.codec_context.thread_count = 1
        audio: Any = output.add_stream(sound, rate=8000) if sound else None
        if audio is not None:
            audio.layout = "mono"
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(waves(size, size * 4 // 3, seed=k), "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = k, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if audio is not None:
            tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            tone.sample_rate, tone.pts = 8000, 0
            output.mux(audio.encode(tone))
            output.mux(audio.encode(None))
    return path


def manifest() -> list[dict[str, Any]]:
    """Return the lines of a manifest: header, a pair, a rainy picture alone, a sequence."""
    return [
        {"tool": "rainopt", "licence": "CC0-1.0", "format": "rainopt-manifest", "version": 1},
        {
            "id": "a",
            "rainy": "rainy/a.png",
            "clean": "clean/a.png",
            "rain": "rain/a.png",
            "mask": "mask/a.png",
            "scene": "yard",
            "split": "train",
            "checksums": {"rainy/a.png": "0" * 64},
            "spec": {"angle": 3.0},
            "angle": 3.0,
        },
        {"id": "b", "rainy": "rainy/b.png"},
        {"id": "c", "clean": "clean/c.png", "frames": [{"rainy": "rainy/c1.png"}, {"rainy": "rainy/c2.png"}]},
    ]


def manifest_bytes(lines: list[Any]) -> bytes:
    """Return the lines of a manifest as a file."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@functools.cache
def network() -> bytes:
    """Return the file of a small UDGNet."""
    import torch

    import rainnet

    torch.manual_seed(0)
    net = rainnet.create("udgnet", features=4, blocks=1, stride=2, angle_features=4, angle_stages=2)
    with tempfile.TemporaryDirectory() as folder:
        return rainnet.save(net, Path(folder, "net.safetensors"), facts={"steps": 1}).read_bytes()


def told() -> list[tuple[str, int, str]]:
    """Return name, size and the first digits of the SHA-256 of every file."""
    files = pictures() | videos() | {"net.safetensors": network(), "manifest.jsonl": manifest_bytes(manifest())}
    return [(name, len(data), hashlib.sha256(data).hexdigest()[:12]) for name, data in files.items()]
