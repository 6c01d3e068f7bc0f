"""Pushes on demand, from a carrier of its own and from one that runs."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from shipkit.cli.demo.stage import most_trusted
from shipkit.simulator import Clock, Simulator, World
from shipkit.webhooks import SharedHeader
from shipkit_easypost import EasyPost
from tests.cli.conftest import Run
from tests.simulator.acme import AcmeDialect
from tests.simulator.conftest import Receiver
from tests.simulator.conftest import receiver as receiver  # noqa: PLC0414 - a fixture


def statuses(receiver: Receiver) -> list[str]:
    return [json.loads(push.body)["result"]["status"] for push in receiver.received]


def test_a_newcomer_sees_a_delivery_come_in_hours_late_and_twice(run: Run, receiver: Receiver) -> None:
    done = run("trigger", "delivered", "--late", "--duplicate", "--to", receiver.url)

    assert done.code == 0
    assert statuses(receiver)[-2:] == ["delivered", "delivered"]
    assert len(receiver.received) == 2 * len(done.lines)
    assert done.lines[-1].split()[1] == "delivered"
    assert done.lines[-1].endswith("200, 200")
    at = datetime.fromisoformat(done.lines[-1].split()[2].replace("Z", "+00:00"))
    assert timedelta(hours=5) < datetime.now(timezone.utc) - at < timedelta(hours=7)
    account = EasyPost(api_key="EZTK-demo", webhook_secret="demo-secret")
    assert all(
        account.webhook_scheme.verify(p.headers, p.body, account.webhook_secrets) == "valid" for p in receiver.received
    )


def test_without_a_name_it_is_a_carrier_whose_pushes_are_signed() -> None:
    assert most_trusted() == "easypost"


def test_each_run_is_another_parcel(run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("trigger", "announced", "--to", receiver.url)
    monkeypatch.setattr("time.time", lambda: 2e9 + 77)
    second = run("trigger", "announced", "--to", receiver.url)

    assert first.lines[0].split()[0] != second.lines[0].split()[0]
    assert len({json.loads(push.body)["id"] for push in receiver.received}) == 2


def test_what_a_stranger_sends_has_no_proof(run: Run, receiver: Receiver) -> None:
    assert run("trigger", "lost", "--carrier", "ups", "--unsigned", "--reversed", "--to", receiver.url).code == 0
    assert {SharedHeader(header="credential").verify(p.headers, p.body, ["x"]) for p in receiver.received} == {"absent"}
    assert json.loads(receiver.received[0].body)["activityStatus"]["type"] == "X"


def test_a_secret_of_ones_own_is_shown(run: Run, receiver: Receiver) -> None:
    run("trigger", "accepted", "--carrier", "ups", "--secret", "mine", "--unknown-code", "--to", receiver.url)
    assert {push.headers["credential"] for push in receiver.received} == {"mine"}


def test_who_does_not_accept_is_told_of(run: Run, receiver: Receiver) -> None:
    receiver.statuses = [401]
    done = run("trigger", "announced", "--to", receiver.url)
    assert (done.code, done.lines[0].split()[-1]) == (1, "401")


def test_a_carrier_that_runs_is_asked_by_its_address(run: Run, receiver: Receiver) -> None:
    with Simulator(AcmeDialect(World(Clock(datetime(2026, 3, 2, tzinfo=timezone.utc))))) as acme:
        with acme.world.lock:
            numbers = [acme.world.book(booking_id=f"b{n}", numbers=[f"N{n}"]).numbers[0] for n in range(2)]

        nobody = run("trigger", "delivered", "--at", acme.url)
        done = run("trigger", "delivered", "--at", acme.url, "--to", receiver.url)
        chosen = run("trigger", "returned", "--at", f"{acme.url}/", "--to", receiver.url, "--number", numbers[0])
        over = run("trigger", "lost", "--at", acme.url, "--to", receiver.url)

    assert (nobody.code, done.code, chosen.code, over.code) == (2, 0, 0, 2)
    assert "nobody has subscribed" in nobody.err
    assert {line.split()[0] for line in done.lines} == {numbers[1]}
    assert {line.split()[0] for line in chosen.lines} == {numbers[0]}
    assert "book one" in over.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("teleported", "--to", "http://127.0.0.1:1/x"), "nothing that can happen is called teleported"),
        (("delivered",), "say where to push"),
        (("delivered", "--carrier", "mondialrelay", "--to", "http://127.0.0.1:1/x"), "mondialrelay pushes nothing"),
        (("delivered", "--carrier", "nobody", "--to", "http://127.0.0.1:1/x"), "no plugin for nobody"),
        (("delivered", "--at", "http://127.0.0.1:1"), "no simulated carrier answers"),
        (("delivered", "--at", "nonsense"), "no simulated carrier answers"),
        (("delivered", "--to", "http://127.0.0.1:1/x", "--number", "NONE"), "no parcel NONE"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done: Any = run("trigger", *arguments)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert said in done.err
