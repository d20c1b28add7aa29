"""BMP through Pillow, and Pillow's images as arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError

if TYPE_CHECKING:
    from PIL import Image

# For each of Pillow's modes, the one to convert it to.
_MODES = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA", "RGBa": "RGBA"}
_MODES |= {"P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB"}
_STRIP = 1 << 22  # pixels


def open_image(file: BinaryIO) -> Image.Image:
    """Open a file with the class of its format: `PIL.Image.open` would apply the process-wide limit on pixels."""
    file.seek(0)
    magic = file.read(2)
    file.seek(0)
    with _untroubled_by_exif():
        if magic == b"BM":
            from PIL.BmpImagePlugin import BmpImageFile

            return BmpImageFile(file)
        from PIL.TiffImagePlugin import TiffImageFile

        return TiffImageFile(file)


@contextmanager
def _untroubled_by_exif() -> Iterator[None]:
    """Keep Pillow from warning of damaged EXIF data, which are read elsewhere and cost no pixels."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
        yield


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size and resolution of a BMP file."""
    image = open_image(file)
    resolution = image.info.get("dpi")
    if resolution is not None:
        resolution = (float(resolution[0]), float(resolution[1]))
        resolution = resolution if min(resolution) > 0 else None
    return ImageHeader(image.height, image.width, metadata=ImageMetadata(resolution=resolution))


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode the stored pixels to grey or RGB, with alpha where there is one."""
    return to_array(open_image(file))


def to_array(image: Image.Image) -> np.ndarray:
    """Return a Pillow image as an array, converted strip by strip to save copies of the whole."""
    from PIL import ImageFile

    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise UnreadableImageError(
            "is not read while PIL.ImageFile.LOAD_TRUNCATED_IMAGES is set, which hides missing data; set it to False"
        )
    with _untroubled_by_exif():
        image.load()
    if image.mode not in _MODES:
        raise UnreadableImageError(f"holds pixels of mode {image.mode}, which are not read; convert it to RGB")
    mode = "RGBA" if image.mode == "P" and "transparency" in image.info else _MODES[image.mode]
    channels = len(mode)
    shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
    rows = max(1, _STRIP // image.width)
    out = np.empty(shape, np.uint8)
    if image.mode == mode:
        for top in range(0, image.height, rows):
            out[top : top + rows] = _rows(image, top, min(top + rows, image.height)).reshape(-1, *shape[1:])
        return out
    convert = _cmyk_to_srgb(image) if image.mode == "CMYK" else lambda strip: strip.convert(mode)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        out[top:bottom] = np.asarray(convert(image.crop((0, top, image.width, bottom))))
    return out


def _rows(image: Image.Image, top: int, bottom: int) -> np.ndarray:
    """Return some rows of a loaded image as bytes, straight from its memory: a crop would copy them three times."""
    from PIL import Image

    encoder = Image._getencoder(image.mode, "raw", image.mode)
    try:
        encoder.setimage(image.im, (0, top, image.width, bottom))
        size = (bottom - top) * image.width * len(image.mode)
        _, status, data = encoder.encode(size)
    finally:
        encoder.cleanup()
    if status < 0 or len(data) != size:
        raise UnreadableImageError("holds rows that cannot be copied; obtain a fresh copy")
    return np.frombuffer(data, np.uint8)


def _cmyk_to_srgb(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Return a converter by the image's own profile, or by Pillow's plain formula where there is no usable one."""
    import io

    from PIL import ImageCms

    try:
        inks = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        transform = ImageCms.buildTransform(inks, ImageCms.createProfile("sRGB"), "CMYK", "RGB")
    except (KeyError, OSError, ImageCms.PyCMSError):
        return lambda strip: strip.convert("RGB")
    return transform.apply
