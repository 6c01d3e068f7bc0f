"""An account that ought to push and does not is seen; one that has nothing to tell is not."""

from __future__ import annotations

from typing import Any

from tests.client_events.stage import Clock, Tracked, event, hosted

DAY = 86_400


def test_an_account_that_never_pushed_is_silent_after_a_day_with_open_parcels(
    store: Any, kind: str, clock: Clock
) -> None:
    with hosted(store, kind, clock=clock) as host:
        assert host.silent() == ()
        host.follow("AC1", account="acme-de")
        clock.on(DAY - 60)
        assert host.silent() == ()
        clock.on(120)
        (found,) = host.silent()
        assert (found.account, found.carrier, found.heard_at, found.silent) == ("acme-de", "acme", None, True)
        assert found.open_parcels == 1


def test_a_push_ends_the_silence_and_its_end_is_a_day_later(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock) as host:
        host.follow("AC1", account="acme-de")
        clock.on(DAY * 2)
        host.push({"number": "AC1", "events": [event("in_transit", 3)]})
        heard_at = clock.at
        assert host.silent() == ()
        clock.on(DAY + 1)
        (found,) = host.silent()
        assert found.heard_at == heard_at


def test_after_a_quiet_time_without_parcels_nobody_is_blamed(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock) as host:
        host.follow("AC1", account="acme-de")
        host.push({"number": "AC1", "events": [event("in_transit", 3)]})
        host.unfollow("AC1", account="acme-de")
        clock.on(DAY * 9)
        assert host.silent() == (), "nothing is open"
        host.follow("AC2", account="acme-de")
        assert host.silent() == (), "it is open since a moment ago"


def test_a_forged_push_is_no_sign_of_life(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock) as host:
        host.follow("AC1", account="acme-de")
        clock.on(DAY * 2)
        host.push({"number": "AC1", "events": []}, secret="somebody else's")
        assert [found.silent for found in host.silent()] == [True]


def test_an_account_that_is_not_expected_to_push_is_left_out(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock, carrier=Tracked(webhook_secrets=())) as host:
        host.follow("AC1", account="acme-de")
        clock.on(DAY * 9)
        assert host.silent() == ()


def test_pushes_that_are_missed_are_counted_where_asking_finds_the_news(store: Any, clock: Clock) -> None:
    answers: dict[str, Any] = {f"AC{index}": [event("accepted", 1)] for index in range(6)}
    with hosted(store, clock=clock, carrier=Tracked(answers=answers.get)) as host:
        for number in answers:
            host.follow(number, account="acme-de")
        host.poll()
        host.push({"number": "AC0", "events": [event("in_transit", 26)]})
        host.drain()
        assert [host.state(number).missed for number in answers] == [0] * 6, "they were under way already"

        for number in answers:
            answers[number] = [event("accepted", 1), event("in_transit", 26)]
        clock.on(DAY - 60)
        polled = host.poll()
        assert polled.missed == 5
        assert host.state("AC0").missed == 0
        (found,) = host.silent()
        assert (found.silent, found.missed_parcels, found.open_parcels) == (False, 5, 6)
