"""The texts of a PNG file, and what other programs hide in them: XMP packets, IPTC and EXIF data in hexadecimals."""

from __future__ import annotations

import zlib

from rainopt.io.images import photoshop, xmp

_XMP = "XML:com.adobe.xmp"
# How ImageMagick, ExifTool and Exiv2 hold what PNG has no chunk for.
_RAW = "Raw profile type "
_LONGEST = 16 << 20  # of one text, unpacked
_MOST = 32 << 20  # of all texts together


class Texts:
    """The texts of one file, told apart as they are added."""

    def __init__(self) -> None:
        self.exif: bytes | None = None
        self.xmp: bytes | None = None
        self.photoshop: bytes | None = None
        self.notes: tuple[str, ...] = ()
        self._texts: list[tuple[str, str]] = []
        self._size = 0

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Keywords and texts that are meant to be read."""
        return tuple(self._texts)

    def add(self, name: bytes, data: bytes) -> None:
        """Take in a tEXt, zTXt or iTXt chunk; what cannot be followed is left out."""
        keyword, _, rest = data.partition(b"\0")
        key, encoding = keyword.decode("latin-1"), "latin-1"
        packed = name == b"zTXt"
        if packed:
            rest = rest[1:]
        elif name == b"iTXt":
            encoding, packed = "utf-8", rest[:1] == b"\1"
            rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        if packed:
            try:
                unpacker = zlib.decompressobj()
                rest = unpacker.decompress(rest, _LONGEST)
            except zlib.error:
                return self._leave_out(key, "is damaged")
            if unpacker.unconsumed_tail:
                return self._leave_out(key, f"is longer than {_LONGEST} bytes")
        self._size += len(rest)
        if self._size > _MOST:
            return self._leave_out(key, f"brings all to more than {_MOST} bytes")
        if key == _XMP:
            if self.xmp is None:
                self.xmp, told = xmp.make_upright(rest)
                self.notes += tuple(f"without {what}" for what in told)
        elif key.startswith(_RAW):
            self._add_raw(key.removeprefix(_RAW), rest)
        else:
            self._texts.append((key, rest.decode(encoding, "replace")))

    def _leave_out(self, key: str, why: str) -> None:
        note = f"without the text {key!r}, which {why}"
        if len(self.notes) < 8:
            self.notes += (note,)

    def _add_raw(self, kind: str, text: bytes) -> None:
        """Take in data as hexadecimals behind a line with their kind and one with their length."""
        try:
            content = bytes.fromhex("".join(text.decode("ascii").split("\n", 3)[3].split()))
        except (ValueError, IndexError):
            return
        if kind in ("iptc", "8bim"):
            bare = content[:1] == b"\x1c"
            block = content.removeprefix(photoshop.PREFIX)
            self.photoshop = self.photoshop or photoshop.kept(None if bare else block, content if bare else None)
        elif kind in ("exif", "APP1") and content.startswith(b"Exif\0\0"):
            self.exif = self.exif or content
        elif kind == "xmp" and self.xmp is None:
            self.xmp, told = xmp.make_upright(content)
            self.notes += tuple(f"without {what}" for what in told)


def chunks_of(
    packet: bytes | None, block: bytes | None, texts: tuple[tuple[str, str], ...]
) -> list[tuple[bytes, bytes]]:
    """Return the text chunks that hold an XMP packet, Photoshop's resources and texts."""
    chunks = []
    if packet:
        chunks.append((b"iTXt", _XMP.encode() + b"\0\0\0\0\0" + packet))
    if block:
        digits = block.hex()
        lines = "\n".join(digits[k : k + 72] for k in range(0, len(digits), 72))
        raw = f"\niptc\n{len(block):>8}\n{lines}\n".encode()
        chunks.append((b"zTXt", f"{_RAW}iptc".encode() + b"\0\0" + zlib.compress(raw)))
    for keyword, text in texts:
        key = keyword.encode("latin-1", "replace")[:79] or b"Comment"
        try:
            chunks.append((b"tEXt", key + b"\0" + text.replace("\0", " ").encode("latin-1")))
        except UnicodeEncodeError:
            chunks.append((b"iTXt", key + b"\0\0\0\0\0" + text.replace("\0", " ").encode()))
    return chunks
