"""Checks of an event store: announcements are made once, reach each destination in order, and go away when all took."""

from __future__ import annotations

from datetime import timedelta

from shipkit.ports.events import EventStore, Parcel, Unsent

from .event_store_values import EventWorld, parcel, work

__all__ = ["OutboxChecks", "tell"]


def tell(store: EventStore, number: str, count: int, *to: str) -> Parcel:
    """The next *count* announcements of a parcel, in one commit."""
    given = parcel(number)
    store.follow([given])
    (found,) = store.parcels([given.scope])
    assert found is not None and store.commit(work(found, tell=count, to=to))
    return found


def _pending(store: EventStore, destination: str = "erp", limit: int = 99) -> list[str]:
    return [one.announcement.key.removeprefix("acme:") for one in store.pending(destination, limit)]


def _number(store: EventStore, key: str) -> int:
    return next(one.number for one in store.announcements(limit=999) if one.key == f"acme:{key}")


class OutboxChecks:
    """What a store promises of announcements."""

    def test_an_announcement_is_made_once(self, event_world: EventWorld) -> None:
        """With a row for each destination; of those that are known nothing is written."""
        store = event_world.empty()
        before = tell(store, "N1", 2, "erp", "crm", "erp")
        (found,) = store.parcels([before.scope])
        assert found is not None
        again = work(before, tell=3, to=("erp", "late")).parcels[0].announcements
        also = work(found, tell=0, to=("erp", "late"))
        parcels = tuple([type(one)(before=one.before, after=one.after, announcements=again) for one in also.parcels])
        assert store.commit(type(also)(parcels=parcels, destinations=also.destinations))
        assert _pending(store) == ["N1:20231101|1", "N1:20231101|2", "N1:20231101|3"]
        assert _pending(store, "crm") == ["N1:20231101|1", "N1:20231101|2"]
        assert _pending(event_world.beside(), "late") == ["N1:20231101|3"] and _pending(store, "none") == []

    def test_announcements_come_by_number_as_they_were_written(self, event_world: EventWorld) -> None:
        """With the time of the store, in pages, those of one scope if asked so; a reader of numbers misses none."""
        store = event_world.empty()
        assert store.settled_number() == 0 and store.announcements() == ()
        tell(store, "N1", 2, "erp")
        tell(store, "N2", 1)
        found = store.announcements()
        assert [one.key for one in found] == ["acme:N1:20231101|1", "acme:N1:20231101|2", "acme:N2:20231101|1"]
        assert [one.number for one in found] == sorted({one.number for one in found})
        assert {one.at for one in found} == {store.now()}
        assert (found[1].body, found[1].type, found[1].sequence, found[1].scope) == (
            *(b"{2}", "io.example.v1", 2, "acme:N1:20231101"),
        )
        assert [one.number for one in store.announcements(after=found[0].number, limit=1)] == [found[1].number]
        assert [one.number for one in store.announcements(scope="acme:N2:20231101")] == [found[2].number]
        assert store.announcements(after=found[2].number) == ()
        assert store.settled_number() == found[2].number

    def test_what_was_taken_waits_no_more(self, event_world: EventWorld) -> None:
        """Whatever a relay says of it afterwards, and other destinations have their own."""
        store = event_world.empty()
        tell(store, "N1", 3, "erp", "crm")
        numbers = [one.announcement.number for one in store.pending("erp", 2)]
        store.settle("erp", numbers)
        store.settle("erp", [], [Unsent(number=numbers[0], error="late")])
        assert _pending(event_world.beside()) == ["N1:20231101|3"]
        assert len(_pending(store, "crm")) == 3
        store.settle("erp", [])
        store.settle("nobody", numbers)

    def test_a_failed_one_holds_back_its_scope_and_no_other(self, event_world: EventWorld) -> None:
        """Until it is due again; its tries are counted."""
        store = event_world.empty()
        tell(store, "N1", 3, "erp")
        tell(store, "N2", 2, "erp")
        second = _number(store, "N1:20231101|2")
        store.settle("erp", [], [Unsent(number=second, error="down")], again_at=store.now() + timedelta(seconds=60))
        assert _pending(store) == ["N1:20231101|1", "N2:20231101|1", "N2:20231101|2"]
        assert _pending(store, limit=2) == ["N1:20231101|1", "N2:20231101|1"]
        event_world.clock.at += 59
        assert "N1:20231101|2" not in _pending(store)
        event_world.clock.at += 2
        assert [(one.announcement.key[5:], one.attempts) for one in store.pending("erp", 3)] == [
            *(("N1:20231101|1", 0), ("N1:20231101|2", 1), ("N1:20231101|3", 0)),
        ]
        store.settle("erp", [], [Unsent(number=second, error="down")])
        assert [one.attempts for one in store.pending("erp", 9)] == [0, 2, 0, 0, 0], "at once, where no time is said"

    def test_a_dead_one_holds_nothing_back_and_is_sent_again_when_somebody_says_so(
        self, event_world: EventWorld
    ) -> None:
        """All dead ones of a destination, or just some, whether it took them or never had them."""
        store = event_world.empty()
        tell(store, "N1", 3, "erp")
        first = _number(store, "N1:20231101|1")
        dead = [Unsent(number=first, error="refused", dead=True)]
        store.settle("erp", [], dead, again_at=store.now() + timedelta(seconds=60))
        assert _pending(store) == ["N1:20231101|2", "N1:20231101|3"]
        queues = {(one.name, one.destination): one.depth for one in store.queues()}
        assert (queues["outbox", "erp"], queues["outbox_dead", "erp"]) == (2, 1)
        assert store.send_again("crm", dead=True) == 0
        assert store.send_again("erp", dead=True) == 1
        assert [(one.announcement.key[5:], one.attempts) for one in store.pending("erp", 1)] == [("N1:20231101|1", 0)]
        store.settle("erp", [first])
        assert store.send_again("erp", [first, first, 10**9]) == 1
        assert _pending(store) == ["N1:20231101|1", "N1:20231101|2", "N1:20231101|3"]
        assert store.send_again("new", [first]) == 1 and _pending(store, "new") == ["N1:20231101|1"]
        assert store.send_again("erp") == 0

    def test_what_a_destination_has_not_taken_is_told_one_by_one(self, event_world: EventWorld) -> None:
        """With its number, tries and last error, in pages: what waits, whatever holds it back, and what is dead."""
        store = event_world.empty()
        began = store.now()
        assert store.outbox("erp") == () and store.outbox("erp", dead=True) == ()
        tell(store, "N1", 3, "erp", "crm")
        tell(store, "N2", 2, "erp")
        numbers = [_number(store, key) for key in ("N1:20231101|1", "N1:20231101|2", "N2:20231101|1", "N2:20231101|2")]
        first, late, dead, taken = numbers
        later = began + timedelta(seconds=60)
        store.settle("erp", [taken], [Unsent(number=dead, error="refused", dead=True)], again_at=later)
        store.settle("erp", [], [Unsent(number=late, error="down")], again_at=later)
        event_world.clock.at += 30
        third = _number(store, "N1:20231101|3")
        found = event_world.beside().outbox("erp")
        waiting = [(first, 0, "", None, False), (late, 1, "down", later, False), (third, 0, "", None, False)]
        assert [(one.number, one.attempts, one.error, one.next_at, one.dead) for one in found] == [
            *(*waiting, (dead, 1, "refused", None, True)),
        ]
        (refused,) = store.outbox("erp", dead=True)
        assert (refused.number, refused.scope, refused.sequence, refused.type, refused.at) == (
            *(dead, "acme:N2:20231101", 1, "io.example.v1", began),
        )
        assert [one.number for one in store.outbox("erp", dead=False)] == [first, late, third]
        assert [one.number for one in store.outbox("erp", limit=2)] == [first, late]
        assert [one.number for one in store.outbox("erp", after=late, limit=2)] == [third, dead]
        assert store.outbox("erp", after=dead) == () and store.outbox("erp", dead=True, after=dead) == ()
        assert len(store.outbox("crm")) == 3 and store.outbox("crm", dead=True) == () and store.outbox("none") == ()
        event_world.clock.at += 30
        assert [one.next_at for one in store.outbox("erp", dead=False)] == [None, None, None], "it is due"
        assert store.send_again("erp", [dead]) == 1
        assert store.outbox("erp", dead=True) == ()
        assert [(one.attempts, one.error) for one in store.outbox("erp", after=third)] == [(0, "")]

    def test_queues_tell_what_waits_for_each_destination(self, event_world: EventWorld) -> None:
        """And since when; where nothing waits there is none."""
        store = event_world.empty()
        began = store.now()
        tell(store, "N1", 1, "erp", "crm")
        event_world.clock.at += 60
        tell(store, "N2", 1, "erp")
        rows = [(one.destination, one.depth, one.oldest_at) for one in store.queues() if one.name == "outbox"]
        assert rows == [("crm", 1, began), ("erp", 2, began)]
        store.settle("crm", [one.announcement.number for one in store.pending("crm", 9)])
        store.settle("erp", [store.pending("erp", 1)[0].announcement.number])
        rows = [(one.destination, one.depth, one.oldest_at) for one in store.queues() if one.name == "outbox"]
        assert rows == [("erp", 1, store.now())]

    def test_one_at_a_time_has_a_lease(self, event_world: EventWorld) -> None:
        """Until it is over, given back or renewed; leases of other names are others."""
        store, other = event_world.empty(), event_world.beside()
        assert store.lease("erp", "one", 10) and store.lease("crm", "two", 10)
        assert not other.lease("erp", "two", 10) and not other.lease("erp", "two", 0)
        event_world.clock.at += 8
        assert store.lease("erp", "one", 10), "renewed"
        event_world.clock.at += 8
        assert not other.lease("erp", "two", 10)
        event_world.clock.at += 3
        assert other.lease("erp", "two", 10) and not store.lease("erp", "one", 10)
        assert other.lease("erp", "two", 0)
        assert store.lease("erp", "one", 10)
