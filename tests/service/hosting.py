"""A process with an endpoint in it: ``python -m tests.service.hosting KIND PLACE [--bare] [--bounds JSON]``.

It prints its port. ``--bare`` verifies and answers without a store: what the same server does at most. ``--single``
commits one by one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from shipkit.config import Bounds, ServiceChoice
from shipkit.service import Endpoint, intake
from shipkit.store import PostgresStore, SqliteStore
from tests.service.pusher import client

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str]) -> int:
    kind, place = arguments[:2]
    bounds = Bounds(**json.loads(arguments[arguments.index("--bounds") + 1])) if "--bounds" in arguments else Bounds()
    level = logging.DEBUG if "--loud" in arguments else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr)
    # Not of the service: the server's own trace of every read and write.
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    store = opened(kind, place)
    ours = client(store)
    from shipkit.service.listening import server

    if "--single" in arguments:
        intake.GroupCommit = partial(intake.GroupCommit, longest=1)  # type: ignore[assignment, misc]
    commits = [0]
    endpoint = Endpoint(ours, bounds=bounds)
    counted(endpoint._entrance.store, commits)
    if "--bare" in arguments:
        endpoint._intake, endpoint._addresses = Nothing(), endpoint._entrance.addresses()  # type: ignore[assignment]
    app = telling(endpoint, commits)
    choice = ServiceChoice(port=0, bounds=bounds)
    running = server(app, choice)
    # uvicorn stops in order and then raises the signal again, for whoever handled it before.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    with running.config.bind_socket() as listener:
        listener.listen(1024)  # whoever reads the port connects at once
        sys.stdout.write(json.dumps([listener.getsockname()[1], dict(ours.events.webhook_paths())]) + "\n")
        sys.stdout.flush()
        running.run([listener])
    ours.close()
    store.close()
    return 0


def counted(events: Any, commits: list[int]) -> None:
    """Count the commits of deliveries."""
    put = events.put

    def counting(deliveries: Any) -> Any:
        commits[0] += 1
        return put(deliveries)

    events.put = counting


def telling(app: Any, commits: list[int]) -> Any:
    """*app*, and at ``/commits`` how many commits there were."""

    async def told(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") != "/commits":
            return await app(scope, receive, send)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        return await send({"type": "http.response.body", "body": json.dumps(commits[0]).encode()})

    return told


class Nothing:
    """Keeps nothing, and says at once that it has."""

    full, depth = False, 0

    def put(self, delivery: Any) -> Any:
        done = asyncio.get_running_loop().create_future()
        done.set_result(True)
        return done

    def close(self) -> None:
        """Nothing to write."""


def opened(kind: str, place: str) -> Any:
    """The store in a file, or in a schema of the server on this machine."""
    if kind == "sqlite":
        return SqliteStore(place)
    from tests.store.world import SERVER

    return PostgresStore(SERVER, schema=place)


class Hosted:
    """That process, as its tests see it."""

    def __init__(self, kind: str, place: str, *words: str, log: Path | None = None, bounds: Any = None) -> None:
        given = ["--bounds", json.dumps(bounds)] if bounds else []
        command = [sys.executable, "-m", "tests.service.hosting", kind, place, *words, *given]
        self.log = log
        errors = log.open("wb") if log is not None else None
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors or subprocess.DEVNULL, env=environ
        )
        if errors is not None:
            errors.close()
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline() if ready else b""
        assert line, log.read_text() if log is not None else "the endpoint did not start"
        self.port, self.paths = json.loads(line)

    def memory_kb(self, name: str = "VmRSS") -> int:
        """Resident memory of the process now, or at most so far (``VmHWM``)."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:"))

    def processor_s(self) -> float:
        """Processor time that it took."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> int:
        """Stop it in order."""
        self.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        if self.process.poll() is None:
            self.process.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
