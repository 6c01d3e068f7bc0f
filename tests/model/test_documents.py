"""The first bytes of a document and its format."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from shipkit.model import DocumentFormat, content_fits

GOOD = {
    "pdf": [b"%PDF-1.4\n...", b"\r\n%PDF-1.7"],
    "png": [b"\x89PNG\r\n\x1a\n\x00"],
    "gif": [b"GIF87a...", b"GIF89a..."],
    "jpg": [b"\xff\xd8\xff\xe0"],
    "tiff": [b"II*\x00...", b"MM\x00*..."],
    "zpl": [b"^XA^FS^XZ", b"\n~DGR:X,1,1,^XA", b"CT~~CD,~CC^~CT~", b"${^XA"],
    "epl": [b"\nN\nq812\nA0,0", b"EPL2\n", b"OD\n"],
    "spl": [b"\x1b\x1d", b"S1\n"],
    "html": [b"<!DOCTYPE html><html>", b"  <html>"],
    "txt": [b"hello"],
    "qr": [b"https://returns.example/1"],
    "zebra2": [b"anything"],
}
BAD = {
    "pdf": [b"", b"<html>", b"{}", b"GIF89a", b"\x00" * 2000 + b"%PDF-"],
    "png": [b"", b"GIF89a", b"%PDF-1.4", b"PNG"],
    "gif": [b"", b"GIF88a", b"\x89PNG\r\n\x1a\n"],
    "jpg": [b"", b"\xff\xd8"],
    "tiff": [b"", b"II"],
    "zpl": [b"", b"<html>not found</html>", b"%PDF-1.4", b'{"error": 1}', b"GIF89a^XA"],
    "epl": [b"", b"<html>", b'{"error": 1}', b"%PDF-1.4", b"<?xml version='1.0'?>"],
    "spl": [b"", b"<!DOCTYPE html>", b"\x89PNG\r\n\x1a\n"],
    "html": [b"", b"%PDF-1.4", b"plain"],
    "txt": [b"", b"%PDF-1.4"],
    "qr": [b"", b"GIF89a"],
    "zebra2": [b""],
}


@pytest.mark.parametrize(
    ("form", "content"), [(form, content) for form, contents in GOOD.items() for content in contents]
)
def test_a_document_of_its_format_is_believed(form: str, content: bytes) -> None:
    assert content_fits(DocumentFormat(form), content)


@pytest.mark.parametrize(
    ("form", "content"), [(form, content) for form, contents in BAD.items() for content in contents]
)
def test_what_is_plainly_something_else_is_not(form: str, content: bytes) -> None:
    assert not content_fits(DocumentFormat(form), content)


def test_every_format_of_the_model_is_tried() -> None:
    assert {str(form) for form in DocumentFormat} <= set(GOOD)


def test_recorded_labels_fit_the_format_that_their_carrier_names(shared: Path) -> None:
    exchanges = json.loads((shared / "recordings" / "ups" / "labels_success.json").read_text(encoding="utf-8"))
    graphics = list(_graphics(exchanges))
    assert graphics
    for graphic in graphics:
        assert content_fits(DocumentFormat.GIF, base64.b64decode(graphic))
        assert not content_fits(DocumentFormat.PDF, base64.b64decode(graphic))


def _graphics(node: object) -> list[str]:
    if isinstance(node, str) and node[:1] in "{[":
        try:
            return _graphics(json.loads(node))
        except ValueError:
            return []
    if isinstance(node, dict):
        own = [node["GraphicImage"]] if isinstance(node.get("GraphicImage"), str) else []
        return own + [found for part in node.values() for found in _graphics(part)]
    return [found for part in node for found in _graphics(part)] if isinstance(node, list) else []
