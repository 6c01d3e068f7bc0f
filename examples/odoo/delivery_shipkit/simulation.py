"""A carrier simulated on this machine for a database: one process of its own, shared by all workers."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from odoo.exceptions import UserError
from odoo.tools import config

_STARTS_WITHIN_S = 20.0
_SEEN_FOR_S = 5.0

_seen: dict[tuple[str, str], tuple[str, float]] = {}
_children: list[subprocess.Popen[str]] = []


def simulator_url(database: str, plugin: str) -> str:
    """Where the simulator of *plugin* answers for *database*; it is started when it does not.

    Its port is in a file of Odoo's data folder, so that every worker finds the same one.

    Raises:
        UserError: it cannot be started.
    """
    url, seen_at = _seen.get((database, plugin), ("", 0.0))
    if url and time.monotonic() - seen_at < _SEEN_FOR_S:
        return url
    folder = Path(config["data_dir"]) / "shipkit"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{database}-{plugin}.url"
    with _alone(file.with_suffix(".lock")):
        url = file.read_text().strip() if file.exists() else ""
        if _answers(url) != plugin:
            url = _started(plugin, url, file.with_suffix(".log"))
            file.write_text(url)
    _seen[database, plugin] = (url, time.monotonic())
    return url


def time_passes(url: str, hours: float) -> None:
    """Let the simulated carrier's time go on: parcels move, and pushes go out."""
    _asked(url, "POST", "/_sim/clock", {"advance_s": hours * 3600})


def stop() -> None:
    """End the simulators that this process started."""
    for child in _children:
        child.terminate()
        child.wait(_STARTS_WITHIN_S)
    _children.clear()
    _seen.clear()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _answers(url: str) -> str:
    """The code of the carrier that answers at *url*; empty where nobody does."""
    try:
        return str(_asked(url, "GET", "/_sim/")["carrier"]) if url else ""
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return ""


def _asked(url: str, method: str, path: str, data: Any = None) -> Any:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        body = json.dumps(data) if data is not None else None
        connection.request(method, path, body, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _started(plugin: str, before: str, log: Path) -> str:
    """Start it, on the port that it had *before* where that is free: what was booked keeps its address."""
    for port in dict.fromkeys([before.rpartition(":")[2] or "0", "0"]):
        command = [sys.executable, "-m", "shipkit.simulator", plugin, "--port", port, "--host-pid", str(_server_pid())]
        with log.open("w") as errors:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        line = child.stdout.readline().strip() if child.stdout else ""
        if line.startswith("http://"):
            _children[:] = [each for each in _children if each.poll() is None] + [child]
            return line
        child.wait(_STARTS_WITHIN_S)
    said = log.read_text().strip()
    raise UserError(f"{plugin}: {said.splitlines()[-1] if said else 'the simulator cannot be started'}")


def _server_pid() -> int:
    """The process that all workers are children of: a worker ends after so many requests, and parcels go on."""
    return os.getppid() if config["workers"] else os.getpid()
