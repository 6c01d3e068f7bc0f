"""Signed pushes per second, over HTTP and onto the disk, beside two ceilings of the same run, and single commits."""

from __future__ import annotations

import json
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs

from tests.service.hosting import ROOT, Hosted
from tests.store.world import SERVER, no_server

from .ledger import disk
from .pushes import BODY_BYTES, CONNECTIONS
from .timing import Figure

__all__ = ["inbox_on_postgres", "inbox_on_sqlite"]

COUNT, PAIRS = 3_000, 7
SHARE, TIMES = 0.6, 3.0
UNBOUNDED = {"per_s": 1e9, "at_once": 1000}


@attrs.frozen(kw_only=True)
class _Rates:
    """Of one round, per second."""

    ours: float
    bare: float
    single: float
    groups: float
    """Rows that are committed in groups as large as ours were."""
    commits: float
    """Single rows."""
    size: float


def inbox_on_sqlite() -> list[Figure]:
    """On a file, with ``synchronous = FULL``."""
    with tempfile.TemporaryDirectory(dir=disk()) as folder:

        def place() -> str:
            return str(Path(folder) / f"{secrets.token_hex(4)}.db")

        return _figures("SQLite", "sqlite", place, lambda size: _raw_sqlite(Path(place()), size))


def inbox_on_postgres() -> list[Figure]:
    """On a PostgreSQL server, with ``synchronous_commit = on``."""
    if no_server():
        raise LookupError(no_server())
    made: list[str] = []

    def place() -> str:
        made.append(f"shipkit_bench_{secrets.token_hex(6)}")
        return made[-1]

    try:
        return _figures("PostgreSQL", "postgres", place, _raw_postgres)
    finally:
        import psycopg

        with psycopg.connect(SERVER, autocommit=True) as connection:
            for schema in made:
                connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def _figures(name: str, kind: str, place: Callable[[], str], raw: Callable[[int], float]) -> list[Figure]:
    with _host(kind, place()) as ours, _host(kind, place(), "--bare") as bare, _host(kind, place(), "--single") as one:
        for host in (ours, bare, one):
            _rate(host, 500)
        rounds = [_round(ours, bare, one, raw) for _ in range(PAIRS)]
    middle = {
        field.name: statistics.median(getattr(each, field.name) for each in rounds) for field in attrs.fields(_Rates)
    }
    told = ", ".join(f"{key} {value:.0f}" for key, value in middle.items())
    lower = statistics.median(min(each.bare, each.groups) / each.ours for each in rounds)
    single = statistics.median(each.single / each.ours for each in rounds)
    is_disk = middle["commits"] < middle["bare"] / 2
    return [
        Figure(
            name=f"signed pushes stored, {name}",
            ratio=lower,
            bar=1 / SHARE,
            ours_us=1e6 / middle["ours"],
            base_us=1e6 / min(middle["bare"], middle["groups"]),
            base="the lower of: no store; raw commits in equal groups",
            note=f"per second: {told}",
        ),
        Figure(
            name=f"one commit for each push, {name}",
            ratio=single,
            bar=1 / TIMES if is_disk else None,
            ours_us=1e6 / middle["single"],
            base_us=1e6 / middle["ours"],
            base="group commit" if is_disk else "group commit; the disk is not the limit here",
            note=f"per second: {told}",
        ),
    ]


def _round(ours: Hosted, bare: Hosted, one: Hosted, raw: Callable[[int], float]) -> _Rates:
    before = _groups(ours)
    rate = _rate(ours, COUNT)
    after = _groups(ours)
    size = COUNT / max(1, after - before)
    return _Rates(
        ours=rate,
        bare=_rate(bare, COUNT),
        single=_rate(one, COUNT // 4),
        groups=raw(max(1, round(size))),
        commits=raw(1),
        size=size,
    )


def _rate(host: Hosted, count: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.pushes", str(host.port), host.paths["shop"], str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr[-1000:])
    return count / float(done.stdout)


def _groups(host: Hosted) -> int:
    """How many commits it has made, as it says itself."""
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{host.port}/commits", timeout=30) as answer:
        return int(json.loads(answer.read()))


@contextmanager
def _host(kind: str, place: str, *words: str) -> Iterator[Hosted]:
    host = Hosted(kind, place, *words, bounds=UNBOUNDED)
    try:
        yield host
    finally:
        host.end()


_ROW = bytes(BODY_BYTES + 250)  # a delivery is its body and a few short texts


def _raw_sqlite(path: Path, size: int) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute(
            "CREATE TABLE bare (id INTEGER PRIMARY KEY, account TEXT, name TEXT, body BLOB, UNIQUE (account, name))"
        )

        def commit() -> None:
            bare.execute("BEGIN IMMEDIATE")
            rows = [("shop", secrets.token_hex(32), _ROW) for _ in range(size)]
            bare.executemany("INSERT INTO bare (account, name, body) VALUES (?, ?, ?)", rows)
            bare.execute("COMMIT")

        return _timed(commit, size)


def _raw_postgres(size: int) -> float:
    import psycopg

    schema = f"shipkit_bench_{secrets.token_hex(6)}"
    with psycopg.connect(SERVER, autocommit=True) as bare:
        bare.execute("SET synchronous_commit = on")
        bare.execute(f"CREATE SCHEMA {schema}")
        bare.execute(
            f"CREATE TABLE {schema}.bare"
            " (id BIGSERIAL PRIMARY KEY, account TEXT, name TEXT, body BYTEA, UNIQUE (account, name))"
        )

        def commit() -> None:
            rows: list[Any] = []
            for _ in range(size):
                rows += ["shop", secrets.token_hex(32), _ROW]
            values = ", ".join(["(%s, %s, %s)"] * size)
            bare.execute(f"INSERT INTO {schema}.bare (account, name, body) VALUES {values}", rows)

        try:
            return _timed(commit, size)
        finally:
            bare.execute(f"DROP SCHEMA {schema} CASCADE")


def _timed(commit: Callable[[], None], size: int) -> float:
    """Rows a second, over a second or so."""
    commit()
    began, commits = time.perf_counter(), 0
    while time.perf_counter() - began < 0.7:
        commit()
        commits += 1
    return commits * size / (time.perf_counter() - began)


if __name__ == "__main__":
    for figure in inbox_on_sqlite() if "postgres" not in sys.argv else inbox_on_postgres():
        print(
            figure.name,
            f"{figure.ratio:.3f}",
            figure.bar,
            figure.holds,
            figure.base,
            "|",
            figure.note,
            f"| {CONNECTIONS}",
        )
