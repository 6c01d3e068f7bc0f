"""Checks of an event store: parcels, their evidence, and that a commit is whole and made on what was read."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import attrs

from shipkit import model as m
from shipkit.events import fold
from shipkit.ports.events import EventStore, LetterState, Parcel, Work

from .event_store_inbox import end
from .event_store_values import BEGAN, EventWorld, delivery, event, parcel, work

__all__ = ["ParcelChecks"]

_TIMES = frozenset({"created_at", "updated_at", "version"})


def _read(store: EventStore, scope: str) -> Parcel:
    (found,) = store.parcels([scope])
    assert found is not None
    return found


def _counts(store: EventStore) -> dict[tuple[object, ...], int]:
    return {(row.account, row.milestone, row.actors): row.parcels for row in store.open_counts()}


def _full(number: str) -> Parcel:
    """A parcel with something in every field."""
    later = BEGAN + timedelta(hours=3, microseconds=7)
    timeline = m.Timeline(
        scope=f"acme:{number}:20231101", milestone=m.Milestone.DELIVERED, entries=(), events=(), exceptions=(),
        anomalies=(), evidence_count=3, mapping_versions=frozenset({"1", "2"}), revision=4,
    )  # fmt: skip
    given = {
        "timeline": timeline, "announced": m.FrozenMap({"delivered": 1, "opened|lost": 2}),
        "absent": m.FrozenMap({"h:1": 2}),
    }  # fmt: skip
    plain = {
        str(field.name): {"str": f"some {field.name}", "int": 3, "datetime | None": later}[str(field.type)]
        for field in attrs.fields(Parcel)
        if str(field.type) in ("str", "int", "datetime | None") and field.name not in ("version", "purged_at")
    }
    return parcel(number, **plain | given | {"scope": f"acme:{number}:20231101", "number": number})


class ParcelChecks:
    """What a store promises of parcels."""

    def test_a_parcel_comes_back_as_it_was_registered(self, event_world: EventWorld) -> None:
        """Every field of it but those that are the store's own."""
        store = event_world.empty()
        for given in (parcel("N1"), _full("N2"), parcel("", scope="shipment:k", number="")):
            assert store.follow([given]) == (True,)
            found = _read(event_world.beside(), given.scope)
            assert (found.version, found.created_at, found.updated_at) == (0, store.now(), store.now())
            for field in attrs.fields(Parcel):
                if field.name not in _TIMES:
                    assert getattr(found, field.name) == getattr(given, field.name), field.name

    def test_a_scope_is_registered_once(self, event_world: EventWorld) -> None:
        """And stays as it is."""
        store = event_world.empty()
        assert store.follow([]) == ()
        assert store.follow([parcel("N1"), parcel("N2"), parcel("N1", key="other")]) == (True, True, False)
        assert store.follow([parcel("N2", key="other"), parcel("N3")]) == (False, True)
        assert [one.key for one in store.walk()] == ["order-N1", "order-N2", "order-N3"]

    def test_the_parcel_of_a_number_is_the_latest(self, event_world: EventWorld) -> None:
        """Carriers use numbers again; a shipment of several has none."""
        store = event_world.empty()
        later = {"since": BEGAN + timedelta(days=400), "scope": "acme:N1:20241205"}
        store.follow([parcel("N1", **later), parcel("N1"), parcel("N2"), parcel("", scope="shipment:k", number="")])
        asked = [("acme", "N2"), ("acme", "N1"), ("rival", "N1"), ("acme", ""), ("acme", "N1")]
        found = [one and one.scope for one in store.find(asked)]
        assert found == ["acme:N2:20231101", "acme:N1:20241205", None, None, "acme:N1:20241205"]
        assert store.find([]) == () and store.parcels([]) == ()
        assert [one and one.number for one in store.parcels(["x", "acme:N2:20231101", "x"])] == [None, "N2", None]

    def test_the_parcels_of_a_key_and_all_parcels_come_by_scope(self, event_world: EventWorld) -> None:
        """In pages, those that have not finished or are new if asked so."""
        store = event_world.empty()
        store.follow([parcel(name, key="k") for name in ("b", "a")] + [parcel("c", key="")])
        event_world.clock.at += 10
        new_at = store.now()
        store.follow([parcel("d", finished_at=BEGAN), parcel("", scope="shipment:k", key="k", number="")])
        names = [f"acme:{name}:20231101" for name in "abcd"] + ["shipment:k"]
        assert [one.scope for one in store.of_key("k")] == [names[0], names[1], names[4]]
        assert store.of_key("") == () and store.of_key("no") == ()
        assert [one.scope for one in store.walk()] == names
        assert [one.scope for one in store.walk(limit=2)] == names[:2]
        assert [one.scope for one in store.walk(after=names[1], limit=2)] == names[2:4]
        assert [one.scope for one in store.walk(open_only=True)] == names[:3] + names[4:]
        assert [one.scope for one in store.walk(since=new_at)] == names[3:]
        assert [one.scope for one in store.walk(since=new_at, open_only=True)] == names[4:]

    def test_a_commit_is_made_on_what_was_read_or_not_at_all(self, event_world: EventWorld) -> None:
        """And then nothing of it is written: no evidence, no announcement, no end of a delivery."""
        store = event_world.empty()
        store.follow([parcel("N1"), parcel("N2")])
        store.put([delivery("a")])
        (letter,) = store.take("w", 60, 1)
        one, other = _read(store, "acme:N1:20231101"), _read(store, "acme:N2:20231101")
        event_world.clock.at += 5
        assert store.commit(work(one, event(one.scope, 1), digest="d1", tell=1, to=("erp",)))
        stale = work(one, event(one.scope, 2), digest="d2", tell=2, to=("erp",)).parcels
        fresh = work(other, event(other.scope, 3), digest="d3", tell=1).parcels
        assert not store.commit(Work(letters=end(letter).letters, parcels=(*fresh, *stale), destinations=("erp",)))
        absent = work(parcel("N3")).parcels
        assert not store.commit(Work(letters=end(letter).letters, parcels=(*absent, *fresh)))
        found = _read(store, one.scope)
        assert (found.version, found.digest, found.created_at, found.updated_at) == (
            *(1, "d1", one.created_at, store.now()),
        )
        assert _read(store, other.scope).version == 0
        assert {scope: len(events) for scope, events in store.evidence([one.scope, other.scope, "x"]).items()} == {
            one.scope: 1, other.scope: 0, "x": 0,
        }  # fmt: skip
        assert len(store.announcements()) == 1 and len(store.pending("erp", 9)) == 1
        assert store.letters()[0].state is LetterState.NEW
        assert store.commit(Work(letters=end(letter).letters, parcels=fresh))
        assert store.letters()[0].state is LetterState.DONE
        assert store.commit(Work())

    def test_records_of_one_event_replace_each_other(self, event_world: EventWorld) -> None:
        """Evidence is a set by identity, and comes back as it was written."""
        store = event_world.empty()
        given = parcel("N1")
        store.follow([given])
        first, second = (
            event(given.scope, 1),
            event(given.scope, 2, native_id="n\0 \ud83d", code="\0", reason=m.Reason.LOST),
        )
        assert store.commit(work(_read(store, given.scope), first, second))
        fuller = m.evolve(first, text="more words", mapping_version="2")
        assert fuller.event_id == first.event_id
        assert store.commit(work(_read(store, given.scope), fuller))
        found = {one.event_id: one for one in event_world.beside().evidence([given.scope])[given.scope]}
        assert found == {fuller.event_id: fuller, second.event_id: second}

    def test_codes_that_no_table_explains_are_counted(self, event_world: EventWorld) -> None:
        """Until one does."""
        store = event_world.empty()
        store.follow([parcel("N1"), parcel("N2")])
        one, other = (_read(store, f"acme:{name}:20231101") for name in ("N1", "N2"))
        strange = {"reason": m.Reason.UNMAPPED, "milestone": None, "code": "Z"}
        store.commit(work(one, event(one.scope, 1, **strange), event(one.scope, 2, **strange), event(one.scope, 3)))
        store.commit(work(other, event(other.scope, 4, **strange | {"code": "Y", "code_type": "T", "subcode": "S"})))
        rows = [(row.carrier, row.code_type, row.code, row.subcode, row.events) for row in store.unmapped()]
        assert rows == [("acme", "", "Z", "", 2), ("acme", "T", "Y", "S", 1)]
        times = [(row.first_at, row.last_at) for row in store.unmapped()]
        assert times[0] == (BEGAN + timedelta(minutes=1), BEGAN + timedelta(minutes=2))
        assert [row.events for row in store.unmapped(BEGAN + timedelta(minutes=2))] == [1, 1]
        mapped = event(one.scope, 1, code="Z", reason=m.Reason.DELAYED, milestone=None)
        store.commit(work(_read(store, one.scope), mapped))
        assert [(row.code, row.events) for row in store.unmapped()] == [("Z", 1), ("Y", 1)]
        by_type = event(one.scope, 5, code="V", reason=m.Reason.DELAYED, unmapped=True)
        store.commit(work(_read(store, one.scope), by_type))
        assert [row.code for row in store.unmapped()] == ["V", "Z", "Y"]

    def test_a_code_of_any_length_is_kept(self, event_world: EventWorld) -> None:
        """It is listed by its beginning: no index of a database takes more than a few thousand bytes."""
        store = event_world.empty()
        store.follow([parcel("N1")])
        one = _read(store, "acme:N1:20231101")
        long = "".join(sha256(str(number).encode()).hexdigest() for number in range(400))
        scan = event(one.scope, 1, code=long, subcode=long, code_type=long, unmapped=True)
        assert store.commit(work(one, scan))
        assert store.evidence([one.scope])[one.scope] == (scan,)
        (row,) = store.unmapped()
        assert (row.code_type, row.code, row.subcode) == (long[:200],) * 3

    def test_open_parcels_are_counted_by_where_they_are_and_who_must_act(self, event_world: EventWorld) -> None:
        """Those that have finished, and shipments of several, are not."""
        store = event_world.empty()
        store.follow([parcel("N1"), parcel("N2"), parcel("N3", account="other")])
        store.follow([parcel("", scope="shipment:k", number="")])
        stands = m.Milestone.UNKNOWN, ()
        assert _counts(store) == {("main", *stands): 2, ("other", *stands): 1}
        one = _read(store, "acme:N1:20231101")
        refused = event(one.scope, 9, reason=m.Reason.REFUSED_BY_RECIPIENT, milestone=m.Milestone.DELIVERY_ATTEMPTED)
        store.commit(work(one, refused, timeline=fold((refused,), scope=one.scope)))
        assert _counts(store)["main", m.Milestone.DELIVERY_ATTEMPTED, (m.Actor.SHIPPER,)] == 1
        assert event_world.beside().open_counts() == store.open_counts()
        store.commit(work(_read(store, one.scope), finished_at=store.now()))
        assert _counts(store) == {("main", *stands): 1, ("other", *stands): 1}

    def test_parcels_that_are_due_are_lent_to_one_at_a_time(self, event_world: EventWorld) -> None:
        """Oldest first, those of some accounts if asked so, and that is no change of them."""
        store = event_world.empty()
        now = store.now()
        due = {name: now - timedelta(minutes=minute) for name, minute in (("a", 1), ("b", 3), ("c", 2), ("d", -5))}
        store.follow([parcel(name, next_poll_at=at, account=f"of-{name}") for name, at in due.items()])
        store.follow([parcel("e", next_poll_at=None)])
        assert [one.number for one in store.due(30, 1)] == ["b"]
        assert [one.number for one in event_world.beside().due(30, 9, ["of-a", "of-b", "of-d", "no"])] == ["a"]
        (last,) = store.due(30, 9)
        assert (last.number, last.version, last.next_poll_at) == ("c", 0, now + timedelta(seconds=30))
        assert store.due(30, 9) == ()
        event_world.clock.at += 31
        assert sorted(one.number for one in store.due(30, 9)) == ["a", "b", "c"]
        assert store.commit(work(last, next_poll_at=None)), "its version was not touched"
        event_world.clock.at += 10_000
        assert [one.number for one in store.due(30, 9)] == ["a", "b", "d"]
        assert [one.number for one in store.due(0, 2, ["of-d", "of-a"])] == []

    def test_the_secret_is_drawn_once(self, event_world: EventWorld) -> None:
        """The same for everybody, and another in another store."""
        store = event_world.empty()
        secret = store.secret()
        assert len(secret) >= 32 and secret == store.secret() == event_world.beside().secret()
        assert event_world.empty().secret() != secret
