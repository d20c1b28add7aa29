"""What says what pixels mean and show travels between all formats; what cannot is told in one line."""

import io
import logging
import struct
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, IptcImagePlugin, PngImagePlugin

from rainopt.io import ImageMetadata, read_image_file, read_metadata, write_image
from rainopt.io.images import profile
from tests.support.image_files import chunk, encoded, exif_bytes, picture, plain_png, saved, smooth, told

IPTC = b"\x1c\x02\x78\x00\x05Storm\x1c\x02\x19\x00\x04rain"  # caption and keyword
BLOCK = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
CICP = bytes([12, 13, 0, 1])
SUFFIXES = (".png", ".jpg", ".tif", ".webp", ".avif")


def packet(orientation=1, inner=""):
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        ' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' rdf:about="" tiff:Orientation="{orientation}" xmp:Rating="4">{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def parts(path):
    """Return (profile, EXIF, XMP, IPTC) of a file by other libraries."""
    with Image.open(path) as image:
        image.load()
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        if path.suffix == ".tif":
            with tifffile.TiffFile(path) as tiff:
                tags = tiff.pages[0].tags
                xmp, iptc = (bytes(tags[code].value) if code in tags else None for code in (700, 33723))
        else:
            iptc = IptcImagePlugin.getiptcinfo(image)
            iptc = iptc and b"Storm" in iptc.values() and IPTC
            if path.suffix == ".png":
                raw = image.text.get("Raw profile type iptc", "").split("\n", 3)[-1]
                iptc = IPTC if IPTC in bytes.fromhex("".join(raw.split())) else None
        return image.info.get("icc_profile"), image.getexif(), xmp, iptc


@pytest.mark.parametrize("source", SUFFIXES)
@pytest.mark.parametrize("target", SUFFIXES)
def test_every_pair_of_formats_carries_what_both_hold(tmp_path, caplog, source, target):
    meta = ImageMetadata(profile.srgb_profile(), exif_bytes(6), (300.0, 150.0), xmp=packet(6), photoshop=BLOCK)
    first = write_image(tmp_path / f"a{source}", smooth(), metadata=meta)
    caplog.clear()
    between = read_image_file(first)
    second = write_image(tmp_path / f"b{target}", between.pixels, metadata=between.metadata)
    icc, exif, xmp, iptc = parts(second)
    assert icc == meta.icc
    assert told(exif) == told(exif_bytes())
    assert ElementTree.canonicalize(xmp) == ElementTree.canonicalize(packet(1))
    lost = {source, target} & {".webp", ".avif"}
    assert iptc == (None if lost else IPTC)
    assert len(caplog.records) == (target in (".webp", ".avif") and not {source} & {".webp", ".avif"})
    assert all("without the IPTC data" in line for line in caplog.messages)
    with Image.open(second) as image:
        said = (exif[282], exif[283]) if 282 in exif else image.info["dpi"]
        assert said == pytest.approx((300, 150), abs=0.1)


def test_what_bmp_does_not_hold_is_told_in_one_line(tmp_path, caplog):
    meta = ImageMetadata(profile.srgb_profile(), exif_bytes(), (300, 150), (("cICP", CICP),), packet(), BLOCK)
    meta = ImageMetadata(**vars(meta) | {"texts": (("Title", "storm"),), "notes": ("without the gain map",)})
    write_image(tmp_path / "a.bmp", smooth(), metadata=meta)
    (line,) = caplog.messages
    for what in ("gain map", "profile", "EXIF", "XMP", "IPTC", "Title", "cICP"):
        assert what in line


# PNG's chunks


def read_chunks(path):
    data, at, found = path.read_bytes(), 8, {}
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        found[name] = data[at + 8 : at + 8 + length]
        at += 12 + length
    return found


COLOUR = {
    b"gAMA": struct.pack(">I", 100_000),
    b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000),
    b"sRGB": b"\1",
    b"cICP": bytes([9, 16, 0, 1]),
    b"mDCV": bytes(range(24)),
    b"cLLI": bytes(8),
}


@pytest.mark.parametrize("bits", [8, 16])
def test_png_keeps_its_colour_chunks_and_texts(tmp_path, bits):
    extra = [chunk(name, data) for name, data in COLOUR.items()]
    extra += [chunk(b"tEXt", b"Title\0Storm"), chunk(b"iTXt", b"Author\0\0\0\0\0" + "雨".encode())]
    (tmp_path / "a.png").write_bytes(plain_png(picture("rgb", bits), bits, 2, *extra))
    got = read_image_file(tmp_path / "a.png")
    found = read_chunks(write_image(tmp_path / "b.png", got.pixels, metadata=got.metadata))
    assert {name: found[name] for name in COLOUR} == COLOUR
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert image.text == {"Title": "Storm", "Author": "雨"}


@pytest.mark.parametrize(
    ("chunks", "curve"),
    [
        ({"gAMA": struct.pack(">I", 100_000)}, lambda v: v),
        ({"gAMA": struct.pack(">I", 45_455), "cHRM": COLOUR[b"cHRM"]}, lambda v: v ** (100_000 / 45_455)),
        ({"sRGB": b"\0"}, lambda v: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)),
        ({"cICP": CICP}, lambda v: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)),
    ],
)
@pytest.mark.parametrize("grey", [False, True])
def test_a_profile_says_what_the_chunks_say(chunks, curve, grey):
    # By littlecms, to a linear profile of the same primaries: the curve is all that is left.
    made = ImageCms.ImageCmsProfile(io.BytesIO(profile.from_chunks(chunks, grey)))
    points = {"cICP": profile.PRIMARIES[12]}.get(next(iter(chunks)), profile.PRIMARIES[1])
    if "cHRM" in chunks:
        points = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.329))
    linear = ImageCms.ImageCmsProfile(io.BytesIO(profile.build_profile("linear", points, (1.0,), grey)))
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image.fromarray(values if grey else np.stack([values, values.T, values[::-1]], axis=-1))
    got = ImageCms.applyTransform(image, ImageCms.buildTransform(made, linear, image.mode, image.mode, 1))
    np.testing.assert_allclose(np.asarray(got), 255 * curve(np.asarray(image) / 255), atol=1.01)


def test_primaries_of_a_profile_are_adapted_to_its_white(tmp_path):
    made = ImageCms.ImageCmsProfile(io.BytesIO(profile.srgb_profile())).profile
    known = ImageCms.createProfile("sRGB")
    for colour in ("red", "green", "blue"):
        got, want = (getattr(each, f"{colour}_colorant")[0] for each in (made, known))
        np.testing.assert_allclose(got, want, atol=2e-3)


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp"])
def test_colour_chunks_become_a_profile(tmp_path, suffix):
    for channels in (1, 3):
        meta = ImageMetadata(colour=(("gAMA", COLOUR[b"gAMA"]),))
        path = write_image(tmp_path / f"a{suffix}", smooth(channels=channels), metadata=meta)
        grey = channels == 1 and suffix != ".webp"
        assert parts(path)[0] == profile.from_chunks(dict(meta.colour), grey)


def test_colours_that_no_profile_holds_are_told(tmp_path, caplog):
    meta = ImageMetadata(colour=(("cICP", COLOUR[b"cICP"]),))
    path = write_image(tmp_path / "a.jpg", smooth(), metadata=meta)
    assert parts(path)[0] is None
    assert "colours (cICP)" in caplog.text
    caplog.clear()
    assert read_metadata(write_image(tmp_path / "a.avif", smooth(), metadata=meta)).colour == meta.colour
    assert not caplog.records


def test_raw_profiles_of_other_programs_are_read(tmp_path):
    info = PngImagePlugin.PngInfo()
    for kind, data in (("iptc", b"Photoshop 3.0\0" + BLOCK), ("exif", b"Exif\0\0" + exif_bytes()), ("xmp", packet())):
        info.add_text(f"Raw profile type {kind}", f"\n{kind}\n{len(data):>8}\n{data.hex()}\n", zip=True)
    got = read_metadata(saved(tmp_path / "a.png", smooth(), pnginfo=info))
    assert (got.photoshop, told(got.exif), got.xmp) == (BLOCK, told(exif_bytes()), packet())
    assert got.texts == ()


# Further pictures, and what claims them

GAIN = '<hdrgm:Version xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/">1.0</hdrgm:Version>'
CAMERA = "http://ns.google.com/photos/1.0/camera/"
MOTION = f'<GCamera:MotionPhoto xmlns:GCamera="{CAMERA}">1</GCamera:MotionPhoto>'
EXTENDED = '<n:HasExtendedXMP xmlns:n="http://ns.adobe.com/xmp/note/">0</n:HasExtendedXMP>'


@pytest.mark.parametrize(
    ("inner", "tail", "says"),
    [
        (GAIN, encoded(".jpg", smooth()), "the gain map"),
        (MOTION, b"\0\0\0\x18ftypmp42" + b"\0\0\0\x08moov", "the film of the motion photo"),
        ("", b"\0\0\0\x18ftypmp42" + b"\0\0\0\x08moov", "the film of the motion photo"),
        (EXTENDED, b"", "the extended XMP data"),
        ("", b"trailer", "the 7 bytes behind the end mark"),
        ("", b"\0" * 20, None),
    ],
)
def test_what_lies_behind_a_jpeg_is_told_and_no_longer_claimed(tmp_path, caplog, inner, tail, says):
    (tmp_path / "a.jpg").write_bytes(encoded(".jpg", smooth(), xmp=packet(inner=inner)) + tail)
    got = read_image_file(tmp_path / "a.jpg")
    xmp = parts(write_image(tmp_path / "b.jpg", got.pixels, metadata=got.metadata))[2]
    assert b'xmp:Rating="4"' in xmp
    assert not any(word in xmp for word in (b"hdrgm", b"MotionPhoto", b"HasExtendedXMP"))
    if says is None:
        assert not caplog.records
    else:
        (line,) = caplog.messages
        assert f"b.jpg' is written without {says}" in line
        assert line.count(says) == 1


def test_the_further_pictures_of_a_camera_are_counted(tmp_path):
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (50, 100, 200)]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert read_image_file(tmp_path / "a.jpg").metadata.notes == ("without the 2 further pictures of its file",)


@pytest.mark.parametrize("form", ["attribute", "element"])
def test_orientation_in_xmp_does_not_turn_an_upright_picture(tmp_path, form):
    xmp = packet(6)
    if form == "element":
        xmp = (
            packet(1)
            .replace(b' tiff:Orientation="1"', b"")
            .replace(b"</rdf:Description>", b"<tiff:Orientation>6</tiff:Orientation></rdf:Description>")
        )
    path = write_image(tmp_path / "a.png", smooth(), metadata=ImageMetadata(xmp=xmp))
    with Image.open(path) as image:
        assert image.getexif().get(274, 1) == 1
    assert read_metadata(path).xmp.count(b"4") == xmp.count(b"4")


@pytest.mark.parametrize("bad", [b"<x", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', packet() + b" " * (1 << 24)])
def test_xmp_that_cannot_be_trusted_is_told(tmp_path, caplog, bad):
    bad = bad if b"ns.adobe" in bad else b"<!-- ns.adobe.com/tiff -->" + bad
    path = write_image(tmp_path / "a.webp", smooth(), metadata=ImageMetadata(xmp=bad))
    assert read_metadata(path).xmp is None
    with caplog.at_level(logging.WARNING):
        assert "XMP" in caplog.text


def test_xmp_too_large_for_jpeg_loses_its_padding_first(tmp_path, caplog):
    padded = packet().replace(b"<?xpacket end", b" " * 70_000 + b"<?xpacket end")
    path = write_image(tmp_path / "a.jpg", smooth(), metadata=ImageMetadata(xmp=padded))
    assert ElementTree.canonicalize(read_metadata(path).xmp) == ElementTree.canonicalize(packet())
    assert not caplog.records
    large = packet(inner="<!--" + "x" * 70_000 + "-->")
    assert read_metadata(write_image(path, smooth(), metadata=ImageMetadata(xmp=large))).xmp is None
    assert "XMP" in caplog.text
