"""Threads and asyncio: one text of every rule, so equal results and equal requests, whatever the carrier answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from shipkit.testing import Mutation, Reply, no_waiting
from tests.properties.test_spoilt_replies import CASES, spoilt
from tests.properties.wire import Wire, client_on, outcome_of, run_async
from tests.recordings.accounts import ACCOUNTS
from tests.recordings.conversations import Case

pytestmark = pytest.mark.skipif(not CASES, reason="the shared recordings are not here")

UNKEYED = {"rates", "transit_times", "documents", "track", "service_points", "check_address"}
KEYED = {"create_shipment", "book_pickup", "close_manifest", "insure", "refund"}
OURS = [case for case in CASES if case.conversation.operation in UNKEYED | KEYED]


def asked(case: Case, client: Any) -> Any:
    """The call that the recorded conversation answers, on a client of either kind."""
    operation, argument = case.conversation.operation, case.conversation.argument
    if operation == "rates":
        return client.rates(argument)
    method = getattr(client, operation)
    return method(argument, account="it") if operation in UNKEYED else method(argument, account="it", key="order-1042")


def both(case: Case, replies: tuple[Reply, ...]) -> None:
    carrier = ACCOUNTS[case.carrier]
    threads, tasks = Wire(list(replies)), Wire(list(replies))
    with no_waiting(), client_on(threads, carrier) as client:
        one = outcome_of(lambda: asked(case, client))
    with no_waiting():
        other = outcome_of(lambda: run_async(tasks, carrier, lambda client: asked(case, client)))

    assert threads.requests == tasks.requests
    assert [request.id for request in threads.requests] == [request.id for request in tasks.requests]
    assert _comparable(one) == _comparable(other)


def _comparable(outcome: tuple[str, Any]) -> tuple[str, str]:
    return outcome[0], repr(outcome[1])


def test_every_operation_of_the_recordings_is_compared() -> None:
    assert {case.conversation.operation for case in OURS} == UNKEYED | KEYED


@pytest.mark.parametrize("case", OURS, ids=lambda case: case.name)
def test_both_clients_say_the_same_of_a_recorded_conversation(case: Case) -> None:
    both(case, case.conversation.replies)


@given(spoilt(OURS))
def test_both_clients_say_the_same_of_a_spoilt_one(spoiling: tuple[Case, int, Mutation]) -> None:
    case, index, mutation = spoiling
    replies = case.conversation.replies

    both(case, (*replies[:index], mutation.reply, *replies[index + 1 :]))
