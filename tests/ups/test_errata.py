"""The corrections to UPS's published files: few, each with its reason, and none that is not needed any more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from shipkit.testing import playback
from tests.ups.conversations import every_request
from tests.ups.errata import ERRATA, Erratum
from tests.ups.referee import operation_of, reply_complaints, request_complaints
from tests.ups.stage import everything

Judge = Callable[[tuple[Erratum, ...]], list[str]]


@pytest.fixture(scope="module")
def judges(shared: Path) -> dict[str, list[Judge]]:
    """By published file, everything that its schemas are asked about: what is sent, recorded and simulated."""
    found: dict[str, list[Judge]] = {}
    for name, judge in _judges(shared / "recordings/ups"):
        found.setdefault(name, []).append(judge)
    return found


def _judges(recordings: Path) -> Iterator[tuple[str, Judge]]:
    for _, request in every_request():
        yield operation_of(request.method, request.url).file, partial(request_complaints, request)
    for one in everything():
        yield _reply(one.request.method, one.request.url, one.status, one.body)
    for path in recordings.glob("*.json"):
        (exchange,) = playback(path).exchanges
        content = json.loads(exchange.reply.content)
        yield _reply(exchange.request.method, exchange.request.url, exchange.reply.status, content)


def _reply(method: str, url: str, status: int, body: object) -> tuple[str, Judge]:
    return operation_of(method, url).file, partial(reply_complaints, method, url, status, body)


def test_there_are_at_most_sixty_each_with_its_reason() -> None:
    assert len(ERRATA) <= 60
    assert len({(erratum.file, erratum.at, erratum.drop) for erratum in ERRATA}) == len(ERRATA)
    assert all(len(erratum.reason) > 10 for erratum in ERRATA)


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda one: f"{one.file}{one.at} {one.drop}")
def test_without_it_something_real_is_refused(erratum: Erratum, judges: dict[str, list[Judge]]) -> None:
    assert any(judge((erratum,)) for judge in judges[erratum.file])


def test_with_them_nothing_is_refused(judges: dict[str, list[Judge]]) -> None:
    assert [told for file in judges.values() for judge in file for told in judge(())] == []
