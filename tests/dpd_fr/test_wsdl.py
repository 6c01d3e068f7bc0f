"""Our own description of the service agrees with the published one, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from lxml import etree

from tests.dpd_fr.referee import OURS, PUBLISHED, operations, wsdl

XS = "{http://www.w3.org/2001/XMLSchema}"


@attrs.frozen
class Member:
    """One element as a schema describes it: what stands on the wire, whatever the type is called."""

    path: str
    occurs: tuple[str, str]
    nillable: bool
    values: str
    """A simple type's base and the words it allows; empty for what has members."""


class Described:
    def __init__(self, path: Path) -> None:
        schema = wsdl(path).find(f".//{XS}schema")
        assert schema is not None
        self.top = {(child.tag, child.get("name")): child for child in schema}

    def members(self, name: str) -> list[Member]:
        element = self.top[f"{XS}element", name]
        inline = element.find(f"{XS}complexType")
        return list(self._of(inline if inline is not None else self._type(element.get("type")), name))

    def _type(self, name: str | None) -> Any:
        local = (name or "").rpartition(":")[2]
        return self.top.get((f"{XS}complexType", local), self.top.get((f"{XS}simpleType", local)))

    def _of(self, type_: Any, at: str) -> Iterator[Member]:
        for node in () if type_ is None else type_:
            if node.tag == f"{XS}complexContent":
                extension = node[0]
                yield from self._of(self._type(extension.get("base")), at)
                yield from self._of(extension, at)
            elif node.tag == f"{XS}sequence":
                for element in node:
                    yield from self._element(element, at)

    def _element(self, element: Any, at: str) -> Iterator[Member]:
        path = f"{at}/{element.get('name')}"
        type_ = self._type(element.get("type"))
        yield Member(
            path,
            (element.get("minOccurs", "1"), element.get("maxOccurs", "1")),
            element.get("nillable") == "true",
            self._values(element.get("type"), type_),
        )
        if type_ is not None and type_.tag == f"{XS}complexType":
            yield from self._of(type_, path)

    def _values(self, name: str | None, type_: Any) -> str:
        if type_ is None:
            return (name or "").rpartition(":")[2]
        if type_.tag == f"{XS}complexType":
            return ""
        restriction = type_.find(f"{XS}restriction")
        words = [word.get("value") for word in restriction.iter(f"{XS}enumeration")]
        return f"{restriction.get('base').rpartition(':')[2]}: {' '.join(words)}"


@pytest.fixture(scope="module")
def published(shared: Path) -> Described:
    return Described(PUBLISHED)


@pytest.fixture(scope="module")
def ours() -> Described:
    return Described(OURS)


OPERATIONS = sorted(operations(OURS))


@pytest.mark.parametrize("name", OPERATIONS)
def test_our_operation_is_called_by_the_published_action(shared: Path, name: str) -> None:
    assert operations(OURS)[name] == operations(PUBLISHED)[name]


@pytest.mark.parametrize("name", [*OPERATIONS, "UserCredentials"])
def test_what_we_send_is_part_of_what_is_published_in_the_same_order(
    published: Described, ours: Described, name: str
) -> None:
    whole = iter(published.members(name))

    assert [member for member in ours.members(name) if member not in whole] == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_we_must_send_is_not_left_out(published: Described, ours: Described, name: str) -> None:
    """An element that is required wherever its parent stands."""
    known = {member.path for member in ours.members(name)}
    required = {
        member.path
        for member in published.members(name)
        if member.occurs[0] != "0" and member.path.rpartition("/")[0] in known
    }

    assert required <= known


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_answered_is_described_whole(published: Described, ours: Described, name: str) -> None:
    assert ours.members(f"{name}Response") == published.members(f"{name}Response")


def test_our_file_is_no_copy(shared: Path) -> None:
    assert OURS.stat().st_size < PUBLISHED.stat().st_size / 8
    assert etree.QName(wsdl(OURS)).localname == "definitions"
