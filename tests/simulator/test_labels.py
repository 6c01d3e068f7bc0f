"""Labels, read back by readers that are not ours."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from reportlab.graphics.barcode.code128 import Code128

from shipkit.simulator import labels
from shipkit.simulator.labels import NOTICE, LabelFields, code128

NUMBERS = ["1Z999AA10123456784", "AC000000001", "250049123456789", "9400111899223197428490", "JJD-00 03/41%^~_", "7"]
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=24) | st.text(
    "01234A", min_size=1, max_size=24
)


def fields(number: str = NUMBERS[0], barcode: str = "") -> LabelFields:
    return LabelFields(
        carrier="Acme",
        service="HOME 24",
        number=number,
        reference="order-1042",
        mark="0123456789ABCDEFGHIJ",
        ship_from=("Sender Ltd", "1 Depot Road", "10115 Berlin", "DE"),
        ship_to=("Zoë Ångström", "2 Home^Street~_", "75001 Paris", "FR"),
        package="1/2",
        weight="2.5 kg",
        barcode=barcode,
    )


def read(image: Image.Image) -> list[tuple[str, str]]:
    return [(found.text, found.format.name) for found in zxingcpp.read_barcodes(image)]


def pages(content: bytes, dpi: int = 203) -> list[tuple[tuple[float, float], Image.Image, str]]:
    """Size in millimetres, picture and text of each page."""
    document = pypdfium2.PdfDocument(content)
    try:
        return [
            (
                (page.get_width() / 72 * 25.4, page.get_height() / 72 * 25.4),
                page.render(scale=dpi / 72).to_pil(),
                page.get_textpage().get_text_bounded(),
            )
            for page in document
        ]
    finally:
        document.close()


def draw_zpl(content: bytes) -> Image.Image:
    """What a printer draws of these commands: boxes and bar codes (encoded by reportlab, not by us), no text."""
    text = content.decode()
    width, height = (int(re.search(rf"\^{name}(\d+)", text)[1]) for name in ("PW", "LL"))  # type: ignore[index]
    image = Image.new("1", (width, height), 1)
    canvas = ImageDraw.Draw(image)
    for x, y, commands in re.findall(r"\^FO(\d+),(\d+)(.*?)\^FS", text):
        left, top = int(x), int(y)
        if box := re.fullmatch(r"\^GB(\d+),(\d+),\d+", commands):
            canvas.rectangle((left, top, left + int(box[1]) - 1, top + int(box[2]) - 1), fill=0)
        elif bars := re.fullmatch(r"\^BY(\d+)\^BCN,(\d+),N,N,N,A\^FH\^FD(.*)", commands):
            module, tall = int(bars[1]), int(bars[2])
            data = re.sub(r"_([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), bars[3])
            for bar in runs(data):
                if bar[1]:
                    canvas.rectangle((left, top, left + bar[0] * module - 1, top + tall - 1), fill=0)
                left += bar[0] * module
            assert left <= width, "the bar code is wider than the paper"
    return image


def runs(text: str) -> list[tuple[int, bool]]:
    """Bars (true) and spaces with their widths in modules, as reportlab encodes them."""
    symbol = Code128(text, quiet=False)
    symbol.validate()
    symbol.encode()
    symbol.decompose()
    return [(ord(each.lower()) - ord("a") + 1, each.isupper()) for each in symbol.decomposed]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["PNG", "GIF"])
@pytest.mark.parametrize("dpi", [203, 300])
def test_the_bar_code_of_a_picture_is_read(name: str, number: str, dpi: int) -> None:
    image = Image.open(io.BytesIO(labels.render(name, fields(number), dpi=dpi)))

    assert image.format == name
    assert image.size == (round(105 * dpi / 25.4), round(148 * dpi / 25.4))
    assert read(image) == [(number, "Code128")]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(("size", "paper"), [("A6", (105, 148)), ("A4", (210, 297)), ("4x6", (101.6, 152.4))])
def test_the_bar_code_of_a_pdf_is_read(number: str, size: str, paper: tuple[float, float]) -> None:
    ((measured, picture, _),) = pages(labels.render("PDF", fields(number), size=size))

    assert measured == pytest.approx(paper, abs=0.1)
    assert read(picture) == [(number, "Code128")]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("size", ["A6", "4x6"])
def test_the_bar_code_of_zpl_is_read_once_drawn(number: str, dpi: int, size: str) -> None:
    content = labels.render("ZPL", fields(number), dpi=dpi, size=size)
    assert content.startswith(b"^XA") and content.rstrip().endswith(b"^XZ")
    assert read(draw_zpl(content)) == [(number, "Code128")]


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_printed_is_taken_for_a_zpl_command(number: str) -> None:
    text = labels.render("ZPL", fields(number)).decode()
    commands = {"XA", "CI", "PW", "LL", "FO", "A0", "FH", "FD", "FS", "GB", "BY", "BC", "PQ", "XZ"}
    assert set(re.findall(r"\^(..?)", text)) == commands
    assert "~" not in text
    assert "2 Home_5EStreet_7E_5F" in text


@pytest.mark.parametrize("number", NUMBERS)
def test_epl_names_the_number_in_a_code_128_that_fits_the_paper(number: str) -> None:
    text = labels.render("EPL", fields(number)).decode("cp1252")
    paper = int(re.search(r"^q(\d+)$", text, re.MULTILINE)[1])  # type: ignore[index]
    ((x, narrow, data),) = re.findall(r'^B(\d+),\d+,0,1,(\d+),\d+,\d+,N,"(.*)"$', text, re.MULTILINE)

    assert text.startswith("\nN\n") and text.endswith("P1\n")
    assert data == number
    assert int(x) + int(narrow) * sum(code128.widths(number)) <= paper


@pytest.mark.parametrize("number", NUMBERS)
def test_spl_names_the_number_in_a_code_128(number: str) -> None:
    content = labels.render("SPL", fields(number))
    (data,) = re.findall(rb"\x1bb611\xa0([^\x1e]*)\x1e", content)
    assert content.startswith(b"\x1b@")
    assert data.replace(b"%0", b"%").decode() == number


@given(TEXT)
def test_our_code_128_is_read_and_is_as_short_as_anothers(text: str) -> None:
    modules = sum(code128.widths(text))
    image = Image.new("1", ((modules + 20) * 2, 60), 1)
    draw = ImageDraw.Draw(image)
    x = 20
    for index, width in enumerate(code128.widths(text)):
        if index % 2 == 0:
            draw.rectangle((x, 0, x + width * 2 - 1, 59), fill=0)
        x += width * 2

    assert read(image) == [(text, "Code128")]
    assert modules <= sum(width for width, _ in runs(text))


@pytest.mark.parametrize("text", ["", "Zoë", "a\nb"])
def test_code_128_takes_printable_ascii(text: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        code128.widths(text)
    with pytest.raises(ValueError, match="printable ASCII"):
        labels.render("PNG", fields(text))


@pytest.mark.parametrize("name", ["PDF", "ZPL", "EPL", "SPL"])
def test_every_label_carries_its_fields_and_says_that_it_is_none(name: str) -> None:
    content = labels.render(name, fields())
    encoding = {"ZPL": "utf-8", "EPL": "cp1252", "SPL": "latin-1"}
    text = pages(content)[0][2] if name == "PDF" else content.decode(encoding[name])
    person = "Zo? ?ngstr?m" if name == "SPL" else "Zoë Ångström"

    for printed in (
        NOTICE,
        "ACME",
        "HOME 24",
        NUMBERS[0],
        "order-1042",
        fields().mark,
        "Sender Ltd",
        "1/2 2.5 kg",
        person,
    ):
        assert printed in text


@pytest.mark.parametrize("name", list(labels.FORMATS))
def test_the_same_fields_give_the_same_bytes(name: str) -> None:
    first = labels.render(name, fields())
    time.sleep(0.01)
    assert labels.render(name.lower(), fields()) == first


@pytest.mark.parametrize("name", ["PDF", "ZPL", "EPL", "SPL"])
def test_several_labels_go_into_one_file(name: str) -> None:
    content = labels.render(name, [fields(number) for number in NUMBERS[:3]])
    counted = {
        "PDF": lambda: len(pages(content)),
        "ZPL": lambda: content.count(b"^XA"),
        "EPL": lambda: content.count(b"\nN\n"),
        "SPL": lambda: content.count(b"\x1b@"),
    }
    assert counted[name]() == 3
    if name == "PDF":
        assert [read(picture)[0][0] for _, picture, _ in pages(content)] == NUMBERS[:3]


def test_the_bar_code_may_differ_from_the_number() -> None:
    image = Image.open(io.BytesIO(labels.render("PNG", fields(barcode="%0075001250049"))))
    assert read(image) == [("%0075001250049", "Code128")]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"format": "DOC"}, "no label format DOC"),
        ({"format": "PDF", "size": "A3"}, "no label size A3"),
        ({"format": "ZPL", "dpi": 72}, "203 or 300"),
        ({"format": "PNG", "fields": [fields(), fields()]}, "2 labels do not make one PNG"),
        ({"format": "PDF", "fields": []}, "0 labels do not make one PDF"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        labels.render(**{"fields": fields(), **arguments})  # type: ignore[arg-type]


def test_pillow_and_reportlab_wait_for_the_first_label_that_needs_them() -> None:
    code = (
        "import sys; from shipkit.simulator import labels, Simulator, Dialect, World;"
        "labels.render('ZPL', labels.LabelFields(carrier='A', service='B', number='1'));"
        "print([name for name in ('PIL', 'reportlab', 'httpx', 'lxml', 'zeep') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_repr_has_no_address() -> None:
    assert "Sender" not in repr(fields())
