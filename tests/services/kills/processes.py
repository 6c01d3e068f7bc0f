"""The parts of the service as processes that are killed at random instants and started anew, as an init would."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

__all__ = ["PARTS", "Parts"]

PARTS = ("endpoint", "worker", "relay")
_LIFE_S = {"endpoint": 1.0, "worker": 1.0, "relay": 2.5}
"""The longest life of a part after it said that it is ready: a relay waits for the lease of the one before. One in four
is killed before it says so."""
_START_S = 30.0


class _Ready:
    """Where a part says that it is ready, as it would to systemd."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.name)
        self._socket.settimeout(0.05)

    def clear(self) -> None:
        self._socket.setblocking(False)
        try:
            while self._socket.recv(100):
                pass
        except BlockingIOError:
            self._socket.settimeout(0.05)

    def wait(self, process: subprocess.Popen[bytes]) -> bool:
        """Until it says so, or ended."""
        until = time.monotonic() + _START_S
        while time.monotonic() < until and process.poll() is None:
            try:
                if b"READY=1" in self._socket.recv(100):
                    return True
            except TimeoutError:
                continue
        return False

    def close(self) -> None:
        self._socket.close()


class Parts:
    """Processes of ``shipkit serve --only PART``; each is killed again and again until there were enough kills."""

    def __init__(self, config: Path, kills: int, seed: int, log: Path) -> None:
        self._config, self._log = config, log
        self._left, self._lock = kills, threading.Lock()
        self.kills: dict[str, int] = dict.fromkeys(PARTS, 0)
        self.ended: dict[str, int] = dict.fromkeys(PARTS, 0)
        """Ends that nobody caused: there must be none."""
        self._chance = {part: random.Random(f"{seed}/{part}") for part in PARTS}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._live, args=(part,), daemon=True) for part in PARTS]
        self._ready = {part: _Ready(log.parent / f"{part}.socket") for part in PARTS}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def killed(self) -> int:
        """How many so far."""
        return sum(self.kills.values())

    def stop(self) -> None:
        """End them all as an init does, and wait."""
        self._stop.set()
        for process in list(self._processes.values()):
            process.terminate()
        for thread in self._threads:
            thread.join(90)
        for ready in self._ready.values():
            ready.close()

    def _live(self, part: str) -> None:
        ready = self._ready[part]
        while not self._stop.is_set():
            ready.clear()
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "shipkit.cli", "serve", "--only", part, "--config", str(self._config)],
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "PYTHONWARNINGS": "default", "NOTIFY_SOCKET": ready.name},
                )
            self._processes[part] = process
            if self._take_one():
                chance = self._chance[part]
                if chance.random() < 0.25 or ready.wait(process):
                    self._wait(process, chance.uniform(0.0, _LIFE_S[part]))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    self.kills[part] += 1
            process.wait()
            if not self._stop.is_set() and process.returncode != -signal.SIGKILL:
                self.ended[part] += 1
                time.sleep(0.2)

    def _wait(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def _take_one(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0
