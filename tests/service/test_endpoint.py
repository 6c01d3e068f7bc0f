"""The ASGI callable, played by hand: what is stored before it is answered, what a stranger learns, what is bounded."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import StoreError
from shipkit.model import WebhookDelivery
from shipkit.ports.events import LetterState
from shipkit.service import Bounds, Endpoint
from shipkit.store import MemoryStore
from tests.service.pusher import SECRET, Answered, asked, client, push, signed


class World:
    """An endpoint over a store in memory."""

    def __init__(self, store: Any = None, **options: Any) -> None:
        self.store = store or MemoryStore()
        self.client = client(self.store)
        self.paths = self.client.events.webhook_paths()
        self.app = Endpoint(self.client, **options)

    async def post(self, body: bytes, headers: dict[str, str] | None = None, account: str = "shop", **more: Any) -> Any:
        path = more.pop("path", self.path(account))
        given = signed(body) if headers is None else headers
        return await asked(self.app, "POST", path, headers=given, body=more.pop("pieces", (body,)), **more)

    def path(self, account: str = "shop") -> str:
        from urllib.parse import unquote

        return unquote(self.paths[account])

    def bodies(self) -> list[bytes]:
        return [letter.delivery.body for letter in self.store.events.letters(bodies=True, limit=10_000)]


def run(coroutine: Any, world: World | None = None) -> Any:
    async def whole() -> Any:
        try:
            return await coroutine
        finally:
            if world is not None:
                await world.app.aclose()

    return asyncio.run(whole())


def test_a_signed_push_is_stored_before_it_is_answered() -> None:
    world = World()
    answer = run(world.post(push()), world)
    assert (answer.status, answer.body) == (200, b"")
    (letter,) = world.store.events.letters(bodies=True)
    assert (letter.state, letter.delivery.account, letter.delivery.body) == (LetterState.NEW, "shop", push())


def test_the_same_push_again_is_taken_and_stored_once() -> None:
    world = World()

    async def thrice() -> list[int]:
        return [(await world.post(push())).status for _ in range(3)]

    assert run(thrice(), world) == [200, 200, 200]
    assert world.bodies() == [push()]


@given(st.binary(max_size=3000), st.lists(st.integers(0, 3000), max_size=5))
def test_the_bytes_are_kept_as_they_came_however_they_were_cut(body: bytes, cuts: list[int]) -> None:
    world = World()
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    assert run(world.post(body, pieces=pieces), world).status == 200
    assert world.bodies() == [body]


def test_what_is_forged_is_refused_and_not_kept() -> None:
    world = World()
    good = signed(push())["x-pusher-signature"]
    forged: list[dict[str, str]] = [
        {},
        signed(push(), "guessed"),
        {"x-pusher-signature": ""},
        {"x-pusher-signature": good[:-1]},
        {"x-pusher-signature": "é"},
        signed(push(), "another"),  # the secret of another account
    ]

    async def all_of_them() -> list[Answered]:
        found = [await world.post(push(), headers) for headers in forged]
        # A right signature among several is not picked out.
        twice = [(b"X-Pusher-Signature", b"00"), (b"x-pusher-signature", good.encode())]
        found.append(await asked(world.app, "POST", world.path(), headers=twice, body=(push(),)))
        return found

    answers = run(all_of_them(), world)
    assert {answer.status for answer in answers} == {401}
    assert answers[0].problem() == {"type": "about:blank", "title": "Unauthorized", "status": 401}
    assert world.bodies() == []


def test_a_stranger_cannot_tell_a_wrong_token_from_an_account_that_is_not_there() -> None:
    world = World()
    token = world.path().rpartition("/")[2]
    paths = [
        "/webhooks/shop/wrong", "/webhooks/nobody/wrong", "/webhooks/mute/wrong", f"/webhooks/nobody/{token}",
        "/webhooks/", "/webhooks/shop", "/", "/admin", "/metrics", "*", "", "/webhooks/shop/\udcff",
        world.path() + "/", world.path().upper(),
    ]  # fmt: skip

    async def each() -> list[Any]:
        return [
            await asked(world.app, method, path, headers=signed(push()), body=(push(),))
            for path in paths
            for method in ("POST", "GET", "OPTIONS")
        ]

    answers = run(each(), world)
    assert {(answer.status, answer.body, tuple(answer.headers.items())) for answer in answers} == {
        (404, answers[0].body, tuple(answers[0].headers.items()))
    }
    assert answers[0].problem() == {"type": "about:blank", "title": "Not Found", "status": 404}


def test_a_carrier_may_look_whether_its_address_is_there() -> None:
    world = World()

    async def each() -> list[tuple[int, str]]:
        found = [await asked(world.app, method, world.path()) for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")]
        return [(answer.status, answer.headers.get("allow", "")) for answer in found if answer is not None]

    assert run(each(), world) == [(200, ""), *[(405, "GET, POST")] * 4]


def test_a_name_with_any_letters_has_a_path_and_its_own_secret() -> None:
    world = World()
    answer = run(world.post(push(), signed(push(), "another"), account="näxt/door"), world)
    assert answer.status == 200
    assert [letter.delivery.account for letter in world.store.events.letters()] == ["näxt/door"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_long_is_not_read_to_its_end(declared: bool) -> None:
    world = World()
    pieces = [b"x" * 400_000] * 50
    headers = {"content-length": "20000000"} if declared else {"transfer-encoding": "chunked"}
    answer = run(world.post(b"", headers, pieces=pieces), world)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert world.app._held.bytes == 0


def test_what_is_compressed_is_refused_so_that_nothing_small_becomes_large() -> None:
    world = World()
    bomb = gzip.compress(bytes(10_000_000))
    answer = run(world.post(bomb, {**signed(bomb), "content-encoding": "gzip"}), world)
    assert answer.status == 415


def test_too_many_or_too_long_headers_are_refused() -> None:
    world = World(bounds=Bounds(headers_max=10, headers_max_bytes=2000))
    many = {f"x-{n}": "1" for n in range(20)}
    assert run(world.post(push(), {**signed(push()), **many}), world).status == 431
    assert run(world.post(push(), {**signed(push()), "x-long": "y" * 3000}), world).status == 431


def test_a_slow_sender_is_told_to_be_quicker_and_a_gone_one_nothing() -> None:
    world = World(bounds=Bounds(body_s=0.05))
    assert run(world.post(push(), pieces=(b"{",), then="hangs"), world).status == 408
    assert run(world.post(push(), pieces=(b"{",), then="gone"), world) is None
    assert world.bodies() == []
    assert world.app._held.bytes == 0
    assert {lane.open for lane in world.app._lanes.values()} == {0}


def test_a_server_that_cancels_a_request_leaves_nothing_behind() -> None:
    world = World()

    async def cancelled() -> None:
        task = asyncio.ensure_future(world.post(push(), pieces=(b"{",), then="hangs"))
        while not world.app._held.bytes:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled(), world)
    assert world.app._held.bytes == 0
    assert {lane.open for lane in world.app._lanes.values()} == {0}


def test_too_many_at_once_are_told_when_to_come_again_and_others_are_not_hindered() -> None:
    world = World(bounds=Bounds(at_once=3))

    async def crowd() -> tuple[Any, Any]:
        slow = [asyncio.ensure_future(world.post(push(), pieces=(b"{",), then="hangs")) for _ in range(3)]
        while world.app._held.bytes < 3:
            await asyncio.sleep(0)
        refused = await world.post(push())
        other = await world.post(push(), signed(push(), "another"), account="näxt/door")
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return refused, other

    refused, other = run(crowd(), world)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert other.status == 200


def test_the_bodies_of_all_senders_together_are_bounded() -> None:
    world = World(bounds=Bounds(bytes_at_once=100_000))

    async def crowd() -> Any:
        slow = [asyncio.ensure_future(world.post(b"", {}, pieces=(b"x" * 45_000,), then="hangs")) for _ in range(2)]
        while world.app._held.bytes < 90_000:
            await asyncio.sleep(0)
        refused = await world.post(b"", {}, pieces=(b"x" * 20_000,))
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return refused

    refused = run(crowd(), world)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert world.app._held.bytes == 0


def test_too_many_in_a_second_are_told_when_to_come_again() -> None:
    world = World(bounds=Bounds(per_s=5, strangers_per_s=2))

    async def many() -> tuple[list[Any], list[Any]]:
        ours = [await world.post(push()) for _ in range(20)]
        theirs = [await world.post(push(), path=f"/webhooks/{n}/x") for n in range(20)]
        return ours, theirs

    ours, theirs = run(many(), world)
    assert [answer.status for answer in ours[:10]] == [200] * 10
    assert [answer.status for answer in theirs[:4]] == [404] * 4
    for late in (ours[-1], theirs[-1]):
        assert (late.status, late.headers["retry-after"]) == (429, "1")
        assert late.problem()["title"] == "Too Many Requests"


class Broken:
    """A store of events that fails, or hangs, when it is written to."""

    blocking = True

    def __init__(self) -> None:
        self.inner = MemoryStore().events
        self.fails = False
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def put(self, deliveries: Sequence[WebhookDelivery]) -> tuple[bool, ...]:
        self.gate.wait(30)
        self.batches.append(len(deliveries))
        if self.fails:
            raise StoreError("the database at db.internal cannot be reached")
        return self.inner.put(deliveries)

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        if self.fails:
            raise StoreError("the database at db.internal cannot be reached")
        return self.inner.lease(name, owner, seconds)


class WithEvents(MemoryStore):
    """A store whose events' side is another one."""

    def __init__(self, events: Any) -> None:
        super().__init__()
        self._other = events

    @property
    def events(self) -> Any:
        return self._other


def test_while_the_store_is_down_nobody_is_told_that_it_was_taken() -> None:
    events = Broken()
    world = World(WithEvents(events))

    async def down_and_up() -> list[Any]:
        events.fails = True
        down = await world.post(push())
        events.fails = False
        return [down, await world.post(push())]

    down, up = run(down_and_up(), world)
    assert (down.status, down.headers["retry-after"]) == (503, "5")
    assert b"db.internal" not in down.body
    assert up.status == 200
    assert world.bodies() == [push()]


def test_what_comes_during_a_commit_is_written_by_the_next_one_together() -> None:
    events = Broken()
    world = World(WithEvents(events))

    async def crowd() -> list[int]:
        events.gate.clear()
        first = asyncio.ensure_future(world.post(push("0")))
        while world.app._intake is None or world.app._intake.depth or not world.app._held.bytes:
            await asyncio.sleep(0.001)
        rest = [asyncio.ensure_future(world.post(push(str(n)))) for n in range(1, 40)]
        while world.app._intake.depth < 39:
            await asyncio.sleep(0.001)
        events.gate.set()
        return [answer.status for answer in await asyncio.gather(first, *rest)]

    assert run(crowd(), world) == [200] * 40
    assert sum(events.batches) == 40
    assert len(events.batches) <= 3


def test_a_store_that_hangs_does_not_hold_the_senders() -> None:
    events = Broken()
    world = World(WithEvents(events), bounds=Bounds(commit_s=0.05))

    async def hang() -> Any:
        events.gate.clear()
        answer = await world.post(push())
        events.gate.set()
        return answer

    answer = run(hang(), world)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_closing_writes_what_was_taken_first() -> None:
    events = Broken()
    world = World(WithEvents(events))

    async def closing() -> Any:
        events.gate.clear()
        tasks = [asyncio.ensure_future(world.post(push(str(n)))) for n in range(10)]
        while world.app._held.bytes < 10 * len(push("0")):
            await asyncio.sleep(0.001)
        threading.Timer(0.05, events.gate.set).start()
        await world.app.aclose()
        return await asyncio.gather(*tasks)

    assert {answer.status for answer in run(closing(), world)} == {200}
    assert len(world.bodies()) == 10


def test_health_and_readiness_tell_a_status_and_no_detail() -> None:
    events = Broken()
    world = World(WithEvents(events))

    async def both() -> list[Any]:
        found = [await asked(world.app, "GET", path) for path in ("/healthz", "/readyz")]
        events.fails = True
        world.app._ready_until = 0.0
        found += [await asked(world.app, "GET", path) for path in ("/healthz", "/readyz")]
        found.append(await asked(world.app, "POST", "/healthz"))
        return found

    alive, ready, still_alive, unready, posted = run(both(), world)
    assert [alive.status, ready.status, still_alive.status, unready.status, posted.status] == [200, 200, 200, 503, 405]
    assert unready.problem() == {"type": "about:blank", "title": "Service Unavailable", "status": 503}
    assert posted.headers["allow"] == "GET"


def test_however_many_ask_the_store_is_asked_once_in_a_while() -> None:
    events = Broken()
    world = World(WithEvents(events))
    asked_for: list[str] = []
    lease = events.lease
    events.lease = lambda name, owner, seconds: asked_for.append(name) or lease(name, owner, seconds)  # type: ignore[method-assign]

    async def many() -> None:
        answers = await asyncio.gather(*[asked(world.app, "GET", "/readyz") for _ in range(200)])
        assert {answer.status for answer in answers if answer} == {200}

    run(many(), world)
    assert len(asked_for) == 1


def test_measures_are_for_whoever_brings_the_token_and_for_nobody_without_one() -> None:
    open_to_some = World(metrics=lambda: "shipkit_x 1\n", metrics_token="t0ken")
    never_configured = World(metrics=lambda: "shipkit_x 1\n")

    async def each() -> list[Any]:
        found = []
        for world, headers in (
            (open_to_some, {"authorization": "Bearer t0ken"}),
            (open_to_some, {"authorization": "Bearer wrong"}),
            (open_to_some, {}),
            (never_configured, {"authorization": "Bearer "}),
        ):
            found.append(await asked(world.app, "GET", "/metrics", headers=headers))
        return found

    right, wrong, without, closed = run(each())
    assert (right.status, right.body) == (200, b"shipkit_x 1\n")
    assert [wrong.status, without.status, closed.status] == [404, 404, 404]


def test_it_opens_and_closes_with_the_servers_lifespan() -> None:
    world = World()

    async def life() -> list[str]:
        messages = ["lifespan.startup", "lifespan.shutdown"]
        sent: list[str] = []

        async def receive() -> dict[str, Any]:
            return {"type": messages.pop(0)}

        async def send(message: Any) -> None:
            sent.append(message["type"])
            if message["type"] == "lifespan.startup.complete":
                assert world.app._intake is not None

        await world.app({"type": "lifespan"}, receive, send)
        assert world.app._intake is None
        return sent

    assert run(life()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_it_may_be_mounted_in_another_application() -> None:
    world = World()
    answer = run(asked(world.app, "POST", world.path(), headers=signed(push()), body=(push(),), root_path="/carriers"))
    assert answer.status == 200


@pytest.mark.services
def test_it_works_inside_starlette() -> None:
    starlette = pytest.importorskip("starlette.applications")
    from starlette.routing import Mount

    world = World()
    app = starlette.Starlette(routes=[Mount("/carriers", app=world.app)])

    async def both() -> list[int]:
        path = "/carriers" + world.path()
        found = [await asked(app, "POST", path, headers=signed(push()), body=(push(),)), await asked(app, "GET", "/x")]
        await world.app.aclose()
        return [answer.status for answer in found if answer]

    assert run(both()) == [200, 404]


def test_a_failure_of_ours_is_told_by_its_kind_only(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    def fails(*_: Any) -> Any:
        raise RuntimeError(f"about {SECRET}")

    class Failing:
        def __getattr__(self, name: str) -> Any:
            return fails if name == "judge" else getattr(inner, name)

    inner, world.app._entrance = world.app._entrance, Failing()  # type: ignore[assignment]
    answer = run(world.post(push()), world)
    assert answer.problem()["status"] == 500
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text


def test_a_hosts_controller_gets_the_same_answers() -> None:
    world = World()
    events, path = world.client.events, world.path()
    assert events.answer("POST", path, signed(push()), push()).status == 200
    assert events.answer("POST", path, signed(push()), push()).status == 200
    assert world.bodies() == [push()]
    assert events.answer("GET", path, {}, b"").status == 200
    assert events.answer("POST", path, signed(push(), "guessed"), push()).status == 401
    assert events.answer("POST", path + "x", signed(push()), push()).status == 404
    assert events.answer("POST", path, {"Content-Encoding": "gzip"}, push()).status == 415
    assert events.answer("POST", path, {}, bytes(1_000_001)).status == 413
    assert events.answer("PATCH", path, {}, b"").status == 405
    problem = events.answer("POST", "/", {}, b"")
    assert json.loads(problem.body) == {"type": "about:blank", "title": "Not Found", "status": 404}


def test_a_hosts_controller_learns_that_the_store_is_down() -> None:
    events = Broken()
    world = World(WithEvents(events))
    events.fails = True
    answer = world.client.events.answer("POST", world.path(), signed(push()), push())
    assert (answer.status, dict(answer.headers)["retry-after"]) == (503, "5")


def test_the_endpoint_needs_neither_starlette_nor_uvicorn_nor_httpx() -> None:
    code = (
        "import sys; from shipkit.service import Endpoint; "
        "print([n for n in ('starlette', 'uvicorn', 'httpx', 'h11', 'sqlite3', 'zeep') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_async_client_gives_the_same_answers_and_serves_the_endpoint() -> None:
    from shipkit import AsyncClient
    from tests.service.pusher import Pusher

    async def both() -> list[int]:
        store = MemoryStore()
        async with AsyncClient({"shop": Pusher()}, store=store) as ours:
            path = (await ours.events.webhook_paths())["shop"]
            app = Endpoint(ours)
            sent = await asked(app, "POST", path, headers=signed(push()), body=(push(),))
            await app.aclose()
            again = await ours.events.answer("POST", path, signed(push()), push())
            refused = await ours.events.answer("POST", path, {}, push())
            assert len(store.events.letters()) == 1
            return [sent.status if sent else 0, again.status, refused.status]

    assert run(both()) == [200, 200, 401]
