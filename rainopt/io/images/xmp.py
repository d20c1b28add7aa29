"""XMP packets: what would be untrue of an upright picture that stands alone is taken out, the rest stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xml.dom.minidom import Document, Element

# What a packet may be at most; larger ones hold pictures rather than descriptions.
MAX_PACKET = 16 << 20

_TIFF = "http://ns.adobe.com/tiff/1.0/"
_THUMBNAILS = {("http://ns.adobe.com/xap/1.0/", "Thumbnails")}
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_CONTAINERS = {"http://ns.google.com/photos/1.0/container/", "http://ns.google.com/photos/dd/1.0/device/"}
_EXTENDED = {("http://ns.adobe.com/xmp/note/", "HasExtendedXMP")}
_GAIN_MAP = {"http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/"}
_DEPTH = {"http://ns.google.com/photos/1.0/depthmap/", "http://ns.google.com/photos/1.0/image/"}
_DEPTH |= {"http://ns.google.com/photos/1.0/audio/"}
_FILM = ("MotionPhoto", "MicroVideo")

# Cheap signs that a packet needs to be looked into.
_SIGNS = re.compile(
    rb"ns\.adobe\.com/tiff|Thumbnails|photos/1\.0/|photos/dd/|xmp/note|hdr-gain-map|HDRGainMap|<!DOCTYPE|<!ENTITY"
)


def make_upright(packet: bytes | None) -> tuple[bytes | None, tuple[str, ...]]:
    """Return a packet fit for an upright picture on its own, and what was taken out of it, each after "without".

    The orientation is reset, and thumbnails, which would show the old picture, are dropped. So are claims of further
    pictures in the same file: gain map, film, depth map. A packet without any of these keeps its bytes. One that is
    no XML, declares entities, which XMP forbids, or is huge is dropped.
    """
    if not packet:
        return None, ()
    if len(packet) > MAX_PACKET:
        return None, (f"the XMP data, whose {len(packet)} bytes are too many",)
    packet = packet.rstrip(b"\0")
    if not _SIGNS.search(packet):
        return packet, ()
    from xml.dom import minidom
    from xml.parsers.expat import ExpatError

    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return None, ("the XMP data, which declare entities",)
    try:
        tree = minidom.parseString(packet)
    except (ExpatError, ValueError):
        return None, ("the XMP data, which are damaged",)
    changed, told = _clean(tree)
    if not changed:
        return packet, ()
    return "".join(node.toxml() for node in tree.childNodes).encode(), tuple(dict.fromkeys(told))


def _clean(tree: Document) -> tuple[bool, list[str]]:
    """Take out what is untrue; return whether anything was changed, and what is worth a word."""
    changed, told = False, []
    for owner, node in list(_properties(tree)):
        space, name = node.namespaceURI, node.localName
        if (space, name) == (_TIFF, "Orientation"):
            changed |= _set_upright(node)
            continue
        word = _claim(space, name)
        if word is None:
            continue
        changed = True
        if word:
            told.append(word)
        if node.nodeType == node.ATTRIBUTE_NODE:
            owner.removeAttributeNode(node)
        else:
            owner.removeChild(node)
    return changed, told


def _properties(tree: Document) -> Iterator[tuple[Element, Any]]:
    """Yield the properties of all descriptions, attributes or elements, with their owners."""
    for description in tree.getElementsByTagNameNS("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "Description"):
        attributes = description.attributes
        for index in range(attributes.length):
            yield description, attributes.item(index)
        for child in description.childNodes:
            if child.nodeType == child.ELEMENT_NODE:
                yield description, child


def _claim(space: str | None, name: str) -> str | None:
    """Return what a property claims to be in the file besides, "" if not worth a word, None if nothing."""
    if (space, name) in _THUMBNAILS:
        return ""
    if (space, name) in _EXTENDED:
        return "the extended XMP data"
    if space in _GAIN_MAP:
        return "the gain map"
    if space == _CAMERA and name.startswith(_FILM):
        return "the film of the motion photo"
    if space in _DEPTH:
        return "the depth map"
    return "" if space in _CONTAINERS else None


def _set_upright(node: Any) -> bool:
    """Set an orientation to 1, and tell whether it was another."""
    if node.nodeType == node.ATTRIBUTE_NODE:
        before, node.value = node.value, "1"
        return before.strip() != "1"
    text = "".join(child.data for child in node.childNodes if child.nodeType == child.TEXT_NODE)
    for child in list(node.childNodes):
        node.removeChild(child)
    node.appendChild(node.ownerDocument.createTextNode("1"))
    return text.strip() != "1"
