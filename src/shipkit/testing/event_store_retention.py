"""Checks of an event store: what goes by age, what is forgotten by name, and what stays known for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shipkit import model as m
from shipkit.ports.events import EventStore, Forgiven, LetterState, PurgedEvents, Unsent, Work

from .event_store_inbox import end, parked
from .event_store_outbox import tell
from .event_store_values import BEGAN, EventWorld, delivery, event, parcel, work

__all__ = ["RetentionChecks"]

_SCOPE = "acme:N1:20231101"
_PERSONAL = ("Smith", "50667")


def _timeline() -> m.Timeline:
    proof = m.ProofOfDelivery(delivered_at=event(_SCOPE, 9).time, signed_by="J. Smith")
    return m.Timeline(
        scope=_SCOPE, milestone=m.Milestone.DELIVERED, entries=(), events=(), exceptions=(), anomalies=(), proof=proof,
        evidence_count=2, mapping_versions=frozenset({"1"}), revision=1,
    )  # fmt: skip


def _delivered(store: EventStore, **changes: Any) -> None:
    """A parcel with evidence that one delivery told of."""
    store.follow([parcel("N1")])
    store.put([delivery("told")])
    (letter,) = store.take("w", 60, 1)
    (found,) = store.parcels([_SCOPE])
    assert found is not None
    scan = event(_SCOPE, 2, code="left with j smith", code_type="text", unmapped=True)
    made = work(found, event(_SCOPE, 1), scan, timeline=_timeline(), digest="d", **changes)
    assert store.commit(Work(letters=end(letter, scopes=(_SCOPE,)).letters, parcels=made.parcels))


def _shown(store: EventStore) -> str:
    """Everything that a store tells of the parcel and the deliveries."""
    (found,) = store.parcels([_SCOPE])
    assert found is not None
    events = [(one.text, one.signed_by, one.place, one.code) for one in store.evidence([_SCOPE])[_SCOPE]]
    proof = found.timeline and found.timeline.proof
    names = proof and (proof.signed_by, proof.geo)
    postal_code = found.query and found.query.postal_code
    codes = [(place and (place.postal_code, place.city), text, signed, code) for text, signed, place, code in events]
    bodies = [one.delivery.body for one in store.letters(bodies=True)]
    return repr((names, postal_code, codes, store.unmapped(), bodies)).lower()


class RetentionChecks:
    """What a store promises of forgetting."""

    def test_bodies_of_deliveries_that_ended_go_by_age(self, event_world: EventWorld) -> None:
        """With their headers; what is new keeps its own, and what comes again is still known."""
        store = event_world.empty()
        store.put([delivery(name) for name in ("done", "dead", "new")])
        done, dead, _ = store.take("w", 60, 3)
        store.commit(end(done))
        store.commit(end(dead, LetterState.DEAD, error="unreadable"))
        waiting = parked(store, "parked", "N1")
        ended_at = store.now()
        event_world.clock.at += 100
        assert store.purge_events(ended_at, BEGAN, BEGAN) == PurgedEvents(bodies=0, parcels=0, announcements=0)
        assert store.purge_events(store.now(), BEGAN, BEGAN).bodies == 3
        assert store.purge_events(store.now(), BEGAN, BEGAN).bodies == 0
        left = {one.delivery.delivery_id: one for one in event_world.beside().letters(bodies=True)}
        gone: Any = (b"", {}, store.now())
        for name in ("done", "dead", "parked"):
            assert (left[name].delivery.body, left[name].delivery.headers, left[name].purged_at) == gone, name
        assert left["new"].delivery.body and left["new"].purged_at is None
        assert (left["dead"].state, left["dead"].error) == (LetterState.DEAD, "unreadable")
        assert store.put([delivery(name) for name in left]) == (False,) * 4
        assert store.take_up([done.id, dead.id]) == 0
        store.follow([parcel("N1")])
        (ended,) = store.letters(ids=[waiting.id])
        assert (ended.state, ended.error) == (LetterState.IGNORED, "purged"), "there is nothing to be read any more"
        waiting_now = {one.name: one.depth for one in store.queues()}
        assert (waiting_now["parked"], waiting_now["dead_letters"]) == (0, 0)

    def test_evidence_of_parcels_that_finished_goes_by_age(self, event_world: EventWorld) -> None:
        """Their rows and milestones stay, without names."""
        store = event_world.empty()
        _delivered(store, finished_at=BEGAN)
        store.follow([parcel("N2")])
        assert store.purge_events(BEGAN, BEGAN, BEGAN).parcels == 0
        (before,) = store.parcels([_SCOPE])
        assert before is not None
        assert store.purge_events(BEGAN, BEGAN + timedelta(seconds=1), BEGAN).parcels == 1
        assert store.purge_events(BEGAN, BEGAN + timedelta(days=1), BEGAN).parcels == 0
        (found,) = store.parcels([_SCOPE])
        assert found is not None and found.timeline is not None
        assert (found.purged_at, found.timeline.milestone, found.digest) == (store.now(), m.Milestone.DELIVERED, "d")
        assert store.evidence([_SCOPE]) == {_SCOPE: ()} and "smith" not in _shown(store).replace("j. smith\"}'", "")
        assert store.follow([parcel("N1")]) == (False,)
        assert not store.commit(work(before)), "who read it before writes nothing back"
        assert store.commit(work(found)) and store.parcels([_SCOPE])[0].purged_at is not None  # type: ignore[union-attr]

    def test_announcements_that_all_took_go_by_age_and_are_made_no_more(self, event_world: EventWorld) -> None:
        """One that a destination waits for, or that is dead there, stays."""
        store = event_world.empty()
        before = tell(store, "N1", 3, "erp", "crm")
        first, second, third = (one.number for one in store.announcements())
        store.settle("crm", [first, second, third])
        store.settle("erp", [first], [Unsent(number=second, error="refused", dead=True)])
        assert store.purge_events(BEGAN, BEGAN, store.now()).announcements == 0
        event_world.clock.at += 1
        assert store.purge_events(BEGAN, BEGAN, store.now()).announcements == 1
        assert [one.number for one in store.announcements()] == [second, third]
        settled = store.settled_number()
        store.settle("erp", [second, third])
        assert store.purge_events(BEGAN, BEGAN, store.now()).announcements == 2
        assert store.announcements() == () and store.settled_number() >= settled
        (found,) = store.parcels([before.scope])
        assert found is not None
        told = (*work(before, tell=3).parcels[0].announcements, *work(found, tell=1).parcels[0].announcements)
        (made,) = work(found).parcels
        assert store.commit(Work(parcels=(type(made)(before=made.before, after=made.after, announcements=told),)))
        (news,) = store.announcements()
        assert news.sequence == 4 and news.number > third, "numbers are never used again"
        assert store.send_again("erp", [first]) == 0

    def test_a_shipment_is_forgotten_by_its_key(self, event_world: EventWorld) -> None:
        """What leads to a person goes, the facts stay: the same events, the same state."""
        store = event_world.empty()
        _delivered(store, finished_at=BEGAN)
        store.follow([parcel("N2")])
        store.put([delivery("other", body=b"of somebody else")])
        ids = {one.event_id for one in store.evidence([_SCOPE])[_SCOPE]}
        (before,) = store.parcels([_SCOPE])
        assert before is not None and all(word.lower() in _shown(store) for word in _PERSONAL)
        assert store.forget_parcels(["order-N1", "order-N1", "no", ""]) == Forgiven(events=2, bodies=1)
        assert not any(word.lower() in _shown(event_world.beside()) for word in _PERSONAL)
        (found,) = store.parcels([_SCOPE])
        assert found is not None and found.timeline is not None and found.query is None
        assert (found.digest, found.timeline.milestone) == ("d", m.Milestone.DELIVERED)
        assert {one.event_id for one in store.evidence([_SCOPE])[_SCOPE]} == ids
        assert not store.commit(work(before)), "who read it before writes nothing back"
        letters = store.letters(bodies=True)
        assert [one.delivery.body for one in letters] == [b"", b"of somebody else"]
        assert store.forget_parcels(["order-N1"]).bodies == 0

    def test_a_parcel_on_its_way_is_still_asked_for_after_it_was_forgotten(self, event_world: EventWorld) -> None:
        """And a delivery that is to be read again has nothing left to be read."""
        store = event_world.empty()
        _delivered(store, next_poll_at=BEGAN)
        assert store.take_up([store.letters()[0].id]) == 1
        assert store.forget_parcels(["order-N1"]) == Forgiven(events=2, bodies=1)
        (due,) = store.due(60, 9)
        assert due.query == parcel("N1").query
        assert store.take("w", 60, 9) == ()
        (letter,) = store.letters()
        assert (letter.state, letter.error, letter.delivery.body) == (LetterState.IGNORED, "purged", b"")
