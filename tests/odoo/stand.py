"""The stand: all parts together, for as long as somebody needs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import cluster, debian, interpreter
from .cluster import Cluster
from .databases import Databases
from .places import UNAVAILABLE, Unavailable, last_lines
from .process import Odoo, Server, on_loopback
from .verdict import Verdict, verdict

__all__ = ["Stand", "reason_against"]

if TYPE_CHECKING:
    from typing_extensions import Self

ADDON = "delivery_shipkit"


def reason_against() -> str:
    """Why no Odoo can be brought up on this machine, or nothing."""
    try:
        interpreter.chosen()
    except Unavailable as error:
        return str(error)
    return debian.reason_against() or cluster.reason_against()


class Stand:
    """A real Odoo 19 with this tree's distributions, its PostgreSQL, and databases for the asking.

    ``with Stand.open() as stand`` makes what is not in the cache yet. Two at once do not disturb each other.
    """

    def __init__(self, cluster: Cluster, odoo: Odoo) -> None:
        self._cluster = cluster
        self.odoo = odoo
        self.databases = Databases(cluster, odoo)

    @classmethod
    def open(cls, *, pinned: bool = False) -> Self:
        """The stand, from what the cache holds and this machine offers; *pinned*: with the versions that Odoo pins.

        Raises:
            Unavailable: this machine cannot; the message says what it lacks.
        """
        if reason := reason_against():
            raise Unavailable(reason)
        debian.package()
        python = interpreter.environment(pinned=pinned)
        server = Cluster()
        server.attach()
        stand = cls(server, Odoo(python, server.options()))
        stand.databases.sweep()
        return stand

    def with_python(self, python: Path, *, addons: Path | None = None) -> Stand:
        """This stand with another Python for Odoo, and the addons of folder *addons* or just those that it finds."""
        return Stand(self._cluster, Odoo(python, self._cluster.options(), addons))

    def close(self) -> None:
        """Let go of the PostgreSQL; the last one stops it."""
        self._cluster.detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @classmethod
    @contextmanager
    def or_skipped(cls, *, pinned: bool = False) -> Iterator[Self]:
        """The stand for a script: where it is impossible, the script ends with the reason and the code for a skip."""
        try:
            stand = cls.open(pinned=pinned)
        except Unavailable as error:
            print(f"odoo: not on this machine: {error}", file=sys.stderr)
            raise SystemExit(UNAVAILABLE) from error
        with stand:
            yield stand

    @contextmanager
    def database(
        self, *, modules: tuple[str, ...] = (ADDON,), demo: bool = False, name: str = "", keep: bool = False
    ) -> Iterator[str]:
        """The name of a database of one's own in which *modules* are installed; dropped at the end unless *keep*."""
        made = self.databases.clone(self.databases.template(modules, demo=demo), name)
        try:
            yield made
        finally:
            if not keep:
                self.databases.drop(made)

    def dsn(self, database: str) -> str:
        """What libpq (psycopg, psql) needs to reach *database*."""
        return self._cluster.dsn(database)

    def query(self, database: str, statement: str) -> list[list[str]]:
        """The rows of *statement*, each value as text."""
        return self._cluster.query(database, statement)

    def psql(self, database: str, *arguments: str) -> int:
        """psql for a person; its exit code."""
        return self._cluster.psql(database, *arguments)

    def script(
        self,
        database: str,
        source: str | Path,
        *,
        env: Mapping[str, str] | None = None,
        level: str = "warn",
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Odoo's shell on *source* (a path, or the text itself), which has ``env``; ended after *timeout* seconds.

        Odoo's log goes to stderr, from *level* on. An exception that leaves the script is an exit code other than 0.
        """
        process = self.popen(database, source, env=env, level=level, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def popen(
        self,
        database: str,
        source: str | Path,
        *,
        env: Mapping[str, str] | None = None,
        level: str = "warn",
        **options: Any,
    ) -> subprocess.Popen[str]:
        """The same, under way, in a process group of its own: to be killed, or to run beside others."""
        return self.odoo.shell(database, source, level=level, env=env, **options)

    @contextmanager
    def server(
        self, database: str, *, workers: int = 0, cron_threads: int = 0, env: Mapping[str, str] | None = None
    ) -> Iterator[Server]:
        """A real HTTP server on a free port of loopback, ready at ``.url``; its log is the file ``.log``."""
        server = Server(self.odoo, database, workers=workers, cron_threads=cron_threads, env=env)
        try:
            server.wait()
            yield server
        finally:
            server.stop()

    def test(
        self, *, modules: tuple[str, ...] = (ADDON,), tags: str = "", name: str = "", keep: bool = False
    ) -> Verdict:
        """Install *modules* where Odoo's own are, run their tests (or those that *tags* choose), and say how it went.

        Not from the template that has them: what is installed already would run no test.
        """
        made = self.databases.clone(self.databases.template(), name)
        try:
            tags = tags or ",".join(f"/{module}" for module in modules)
            process = self.odoo.start(
                "server", "-d", made, "-i", ",".join(modules), "--without-demo", "--stop-after-init",
                "--test-enable", "--test-tags", tags, *on_loopback(), "--max-cron-threads", "0",
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            log = []
            for line in process.stdout or ():
                log.append(line)
                print(line, end="")
            found = verdict("".join(log))
            if process.wait() and found.good:
                return found._replace(log=(f"Odoo ended with {process.returncode}: {last_lines(''.join(log), 3)}",))
            return found
        finally:
            if not keep:
                self.databases.drop(made)
