"""From the inbox to states: every delivery ends, hints are asked about, and nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from shipkit.errors import AuthenticationError, NotFoundError, UnavailableError
from shipkit.model import EventSource, Milestone
from shipkit.ports.events import LetterState
from shipkit.settings import Settings
from shipkit.webhooks import Unsigned, WebhookAuth
from tests.client_events.stage import Acme, Clock, Tracked, event, hosted, parcel, row

WAY = [event("announced", 0), event("accepted", 2), event("in_transit", 5), event("delivered", 30)]


def test_a_signed_push_moves_its_parcel_and_is_announced_once(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        store.events.follow([parcel("P1")])
        assert host.push(row("P1", *WAY[:2])).stored
        done = host.process()
        assert (done.taken, done.done, done.events, done.parcels, done.asked) == (1, 1, 2, 1, 0)
        assert host.milestone("P1") == "accepted"
        host.push(row("P1", *WAY))
        host.push(row("P1", *reversed(WAY)))
        assert host.drain().done == 2
        assert host.milestone("P1") == "delivered"
        entered = [key for key in host.announced() if "|entered|" in key]
        assert entered == [f"acme:P1:2026-03-02|entered|{one['code']}|1" for one in WAY]
        assert host.state("P1").pushed_at == clock.at
        assert [one.announcement.key for one in store.events.pending("erp", 1)] == host.announced()[:1]


def test_a_delivery_for_unknown_parcels_waits_until_somebody_registers_them(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        store.events.follow([parcel("P1")])
        host.push([row("P1", *WAY[:2]), row("P2", *WAY), row("P3", WAY[0])])
        assert host.drain().parked == 1
        assert host.milestone("P1") == "accepted"
        (waiting,) = host.letters("parked")
        assert waiting.waits_for == ("P2", "P3")
        store.events.follow([parcel("P2")])
        assert host.drain().parked == 1
        assert (host.milestone("P2"), host.letters("parked")[0].waits_for) == ("delivered", ("P3",))
        store.events.follow([parcel("P3")])
        assert host.drain().done == 1
        assert host.milestone("P3") == "announced"


def test_what_cannot_be_read_is_a_dead_letter_without_a_word_of_its_body(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        store.events.follow([parcel("P1")])
        host.push({"nonsense": "Jo Receiver"})
        headers, body = {"X-Sign": ""}, b"{not json"
        from tests.client_events.stage import SCHEMES, SECRET

        headers["X-Sign"] = SCHEMES["signed"].signature(body, SECRET)
        host.receive("acme-de", headers, body)
        host.push(row("P1", WAY[0]))
        assert (host.drain().dead, host.milestone("P1")) == (2, "announced")
        dead = host.letters("dead")
        assert [one.error for one in dead] == ["bad_reply", "bad_reply"]
        assert [one.detail for one in dead] == ["$.nonsense $…", "$"]
        assert [one.error for one in host.seen if one.kind == "webhook" and one.error] == ["bad_reply"] * 2


def test_a_push_that_says_nothing_of_parcels_is_ignored(store: Any) -> None:
    with hosted(store) as host:
        host.push([])
        assert host.drain().ignored == 1


def test_a_hint_has_its_carrier_asked_and_its_own_words_are_not_believed(store: Any, kind: str) -> None:
    carrier = Tracked(scheme="shared", answers=lambda number: WAY[:3])
    with hosted(store, kind, carrier=carrier) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", event("delivered", 1)))
        host.push(row("P1", event("lost", 1)))
        done = host.drain()
        assert (done.done, done.asked, carrier.asked) == (2, 1, ["P1"])
        assert host.milestone("P1") == "in_transit"
        (known,) = store.events.evidence([host.state("P1").scope]).values()
        assert {one.source for one in known} == {EventSource.POLL}
        assert host.state("P1").polled_at is not None


def test_a_carrier_is_not_asked_again_for_what_it_was_asked_lately(store: Any, kind: str, clock: Clock) -> None:
    answers: list[Any] = [WAY[:1], WAY]
    carrier = Tracked(scheme="shared", answers=lambda number: answers.pop(0))
    with hosted(store, kind, clock=clock, carrier=carrier) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1"))
        assert host.drain().asked == 1
        clock.on(20)
        host.push(row("P1", WAY[1]))
        done = host.drain()
        assert (done.again, done.asked) == (1, 0), "it is put off, not dropped"
        clock.on(41)
        assert host.drain().asked == 1
        assert host.milestone("P1") == "delivered"
        assert not host.letters("new", "dead")


def test_a_hint_that_came_before_the_last_answer_is_done_with_it(store: Any, clock: Clock) -> None:
    carrier = Tracked(scheme="shared", answers=lambda number: WAY)
    with hosted(store, clock=clock, carrier=carrier) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1"))
        clock.on(1)
        host.push(row("P1", WAY[0]))
        host.process(1)
        assert (host.process(1).done, carrier.asked) == (1, ["P1"])


def test_a_hint_that_comes_while_the_carrier_answers_a_poll_is_not_taken_for_answered(store: Any, clock: Clock) -> None:
    answers: list[Any] = [WAY[:1], WAY]
    hosts: list[Any] = []

    def answer(number: str) -> Any:
        if len(answers) == 2:
            clock.on(1)
            hosts[0].push(row(number, WAY[3]))
            clock.on(1)
        return answers.pop(0)

    with hosted(store, clock=clock, carrier=Tracked(scheme="shared", answers=answer)) as host:
        hosts.append(host)
        store.events.follow([parcel("P1", next_poll_at=clock.at)])
        assert host.poll().taken == 1
        assert (host.process().again, host.milestone("P1")) == (1, "announced")
        clock.on(61)
        assert host.drain().asked == 1
        assert host.milestone("P1") == "delivered"


@pytest.mark.parametrize("error", [UnavailableError("down"), NotFoundError("not yet"), AuthenticationError("no")])
def test_while_the_carrier_cannot_be_asked_a_hint_is_kept_and_tried_again(
    store: Any, clock: Clock, error: Exception
) -> None:
    answers: list[Any] = [error]
    carrier = Tracked(scheme="shared", answers=lambda number: answers[0])
    with hosted(store, clock=clock, carrier=carrier) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1"))
        assert host.drain().again == 1
        (waiting,) = host.letters("new")
        assert waiting.error == error.code  # type: ignore[attr-defined]
        answers[0] = WAY
        clock.on(3700)
        assert host.drain().done == 1
        assert host.milestone("P1") == "delivered"


def test_a_hint_that_is_never_answered_ends_as_a_dead_letter(store: Any, clock: Clock) -> None:
    carrier = Tracked(scheme="shared", answers=lambda number: None)
    with hosted(store, clock=clock, carrier=carrier, settings=Settings(inbox_attempts=3)) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1"))
        for _ in range(3):
            assert host.process().taken == 1
            clock.on(3700)
        (dead,) = host.letters("dead")
        assert (dead.error, dead.attempts) == ("not_found", 3)


def test_of_a_carrier_that_answers_for_no_number_a_proved_sender_is_believed(store: Any) -> None:
    with hosted(store, carrier=Acme(scheme="shared")) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", *WAY))
        assert host.drain().done == 1
        assert host.milestone("P1") == "delivered"


def test_of_a_carrier_that_answers_for_no_number_an_unproved_push_is_dead_with_its_reason(store: Any) -> None:
    auth = {"acme-de": WebhookAuth(scheme=Unsigned())}
    with hosted(store, carrier=Acme(scheme="unsigned"), webhooks=auth) as host:
        store.events.follow([parcel("P1")])
        assert host.push(row("P1", *WAY)).stored
        assert host.drain().dead == 1
        assert host.letters("dead")[0].error == "unproved"
        assert host.milestone("P1") == ""


def test_the_secret_of_one_account_proves_nothing_of_a_parcel_of_another(store: Any) -> None:
    theirs = Tracked(answers=lambda number: WAY[:1])
    accounts = {"acme-de": theirs, "acme-fr": Tracked(webhook_secrets=("other",))}
    with hosted(store, accounts=accounts) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", *WAY), account="acme-fr", secret="other")
        assert (host.drain().asked, host.milestone("P1")) == (1, "announced")


def test_a_delivery_of_an_account_that_is_not_configured_is_kept(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock, accounts={"acme-de": Tracked(), "acme-fr": Tracked()}) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", *WAY), account="acme-fr")
    with hosted(store, clock=clock) as host:
        assert host.drain().again == 1
        assert host.letters("new")[0].error == "no_account"
    clock.on(3700)
    with hosted(store, clock=clock, accounts={"acme-de": Tracked(), "acme-fr": Tracked()}) as host:
        assert host.drain().done == 1


def test_codes_that_no_table_explains_are_kept_and_counted_once(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", event("XX", 3)))
        host.drain()
        assert [one.detail for one in host.seen if one.kind == "unmapped_code"] == ["XX"]
        assert [(one.code, one.events) for one in store.events.unmapped()] == [("XX", 1)]


def test_pieces_of_a_shipment_advance_and_the_whole_with_them(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        pieces = [parcel(number, key="order-7", shipment="shipment:order-7") for number in ("P1", "P2")]
        whole = parcel("", key="order-7", scope="shipment:order-7", query=None)
        store.events.follow([*pieces, whole])
        pieced = [event(code, hour, piece=number) for number in ("P1", "P2") for code, hour in [("accepted", 2)]]
        host.push(row("P1", *pieced, event("delivered", 9, piece="P1"), related=["P2"]))
        host.drain()
        rows = {one.scope: one for one in store.events.of_key("order-7")}
        whole_now = rows["shipment:order-7"].timeline
        assert (host.milestone("P1"), host.milestone("P2")) == ("delivered", "accepted")
        assert whole_now is not None
        assert (whole_now.milestone, whole_now.partially_delivered) == (Milestone.ACCEPTED, True)
        host.push(row("P2", event("delivered", 20, piece="P2")))
        host.drain()
        done = store.events.of_key("order-7")
        assert {one.timeline.milestone for one in done} == {Milestone.DELIVERED}
        assert all(LetterState.DONE is one.state for one in host.letters())


def test_a_number_that_is_used_again_tells_of_the_parcel_that_was_registered_last(store: Any) -> None:
    from tests.client_events.stage import START

    with hosted(store) as host:
        old = parcel("P1", since=START.replace(year=2025))
        store.events.follow([parcel("P1"), old])
        host.push(row("P1", *WAY))
        host.drain()
        assert host.milestone("P1") == "delivered"
        (first,) = store.events.parcels([old.scope])
        assert first.timeline is None
