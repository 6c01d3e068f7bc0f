"""The service as a whole: pushes in, states, announcements out; stopped, and with parts that fail."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipkit.config import ServiceChoice
from shipkit.errors import InputError, StoreError
from shipkit.service.loops import Loop, Loops


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What *condition* gives, as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


# Loops


def test_a_loop_that_fails_rests_and_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    done = {"good": 0, "bad": 0}

    def good() -> bool:
        done["good"] += 1
        return done["good"] < 50

    def bad() -> bool:
        done["bad"] += 1
        raise StoreError("the number 1Z999 is not there")

    loops = Loops([
        Loop(name="good", step=good, idle_s=0.01),
        Loop(name="bad", step=bad, idle_s=0.01, backoff_max_s=0.01),
    ])  # fmt: skip
    with caplog.at_level(logging.INFO, "shipkit"):
        loops.start()
        until(lambda: done["good"] >= 60 and done["bad"] >= 3)
        states = {state.name: state for state in loops.states()}
        assert loops.stop(30)
    assert (states["good"].failures, states["good"].alive, states["bad"].alive) == (0, True, True)
    assert states["bad"].failures >= 2
    assert "bad failed (store" in caplog.text
    assert "1Z999" not in caplog.text


def test_a_loop_that_was_failing_says_that_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    fails = [True, True, False, False]

    def step() -> bool:
        if fails and fails.pop(0):
            raise RuntimeError("no")
        return False

    loops = Loops([Loop(name="now and then", step=step, idle_s=0.01, backoff_max_s=0.01)])
    with caplog.at_level(logging.INFO, "shipkit"):
        loops.start()
        until(lambda: not fails)
        assert loops.stop(30)
    assert "now and then goes on after 2 failures" in caplog.text


def test_what_is_begun_is_finished_before_it_stops() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def step() -> bool:
        begun.set()
        may_end.wait(30)
        ended.set()
        return True

    loops = Loops([Loop(name="long", step=step, idle_s=60)])
    loops.start()
    assert begun.wait(30)
    assert not loops.stop(0.05)
    may_end.set()
    assert loops.stop(30)
    assert ended.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_is_told_so_that_the_process_is_started_anew() -> None:
    told = threading.Event()

    def step() -> bool:
        raise SystemExit

    loops = Loops([Loop(name="gone", step=step, idle_s=60)], told.set)
    loops.start()
    assert told.wait(30)
    assert loops.stop(30)


# The process

CONFIG = """
[accounts.shop]
carrier = "easypost"
api_key = "EZTK-not-a-real-key"
webhook_secret = {env = "PUSH_SECRET"}
base_url = "http://127.0.0.1:9"

[store]
path = "shipkit.db"

[service]
port = 0
idle_s = 0.05
poll_idle_s = 0.05
metrics_token = "t0ken"
"""
SECRET = "canary-of-pushes"


class Running:
    """A process of ``shipkit serve``."""

    def __init__(self, folder: Path, *words: str, config: str = CONFIG) -> None:
        (folder / "shipkit.toml").write_text(config)
        (folder / "shipkit.toml").chmod(0o600)
        self.folder = folder
        command = [sys.executable, "-m", "shipkit.cli", "serve", "--config", "shipkit.toml", *words]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            environ = {**os.environ, "PUSH_SECRET": SECRET}
            self.process = subprocess.Popen(command, cwd=folder, stderr=log, stdout=log, env=environ)

    def port(self) -> int:
        def told() -> int:
            assert self.process.poll() is None, self.log.read_text()
            lines = [line for line in self.log.read_text().splitlines() if "taking pushes at" in line]
            return int(lines[0].rpartition(":")[2]) if lines else 0

        return int(until(told))

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port()}{path}", data, named)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(*words: str, config: str = CONFIG) -> Running:
        made.append(Running(tmp_path, *words, config=config))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def path_of(folder: Path) -> str:
    from shipkit import Client
    from shipkit.store import SqliteStore

    with closing(SqliteStore(folder / "shipkit.db")) as store, Client({"shop": _account()}, store=store) as client:
        return client.events.webhook_paths()["shop"]


def _account() -> Any:
    from shipkit_easypost import EasyPost

    return EasyPost(api_key="x", webhook_secret=SECRET)


def pushed() -> tuple[bytes, dict[str, str]]:
    from shipkit.webhooks import preset

    body = json.dumps({
        "object": "Event", "description": "tracker.updated", "id": "evt_1",
        "result": {
            "object": "Tracker", "id": "trk_1", "tracking_code": "EZ1000000001", "status": "in_transit",
            "tracking_details": [],
        },
    }).encode()  # fmt: skip
    scheme: Any = preset("easypost")
    return body, {"X-Hmac-Signature": scheme.signature(body, SECRET)}


@pytest.mark.slow
@pytest.mark.process
def test_one_process_takes_pushes_reads_them_and_stops_in_order(started: Callable[..., Running]) -> None:
    running = started()
    assert running.ask("/healthz")[0] == 200
    assert running.ask("/readyz")[0] == 200
    path = path_of(running.folder)
    body, headers = pushed()
    assert running.ask(path, body, **headers)[0] == 200
    assert running.ask(path, body)[0] == 401
    assert running.ask("/webhooks/shop/guess", body, **headers)[0] == 404
    assert running.ask("/metrics")[0] == 404
    status, text = running.ask("/metrics", Authorization="Bearer t0ken")
    assert status == 200
    assert b"shipkit_webhook_deliveries" in text
    assert running.end() == 0
    log = running.log.read_text()
    assert not any(secret in log for secret in (SECRET, path, path.rpartition("/")[2], "EZ1000000001", "Traceback"))

    from shipkit.ports.events import LetterState
    from shipkit.store import SqliteStore

    with closing(SqliteStore(running.folder / "shipkit.db")) as store:
        (letter,) = store.events.letters()
        assert letter.state is not LetterState.NEW


@pytest.mark.slow
@pytest.mark.process
def test_a_part_that_does_not_listen_tells_its_supervisor_and_stops(
    started: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        running = started("--only", "worker")
        assert channel.recv(100) == b"READY=1"
        assert running.end() == 0
        assert channel.recv(100) == b"STOPPING=1"


@pytest.mark.slow
@pytest.mark.process
def test_a_port_that_is_taken_is_told_in_a_line(started: Callable[..., Running], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        running = started("--port", str(taken.getsockname()[1]))
        assert running.process.wait(60) == 2
    assert "Traceback" not in running.log.read_text()
    assert "Address already in use" in running.log.read_text()


def test_a_part_that_is_none_is_refused() -> None:
    from shipkit.config import loaded
    from shipkit.service import Service

    with pytest.raises(InputError, match="no part is called walker"):
        Service(loaded(environ={"HOME": "/nonexistent"}), ["walker"])


def test_the_usual_service_listens_on_this_machine_only() -> None:
    assert ServiceChoice().host == "127.0.0.1"
    assert ServiceChoice().metrics_token == ""


RSA = """
[webhooks.shop.scheme]
kind = "rsa"
header = "x-sign"
key_header = "x-key"
jwks_url = "http://127.0.0.1:%d/jwks"
"""


@pytest.mark.slow
@pytest.mark.process
def test_published_keys_are_fetched_before_the_first_push(started: Callable[..., Running]) -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    from tests.webhooks.test_key_sets import Publisher
    from tests.webhooks.test_rsa import NEW, OLD

    body, _ = pushed()
    with Publisher() as publisher:
        thread = threading.Thread(target=publisher.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running = started(config=CONFIG + RSA % publisher.server_port)
        running.port()
        path = path_of(running.folder)
        for key, status in ((OLD, 200), (NEW, 401)):
            signature = base64.b64encode(key.sign(body, PKCS1v15(), SHA256())).decode()
            assert running.ask(path, body, X_Sign=signature, X_Key="old")[0] == status
        assert publisher.asked == 1
        assert running.end() == 0
        publisher.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.process
def test_what_will_come_to_nothing_is_told_at_the_start(started: Callable[..., Running], tmp_path: Path) -> None:
    from shipkit.store import SqliteStore
    from tests.publishers.outbox import announce

    with closing(SqliteStore(tmp_path / "shipkit.db")) as store:
        announce(store.events, ["acme:1", "acme:1"], ["gone"])
    running = started(config=CONFIG.replace('webhook_secret = {env = "PUSH_SECRET"}', ""))
    running.port()
    assert running.end() == 0
    log = running.log.read_text()
    assert "no secret is configured for the pushes to shop: each of them is refused" in log
    assert "2 announcements wait for gone, which is not configured" in log


@pytest.mark.services
def test_destinations_that_cannot_be_used_are_told_by_name_all_at_once() -> None:
    pytest.importorskip("kombu")
    from shipkit.config import DestinationChoice
    from shipkit.service.destinations import publishers_of
    from shipkit.settings import Settings

    choices = {
        "erp": DestinationChoice(name="erp", kind="rabbitmq", options={"url": "amqp://u:S3cret/x@h//"}),
        "shop": DestinationChoice(
            name="shop", kind="http", options={"url": "https://x.example/", "secrets": ("whsec_S3cret",)}
        ),
        "fine": DestinationChoice(name="fine", kind="redis", options={"url": "redis://127.0.0.1"}),
    }
    with pytest.raises(InputError) as caught:
        publishers_of(choices, Settings())
    assert [one.path for one in caught.value.problems] == ["/destinations/erp/url", "/destinations/shop/secrets/0"]
    assert "S3cret" not in str(caught.value)
