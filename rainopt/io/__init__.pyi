from .images.files import (
    ImageFile,
    copy_image,
    image_size,
    is_format,
    read_image,
    read_image_file,
    read_metadata,
    write_image,
)
from .images.formats import RAW_SUFFIXES, READABLE_SUFFIXES, WRITABLE_SUFFIXES
from .images.metadata import MAX_PIXELS, ImageFileError, ImageFileExistsError, ImageMetadata

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
