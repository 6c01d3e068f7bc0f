"""A PostgreSQL of the stand's own: on a unix socket, no port open, nothing flushed; it runs while somebody uses it."""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .places import CACHE, Unavailable, digest, last_lines, locked, run, say

__all__ = ["Cluster", "reason_against"]

USER = "odoo"
PORT = 5432
SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",  # for tests; what a crash of the machine breaks is made anew
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "300",
}


def reason_against() -> str:
    """What this machine lacks to run a PostgreSQL, or nothing."""
    if _binaries() is None and not (os.getuid() == 0 and shutil.which("apt-get")):
        return "there is no PostgreSQL server here, and without root and apt-get it cannot be installed"
    return ""


class Cluster:
    """The server for this cache's databases; `attach` starts it unless it runs, the last `detach` stops it."""

    def __init__(self) -> None:
        self._users = None
        self._binaries = _binaries()
        self.folder = self.socket = CACHE

    def attach(self) -> None:
        """Be one of its users."""
        with locked("cluster"):
            self._install()
            self._settle()
            self._users = (CACHE / "locks" / "cluster-users").open("a")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            if not self._answers():
                self._start()

    def detach(self) -> None:
        """Be one of its users no longer."""
        if self._users is None:
            return
        with locked("cluster"), self._users:
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # somebody else works with it
            else:
                self._control("stop", "-m", "fast")
        self._users = None

    def query(self, database: str, statement: str) -> list[list[str]]:
        """The rows of *statement*, each value as text."""
        quiet = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-At", "-F", "\x1f")
        printed = run(self._tool("psql"), *quiet, "-d", self.dsn(database), "-c", statement)
        return [line.split("\x1f") for line in printed.splitlines()]

    def dsn(self, database: str) -> str:
        """What libpq needs to reach *database*."""
        return f"host={self.socket} port={PORT} user={USER} dbname={database}"

    def psql(self, database: str, *arguments: str) -> int:
        """psql for a person; its exit code."""
        return subprocess.run([self._tool("psql"), "-d", self.dsn(database), *arguments], check=False).returncode

    def options(self) -> list[str]:
        """How Odoo is told of it."""
        return ["--db_host", str(self.socket), "--db_port", str(PORT), "--db_user", USER]

    def _tool(self, name: str) -> str:
        return str(self._binaries / name) if self._binaries else name

    def _install(self) -> None:
        if self._binaries:
            return
        if reason := reason_against():
            raise Unavailable(reason)
        say("installing PostgreSQL")
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        run("apt-get", "-q", "update", **quiet)
        run("apt-get", "-q", "install", "-y", "--no-install-recommends", "postgresql", **quiet)
        self._binaries = _binaries()

    def _settle(self) -> None:
        """Its data lies where the user that it runs as can enter, its socket where the path is short."""
        major = re.search(r"\d+", run(self._tool("postgres"), "-V")).group()
        self.folder = CACHE / f"postgresql-{major}"
        CACHE.mkdir(parents=True, exist_ok=True)
        if self._as() and subprocess.run(["test", "-x", CACHE], check=False, **self._as()).returncode:
            self.folder = Path("/var/tmp", f"shipkit-odoo-{digest(str(CACHE))}-{major}")
        self.socket = self.folder / "socket"
        if len(str(self.socket)) > 85:
            self.socket = Path("/tmp", f"shipkit-odoo-{digest(str(self.folder))}")
        for folder in (self.folder, self.socket):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            if self._as():
                shutil.chown(folder, "postgres")

    def _as(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root: Debian's user for it does."""
        if os.getuid():
            return {}
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            raise Unavailable("PostgreSQL does not run as root, and there is no user postgres") from None
        return {"user": "postgres", "group": "postgres", "extra_groups": ()}

    def _answers(self) -> bool:
        asked = [self._tool("pg_isready"), "-q", "-h", str(self.socket), "-p", str(PORT)]
        return subprocess.run(asked, check=False).returncode == 0

    def _start(self) -> None:
        if not (self.folder / "data/PG_VERSION").exists():
            self._make()
        try:
            self._control("start")
        except RuntimeError as error:
            say(f"the cluster does not start, it is made anew ({error})")
            self._make()
            self._control("start")

    def _make(self) -> None:
        say("making a PostgreSQL cluster")
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        options = ("-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        run(self._tool("initdb"), "-D", self.folder / "data", *options, cwd="/", **self._as())

    def _control(self, command: str, *arguments: str) -> None:
        told = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        words = [self._tool("pg_ctl"), "-D", str(self.folder / "data"), "-w", "-t", "60", "-s", *arguments]
        if command == "start":
            words += ["-o", f"-k {self.socket} -p {PORT} {told}", "-l", str(self.folder / "log")]
        # Not through pipes: the server would hold them open.
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        done = subprocess.run([*words, command], cwd="/", check=False, **silent, **self._as())
        if done.returncode and command == "start":
            log = self.folder / "log"
            raise RuntimeError(f"PostgreSQL: {last_lines(log.read_text() if log.exists() else 'no log')}")


def _binaries() -> Path | None:
    """The folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None
