"""Odoo's processes: its shell with a script, its server with a URL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .places import ADDONS, CACHE, clean_environment, last_lines

__all__ = ["Odoo", "Server", "free_port", "on_loopback"]


class Odoo:
    """How Odoo is started here: with which Python, on which cluster, with which addons."""

    def __init__(self, python: Path, options: list[str], addons: Path | None = ADDONS) -> None:
        self.python = python
        self._options = options
        self._addons = addons
        self.folder = CACHE / "data"
        # Not in the tree: the folder that Odoo is started in is on its Python path, and ours has one named odoo.
        self._here = CACHE / "started-in"
        self._here.mkdir(parents=True, exist_ok=True)
        (self._here / "odoo.conf").write_text("[options]\n")

    def words(self, command: str, *arguments: str) -> list[str]:
        """The command line of one of Odoo's commands."""
        options = [*self._options, "--data-dir", str(self.folder)]
        if self._addons:
            options += ["--addons-path", str(self._addons)]
        return [str(self.python), "-m", "odoo", command, *options, *arguments]

    def start(
        self, command: str, *arguments: str, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Odoo's *command* in a process group of its own; it reads no settings of this user."""
        more = {"ODOO_RC": str(self._here / "odoo.conf"), "PYTHONWARNINGS": "ignore::DeprecationWarning", **(env or {})}
        return subprocess.Popen(
            self.words(command, *arguments),
            **{"stdin": subprocess.DEVNULL, "text": True, **options},
            cwd=self._here, env=clean_environment(more), start_new_session=True,
        )  # fmt: skip

    def shell(
        self, database: str, source: str | Path, *, level: str, env: Mapping[str, str] | None, **options: Any
    ) -> subprocess.Popen[str]:
        """Odoo's shell, which runs *source* (a script's path, or its text) with ``env`` in its names."""
        text = source.read_text() if isinstance(source, Path) else source
        with tempfile.TemporaryFile("w+") as script:
            script.write(text)
            script.seek(0)
            return self.start(
                "shell", "-d", database, "--no-http", f"--log-level={level}", env=env, stdin=script, **options
            )


class Server:
    """A running ``odoo server``: its :attr:`url`, its :attr:`log`, its :attr:`process`."""

    def __init__(
        self, odoo: Odoo, database: str, *, workers: int, cron_threads: int, env: Mapping[str, str] | None
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.database = database
        self.log = CACHE / "logs" / f"{database}-{port}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as file:
            self.process = odoo.start(
                "server", "-d", database, "--db-filter", f"^{database}$", "--workers", str(workers),
                *on_loopback(port), "--max-cron-threads", str(cron_threads),
                env=env, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait(self, seconds: float = 60) -> None:
        """Until it answers with the database loaded."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with (
                suppress(OSError, urllib.error.URLError),
                urllib.request.urlopen(f"{self.url}/web/login", timeout=seconds),
            ):
                return
            time.sleep(0.1)
        raise RuntimeError(f"Odoo does not answer at {self.url}:\n{last_lines(self.log.read_text())}")

    def stop(self, seconds: float = 20) -> None:
        """Ask it to end; then end it with everything that it started."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End it and its workers as a machine that loses power does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def on_loopback(port: int = 0) -> list[str]:
    """The options that keep Odoo's server on loopback, at *port* or a free one."""
    gevent = str(free_port())
    return ["--http-interface", "127.0.0.1", "--http-port", str(port or free_port()), "--gevent-port", gevent]


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
