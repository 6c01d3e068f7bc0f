"""`mutations`: what may become of a reply."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from hypothesis import find, given, settings
from hypothesis import strategies as st

from shipkit.testing import Mutation, Reply, mutations, reply

JSON = reply(200, {"a": {"number": "1Z1", "rows": [1, 2]}, "label": "QUJD" * 100})
XML = reply(200, '<s:a xmlns:s="urn:x"><s:b>1</s:b><s:c><s:d>text</s:d></s:c></s:a>')
TEXT = reply(200, b"^XA^FDlabel^XZ")


def found(original: Reply, name: str) -> Mutation:
    return find(mutations(original), lambda mutation: name in mutation.name, settings=settings(max_examples=3000))


@given(st.data(), st.sampled_from([JSON, XML, TEXT, reply(204)]))
def test_every_mutation_is_a_reply_with_a_name(data: st.DataObject, original: Reply) -> None:
    mutation = data.draw(mutations(original))

    assert mutation.name
    assert isinstance(mutation.reply, Reply)


def test_the_mutations_of_the_mission_occur() -> None:
    for name in (
        "truncated",
        "empty",
        "HTML",
        "UTF-16",
        "megabyte of nested lists",
        "billion laughs",
        "status 401",
        "status 404",
        "status 429",
        "status 503",
    ):
        assert name in found(JSON, name).name
        assert name in found(XML, name).name


def test_a_member_can_be_dropped_renamed_and_become_something_else() -> None:
    assert "number" not in json.loads(found(JSON, "a/number was dropped").reply.content)["a"]
    assert json.loads(found(JSON, "a/number was renamed").reply.content)["a"]["number_renamed"] == "1Z1"
    assert json.loads(found(JSON, "a/rows was repeated").reply.content)["a"]["rows"] == [1, 2, 1, 2]
    assert json.loads(found(JSON, "a became null").reply.content)["a"] is None


def test_an_element_can_be_dropped_emptied_and_repeated() -> None:
    dropped = ET.fromstring(found(XML, "c was dropped").reply.content)
    repeated = ET.fromstring(found(XML, "b was repeated").reply.content)

    assert [child.tag for child in dropped] == ["{urn:x}b"]
    assert [child.tag for child in repeated] == ["{urn:x}b", "{urn:x}c", "{urn:x}b"]
    assert ET.fromstring(found(XML, "d was emptied").reply.content)[1][0].text is None


def test_a_long_text_can_hold_a_foreign_character() -> None:
    label = json.loads(found(JSON, "label holds a foreign character").reply.content)["label"]

    assert label.replace("\N{BULLET}", "") == "QUJD" * 100
    assert len(label) == 401


def test_a_mutation_that_puts_another_value_in_place_says_so() -> None:
    assert not found(JSON, "a/number became a number").faithful
    assert not found(XML, "d became text").faithful
    assert found(JSON, "a/number was dropped").faithful
    assert found(JSON, "truncated").faithful


def test_the_original_is_left_alone() -> None:
    before = JSON.content
    for name in ("dropped", "became", "repeated"):
        found(JSON, name)

    assert JSON.content == before
