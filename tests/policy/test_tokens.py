"""One token for all: fetched once, refreshed once, and never waited for longer than somebody fetches it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import AsyncClient, Client, SqliteStore
from shipkit.errors import AuthenticationError, OutcomeUnknownError
from shipkit.flow import Flow, Request, Response, Token
from shipkit.policy import AccountState, stack
from shipkit.settings import Settings
from shipkit.simulator import Simulator
from shipkit.store import MemoryTokens
from tests.core.acme import Acme, request
from tests.core.script import START, context, reply
from tests.policy.stage import Stage
from tests.simulator.acme import AcmeDialect

SIGNED = Request.get("https://api.acme.example/v2/track/1", name="track")


class Shared(MemoryTokens):
    """A database's tokens, in memory: it would block."""

    blocking = True


class Rotating(Acme):
    """Gives a refresh token with each token, and takes each of them once."""

    def authenticate(self) -> Flow[Token]:
        response = yield Request.form(
            "https://api.acme.example/v2/token", {}, name="token", replayable=True, signed=False
        )
        return _token(response)

    def refresh(self, token: Token) -> Flow[Token]:
        form = {"refresh_token": token.refresh_token}
        response = yield Request.form(
            "https://api.acme.example/v2/token", form, name="refresh", replayable=True, signed=False
        )
        return _token(response)


def _token(response: Response) -> Token:
    value = response.content.decode()
    return Token(value=value, refresh_token=f"r-{value}", expires_at=START + timedelta(hours=1))


ROTATING = Rotating(client_id="host", client_secret="client-secret")


class TokenDesk:
    """The carrier's side: the newest token is the only one that holds; now and then all are revoked."""

    def __init__(self, revoked_at: list[float], lost: set[int]) -> None:
        self.valid, self.made, self.revoked_at, self.lost = "", 0, sorted(revoked_at), lost
        self.refreshes: list[bytes] = []

    def __call__(self, request: Request, at: float) -> tuple[float, Response | BaseException]:
        while self.revoked_at and self.revoked_at[0] <= at:
            self.revoked_at.pop(0)
            self.valid = ""
        if request.name == "track":
            good = request.headers["Authorization"] == f"Bearer {self.valid}" and self.valid
            return 0.1, reply(200 if good else 401)(request)
        if request.name == "refresh":
            self.refreshes.append(request.content)
        self.made += 1
        self.valid = f"t-{self.made}"
        if self.made in self.lost:
            return 0.3, OutcomeUnknownError("silence")
        return 0.3, reply(200, self.valid.encode())(request)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 3), st.sampled_from(["play", "play", "close", "cancel"])),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.floats(0, 3), max_size=3),
    st.sets(st.integers(1, 6), max_size=2),
    st.lists(st.integers(0, 7), max_size=80),
    st.booleans(),
)
def test_no_refresh_token_is_sent_twice_and_nobody_leaves_a_claim_behind(
    callers: list[tuple[int, float, str]], revoked: list[float], lost: set[int], choices: list[int], shared: bool
) -> None:
    desk = TokenDesk(revoked, lost)
    stage = Stage(desk, choices)
    tokens = (Shared if shared else MemoryTokens)(lambda: START.timestamp() + stage.at)
    near = [MemoryTokens(lambda: START.timestamp() + stage.at) if shared else None for _ in range(3)]
    states = [AccountState(account="acme-de", carrier="acme", near=copy) for copy in near]
    settings = Settings(attempts=1, breaker_failures=1000)
    ids = iter(range(100_000))
    ends = []
    for process, after, end in callers:
        made = context(
            state=states[process], tokens=tokens, settings=settings, request_id=lambda: f"id-{next(ids)}", until=60.0
        )
        ends.append((after, end, stage.enter(stack(ROTATING, made).send(SIGNED))))
    for after, end, actor in sorted(ends, key=lambda item: item[0]):
        stage.play(until=after)
        if end != "play" and not actor.done:
            getattr(stage, end)(actor)
    stage.play()

    assert len(desk.refreshes) == len(set(desk.refreshes))
    assert stage.at < 30, "nobody waited for a lease to run out"
    for store in (tokens, *(copy for copy in near if copy is not None)):
        assert store.claim("acme-de", "somebody else", 1.0)


def workers(count: int) -> tuple[Stage, TokenDesk, Shared, list[Any]]:
    """Processes that share a store, each with a copy of its own."""
    desk = TokenDesk([], set())
    stage = Stage(desk)
    clock = lambda: START.timestamp() + stage.at  # noqa: E731
    shared = Shared(clock)
    states = [AccountState(account="acme-de", carrier="acme", near=MemoryTokens(clock)) for _ in range(count)]
    made = [context(state=state, tokens=shared, until=1e6) for state in states]
    return stage, desk, shared, made


def test_a_worker_with_the_older_token_takes_the_newer_one_and_no_second_refresh_follows() -> None:
    stage, desk, _, made = workers(2)
    for one in made:
        stage.enter(stack(ROTATING, one).send(SIGNED))
        stage.play()
    assert desk.made == 1
    desk.valid = "revoked"
    for one in made:
        stage.enter(stack(ROTATING, one).send(SIGNED))
        stage.play()
    assert [len(desk.refreshes), desk.made] == [1, 2]
    assert all(actor.result is not None for actor in stage.actors)


def test_with_a_token_at_hand_no_store_is_asked() -> None:
    stage, _, _, made = workers(1)
    stage.enter(stack(ROTATING, made[0]).send(SIGNED))
    stage.play()
    stage.calls.clear()
    stage.enter(stack(ROTATING, made[0]).send(SIGNED))
    stage.play()
    assert stage.calls == []


def test_a_refresh_that_is_refused_or_unanswered_is_followed_by_a_login() -> None:
    stage, desk, _, made = workers(1)
    stage.enter(stack(ROTATING, made[0]).send(SIGNED))
    stage.play()
    desk.valid, desk.lost = "revoked", {2}
    stage.enter(stack(ROTATING, made[0]).send(SIGNED))
    stage.play()
    assert [sent.name for _, sent in stage.sent] == ["token", "track", "track", "refresh", "token", "track"]
    assert stage.actors[-1].result is not None


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_who_gives_up_while_it_fetches_gives_the_claim_back_at_once(end: str) -> None:
    stage, _, _, made = workers(2)
    first = stage.enter(stack(ROTATING, made[0]).send(SIGNED))
    stage.play(until=0.1)
    getattr(stage, end)(first)
    second = stage.enter(stack(ROTATING, made[1]).send(SIGNED))
    stage.play()
    assert second.result is not None and stage.at < 2


def test_credentials_that_are_refused_are_not_tried_by_everybody_who_waited() -> None:
    stage = Stage(lambda request, at: (0.3, reply(401)(request)))
    made = context(until=100.0)
    actors = [stage.enter(stack(ROTATING, made).send(SIGNED)) for _ in range(8)]
    stage.play()
    assert len(stage.sent) == 1
    assert all(isinstance(actor.failure, AuthenticationError) for actor in actors)
    assert len({id(actor.failure) for actor in actors}) == 8


def token_calls(sim: Simulator) -> int:
    return len([seen for seen in sim.requests() if seen.operation == "token"])


def test_eight_threads_and_eight_tasks_on_a_cold_account_ask_for_one_token_each_time(
    sim: Simulator, acme: Acme, tmp_path: Path
) -> None:
    for number, store in enumerate((None, SqliteStore(tmp_path / "threads.db")), 1):
        together = threading.Barrier(8)
        with Client({"acme-de": acme}, store=store) as client:

            def ask(client: Client = client, together: threading.Barrier = together) -> None:
                together.wait()
                assert not client.rates(request()).errors

            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert token_calls(sim) == number

    async def tasks(store: Any) -> None:
        async with AsyncClient({"acme-de": acme}, store=store) as client:
            answers = await asyncio.gather(*(client.rates(request()) for _ in range(8)))
            assert not any(answer.errors for answer in answers)

    for number, store in enumerate((None, SqliteStore(tmp_path / "tasks.db")), 3):
        asyncio.run(tasks(store))
        assert token_calls(sim) == number


@pytest.fixture
def sim() -> Any:
    with Simulator(AcmeDialect()) as running:
        yield running


@pytest.fixture
def acme(sim: Simulator) -> Acme:
    return Acme(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2")


WORKER = """
import sys
from shipkit import Client
from tests.core.acme import Acme, request
from tests.policy.places import opened
account = Acme(client_id="host", client_secret="client-secret", base_url=sys.argv[1])
with Client({"acme-de": account}, store=opened(sys.argv[2])) as client:
    print("ready", flush=True)
    sys.stdin.readline()
    assert not client.rates(request()).errors
"""


@pytest.mark.process
@pytest.mark.slow
def test_four_processes_on_one_store_ask_for_one_token(
    sim: Simulator, acme: Acme, shared_place: str, root: Path
) -> None:
    sim.add_fault("slow", operation="token", times=1, after_s=0.5)
    arguments = [sys.executable, "-c", WORKER, acme.base_url, shared_place]
    started = [
        subprocess.Popen(arguments, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for worker in started:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    for worker in started:
        worker.communicate("go\n", timeout=60)
    assert [worker.returncode for worker in started] == [0] * 4
    assert token_calls(sim) == 1
