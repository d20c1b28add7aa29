"""Files to arrays and back: images and video, written whole or not at all."""

from rainopt.io.images.files import (
    MAX_PIXELS,
    RAW_SUFFIXES,
    READABLE_SUFFIXES,
    WRITABLE_SUFFIXES,
    ImageFile,
    ImageFileError,
    ImageFileExistsError,
    ImageMetadata,
    copy_image,
    image_size,
    is_format,
    read_image,
    read_image_file,
    read_metadata,
    write_image,
)

__all__ = [
    "MAX_PIXELS",
    "RAW_SUFFIXES",
    "READABLE_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "ImageFile",
    "ImageFileError",
    "ImageFileExistsError",
    "ImageMetadata",
    "copy_image",
    "image_size",
    "is_format",
    "read_image",
    "read_image_file",
    "read_metadata",
    "write_image",
]
