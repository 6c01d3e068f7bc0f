"""What a consumer makes of what it gets: typed, once, in order; and of what it does not know."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import InputError
from shipkit.events.cloud import DATA, News, announcement
from shipkit.model import TrackingEvent
from shipkit.ports.events import Parcel
from shipkit.publishers import InOrder, MemoryInbox, Published, SqlInbox, in_order, read_cloud_event
from tests.events.journeys import RECEIVED, event
from tests.model.making import values
from tests.publishers.outbox import told


def published(scope: str, sequence: int) -> Published:
    return read_cloud_event(told(f"acme:{scope}", sequence).body)


@given(st.sampled_from(News), st.data())
def test_what_is_published_is_read_back_typed(news: News, data: st.DataObject) -> None:
    parcel = Parcel(scope="s", carrier="acme", account="eu/1", number="N1", key="order-1", since=RECEIVED)
    value = data.draw(values(DATA[news]))
    made = announcement(news, value, parcel=parcel, key="k", sequence=7, happened_at=RECEIVED)
    read = read_cloud_event(made.body)
    assert (read.news, read.scope, read.sequence, read.subject, read.key) == (news, "s", 7, "N1", "order-1")
    assert (read.time, read.account) == (RECEIVED, "eu/1")
    assert isinstance(read.data, DATA[news])


def test_an_event_that_is_read_has_the_identity_that_it_was_published_with() -> None:
    seen = event(1, "delivered", text="left at the door", signed_by="DOE")
    parcel = Parcel(scope="s", carrier="acme", account="acme", number="N1", since=RECEIVED)
    body = announcement(News.EVENT, seen, parcel=parcel, key="k", sequence=1, happened_at=None).body
    read = read_cloud_event(body).data
    assert isinstance(read, TrackingEvent)
    assert read.event_id == seen.event_id
    assert read.text is None


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(told("acme:a", 1).body) | members).encode()


def test_types_and_versions_that_are_newer_are_read_without_their_data() -> None:
    newer = read_cloud_event(changed(type="io.shipkit.tracking.event.v2", data={"other": 1}, later="x"))
    assert (newer.news, newer.data, newer.scope, newer.sequence) == (None, None, "acme:a", 1)
    assert newer.members["data"] == {"other": 1}
    strange = read_cloud_event(changed(partitionkey=None, sequence="x", time="yesterday"))
    assert (strange.sequence, strange.time) == (0, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
        (changed(id=""), "/id"),
        (changed(source=1), "/source"),
        (changed(specversion="0.3"), "/specversion"),
        (changed(data=None), "/data"),
        (changed(data={"code": "x"}), "/data/time"),
    ],
    ids=["cut", "list", "deep", "bytes", "no id", "bad source", "old", "no data", "bad data"],
)
def test_what_is_no_cloud_event_is_refused_with_its_path(body: bytes, path: str) -> None:
    with pytest.raises(InputError) as caught:
        read_cloud_event(body)
    assert path in [problem.path for problem in caught.value.problems]


# Once -----------------------------------------------------------------------------------------------------------------


def test_a_bounded_memory_forgets_the_oldest() -> None:
    inbox = MemoryInbox(limit=2)
    one, two, three = (published("a", number) for number in (1, 2, 3))
    assert [inbox.first(each) for each in (one, two, one, three, one, two)] == [True, True, False, True, False, True]


def sqlite(folder: Path) -> Any:
    return closing(sqlite3.connect(folder / "consumer.db"))


def test_an_inbox_in_the_consumers_transaction_goes_back_with_it(tmp_path: Path) -> None:
    with sqlite(tmp_path) as connection:
        inbox = SqlInbox(connection.cursor(), mark="?")
        inbox.create()
        connection.commit()
        assert inbox.first(published("a", 1))
        assert not inbox.first(published("a", 1))
        connection.rollback()
        assert inbox.first(published("a", 1))
        connection.commit()
        assert not inbox.first(published("a", 1))
        connection.execute("UPDATE shipkit_inbox SET seen_at = '2020-01-01 00:00:00'")
        assert inbox.first(published("a", 2))
        assert inbox.purge(days=30) == 1
        assert [inbox.first(published("a", number)) for number in (1, 2)] == [True, False]


def test_a_table_is_named_plainly() -> None:
    with pytest.raises(ValueError, match="letters"):
        SqlInbox(None, table="x; drop table y")


@pytest.fixture
def postgres() -> Iterator[Any]:
    psycopg = pytest.importorskip("psycopg")
    where = f"host=127.0.0.1 user={os.environ.get('PGUSER', 'postgres')} dbname={os.environ.get('PGDATABASE', 'test')}"
    try:
        connection = psycopg.connect(where, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    with closing(connection):
        connection.execute("CREATE TEMPORARY TABLE marker (x int)")
        yield connection


@pytest.mark.services
def test_an_inbox_on_postgresql(postgres: Any) -> None:
    inbox = SqlInbox(postgres.cursor(), table="pg_temp.shipkit_inbox")
    inbox.create()
    postgres.commit()
    assert inbox.first(published("a", 1))
    assert not inbox.first(published("a", 1))
    postgres.rollback()
    assert inbox.first(published("a", 1))
    postgres.execute("UPDATE pg_temp.shipkit_inbox SET seen_at = '2020-01-01'")
    assert inbox.first(published("a", 2))
    assert inbox.purge(days=30) == 1


# In order -------------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("abc"), max_size=20), st.data(), st.integers(0, 5))
def test_shuffled_and_repeated_each_comes_out_exactly_once(scopes: list[str], data: st.DataObject, hold: int) -> None:
    counts: dict[str, int] = {}
    events = []
    for scope in scopes:
        counts[scope] = counts.get(scope, 0) + 1
        events.append(published(scope, counts[scope]))
    again = data.draw(st.lists(st.sampled_from(events), max_size=10)) if events else []
    arriving = data.draw(st.permutations([*events, *again]))
    given_out = [one.id for one in in_order(arriving, MemoryInbox(), hold_max=hold)]
    assert sorted(given_out) == sorted(one.id for one in events)


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=16), st.data())
def test_after_the_first_of_a_parcel_nothing_overtakes(scopes: list[str], data: st.DataObject) -> None:
    counts: dict[str, int] = {}
    later = []
    for scope in scopes:
        counts[scope] = counts.get(scope, 0) + 1
        later.append(published(scope, counts[scope] + 1))
    arriving = [*(published(scope, 1) for scope in sorted(counts)), *data.draw(st.permutations([*later, *later]))]
    given_out = list(in_order(arriving, MemoryInbox()))
    for scope, count in counts.items():
        assert [one.sequence for one in given_out if one.scope == f"acme:{scope}"] == list(range(1, count + 2))


def test_a_gap_that_nobody_fills_holds_up_so_many_and_no_more() -> None:
    order = InOrder(MemoryInbox(), hold_max=2)
    assert [one.sequence for one in order.take(published("a", 1))] == [1]
    assert order.take(published("a", 3)) == ()
    assert order.take(published("a", 4)) == ()
    assert order.held == 2
    assert [one.sequence for one in order.take(published("a", 6))] == [3, 4]
    assert [one.sequence for one in order.take(published("a", 2))] == [2]  # late, and acted on nevertheless
    assert order.take(published("a", 2)) == ()
    assert [one.sequence for one in order.take(published("a", 5))] == [5, 6]
    assert order.take(published("a", 9)) == ()
    assert [one.sequence for one in order.rest()] == [9]
    assert order.held == 0
