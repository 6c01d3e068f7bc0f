"""Our own description of the service says of its operations what the published one says, and nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mondialrelay.referee import MEMBERS, OURS, PUBLISHED, XS, actions, wsdl

Member = tuple[str, str, str, str, str]


class Described:
    """A description, asked for what stands on the wire, whatever its types are called."""

    def __init__(self, path: Path) -> None:
        schema = wsdl(path).find(f".//{XS}schema")
        assert schema is not None
        self.namespace, self.form = schema.get("targetNamespace"), schema.get("elementFormDefault")
        self.top = {(child.tag, child.get("name")): child for child in schema}

    def members(self, name: str) -> list[Member]:
        """Path, fewest, most, nillable, and the simple type or the words that it allows."""
        return list(self._of(self.top[f"{XS}element", name], name))

    def _of(self, node: Any, at: str) -> Iterator[Member]:
        base = self.top.get((f"{XS}complexType", node.get("base", "").rpartition(":")[2]))
        if base is not None:
            yield from self._of(base, at)
        for child in node:
            if child.tag != f"{XS}element":
                yield from self._of(child, at)
                continue
            path, name = f"{at}/{child.get('name')}", child.get("type", "").rpartition(":")[2]
            nested = self.top.get((f"{XS}complexType", name))
            simple = self.top.get((f"{XS}simpleType", name))
            said = name if nested is None else ""
            if simple is not None:
                said = " ".join(each.get("value") or each.get("base") or "" for each in simple.iter())
            fewest, most = child.get("minOccurs", "1"), child.get("maxOccurs", "1")
            yield (path, fewest, most, child.get("nillable", "false"), said)
            yield from self._of(child if nested is None else nested, path)


@pytest.fixture(scope="module")
def published(shared: Path) -> Described:
    return Described(PUBLISHED)


@pytest.fixture(scope="module")
def ours() -> Described:
    return Described(OURS)


def test_it_names_the_operations_that_are_used_and_their_published_actions(shared: Path) -> None:
    assert sorted(actions(OURS)) == list(MEMBERS)
    assert actions(OURS) == {name: actions(PUBLISHED)[name] for name in MEMBERS}


@pytest.mark.parametrize("name", [each for name in MEMBERS for each in (name, f"{name}Response")])
def test_each_element_is_the_published_one(published: Described, ours: Described, name: str) -> None:
    assert ours.members(name) == published.members(name)
    assert (ours.namespace, ours.form) == (published.namespace, published.form)


def test_no_member_is_signed_that_is_not_in_the_published_order(published: Described) -> None:
    """The key is computed over the members as they stand: each operation ends in Security, or in Security and Texte."""
    for name in MEMBERS:
        members = [path.rpartition("/")[2] for path, *_ in published.members(name)]
        assert members[0] == "Enseigne"
        assert members[-1] == "Security" or members[-2:] == ["Security", "Texte"]
        assert len(members) == len({*members})
