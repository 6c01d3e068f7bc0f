"""Playback of recordings, and the comparison of requests that sees through masks."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from shipkit.flow import Request
from shipkit.testing import differences, is_masked, playback

ROW = {
    "source": "somebody/something",
    "exchanges": [
        {
            "request": {"method": "GET", "url": "https://acme.example/a", "headers": {"Accept": "*/*"}, "body": {}},
            "response": {
                "status": 200,
                "headers": {"Content-Type": "text/plain", "Content-Encoding": "gzip", "Content-Length": "9"},
                "body": {"base64": base64.b64encode(b"\x00\xff").decode()},
            },
        },
        {
            "request": {"method": "POST", "url": "https://acme.example/b", "body": {"text": "{}"}},
            "response": {"status": 500, "body": {"text": "é"}},
        },
    ],
}


def post(payload: object, url: str = "https://acme.example/b") -> Request:
    return Request.json("POST", url, payload, name="x")


def test_a_recording_is_read_from_a_value_and_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ROW))

    assert playback(tmp_path / "a.json") == playback(str(tmp_path / "a.json")) == playback(ROW)


def test_a_recording_keeps_the_bytes_and_drops_what_is_no_longer_true_of_them() -> None:
    first, second = playback(ROW).replies

    assert first.content == b"\x00\xff"
    assert first.headers.pairs() == [("Content-Type", "text/plain")]
    assert (second.status, second.content) == (500, "é".encode())


def test_every_shared_recording_can_be_played_back(shared: Path) -> None:
    recordings = [playback(path) for path in sorted((shared / "recordings").glob("*/*.json"))]

    assert sum(len(recording.exchanges) for recording in recordings) == 57
    for recording in recordings:
        for exchange in recording.exchanges:
            assert differences(exchange.request, exchange.request) == ()


@pytest.mark.parametrize("value", ["<masked>", "<REDACTED>", "masked", "xxxx", "***", "1ZXXXXXXXXXXXXXXXX", "%UPS_ID%"])
def test_a_mask_is_seen(value: str) -> None:
    assert is_masked(value)


@pytest.mark.parametrize("value", ["", "a masked ball", "xx", "1Z2220060290602143", 7, None])
def test_a_value_is_no_mask(value: object) -> None:
    assert not is_masked(value)


def test_a_masked_value_matches_whatever_is_there_but_not_nothing() -> None:
    recorded = post({"number": "<masked>", "city": "Lyon"})

    assert differences(post({"number": "A1", "city": "Lyon"}), recorded) == ()
    assert differences(post({"city": "Lyon"}), recorded) == ("$.number: nothing, recorded something that is masked",)


def test_the_order_of_members_means_nothing_and_that_of_items_does() -> None:
    assert differences(post({"a": 1, "b": [1, 2]}), post({"b": [1, 2], "a": 1})) == ()
    assert differences(post({"b": [2, 1]}), post({"b": [1, 2]})) == (
        "$.b[0]: 2, recorded 1",
        "$.b[1]: 1, recorded 2",
    )


def test_xml_is_compared_by_its_elements() -> None:
    def xml(content: str) -> Request:
        return Request.xml("https://acme.example/s", content.encode(), name="x", headers={"SOAPAction": '"a"'})

    assert differences(xml('<a xmlns="u"><b>1</b><c/></a>'), xml('<n:a xmlns:n="u">\n <n:b>1</n:b></n:a>')) == ()
    assert differences(xml("<a><b>1</b></a>"), xml("<a><b>masked</b></a>")) == ()
    assert differences(xml("<a><b>1</b></a>"), xml("<a><b>2</b></a>")) == ("$.a[0].b: '1', recorded '2'",)


def test_a_form_is_compared_by_its_fields() -> None:
    def form(**fields: str) -> Request:
        return Request.form("https://acme.example/t", fields, name="t")

    assert differences(form(a="1", b="2"), form(b="2", a="1")) == ()
    assert differences(form(a="1"), form(a="2")) == ("$.a[0]: '1', recorded '2'",)


def test_method_address_query_and_action_are_compared() -> None:
    sent = Request.get("https://acme.example/a?x=1&y=2", name="x", headers={"SOAPAction": "b"})
    recorded = Request.delete("https://acme.example/b?y=2", name="x", headers={"SOAPAction": '"c"'})

    assert [difference.partition(":")[0] for difference in differences(sent, recorded)] == [
        "method",
        "address",
        "query.x",
        "SOAPAction",
    ]
