"""Run a real Odoo 19 for this tree's addon, from whatever the cache holds.

    python -m tests.odoo possible                     why this machine cannot, or nothing
    python -m tests.odoo install                      fetch Odoo, make its environment and its PostgreSQL
    python -m tests.odoo test [--tags TAGS] [--keep]  its tests, in a clone; last line: N passed, N failed
    python -m tests.odoo template [--demo]            the name of a database that has the addon; made once
    python -m tests.odoo shell [--db NAME] [FILE]     Odoo's shell in a clone, or in NAME; FILE or standard input
    python -m tests.odoo run [--db NAME] [--demo]     Odoo's server, its URL printed, until it is interrupted
    python -m tests.odoo psql [--db NAME] [-- ARGS]   psql
    python -m tests.odoo drop [NAME...]               drop databases; without a name, all that have the addon

A database NAME is made where it is not there, and kept. --pinned: with the versions of everything that Odoo pins.
SHIPKIT_ODOO_CACHE moves the cache (now: {cache}), SHIPKIT_ODOO_PYTHON chooses Odoo's Python.
Exit codes: 0 good; 1 a test failed, or the log has an error; 5 no test ran; 77 this machine cannot.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .places import CACHE, UNAVAILABLE, say
from .stand import ADDON, Stand, reason_against
from .verdict import Verdict


def main(arguments: list[str]) -> int:
    """One command."""
    text = (__doc__ or "").format(cache=CACHE)
    parser = argparse.ArgumentParser(prog="python -m tests.odoo", usage=text.strip(), add_help=False)
    parser.add_argument("command", choices=[*COMMANDS, "possible", "help"], nargs="?", default="help")
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--db", default="")
    parser.add_argument("--tags", default="")
    parser.add_argument("--modules", default=ADDON, type=lambda told: tuple(told.split(",")))
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--pinned", action="store_true")
    parser.add_argument("--keep", action="store_true")
    told = parser.parse_intermixed_args(arguments)
    if told.command == "help":
        print(text)
        return 0
    if told.command == "possible":
        reason = reason_against()
        print(reason, end="\n" if reason else "")
        return UNAVAILABLE if reason else 0
    with Stand.or_skipped(pinned=told.pinned) as stand:
        return COMMANDS[told.command](stand, told)


def install(stand: Stand, told: argparse.Namespace) -> int:
    print(f"ready: Odoo at {CACHE}, its Python {stand.odoo.python}")
    return 0


def test(stand: Stand, told: argparse.Namespace) -> int:
    found = stand.test(modules=told.modules, tags=told.tags, name=told.db, keep=told.keep)
    return report(found)


def report(found: Verdict) -> int:
    """Print *found*, its count last, and give the exit code."""
    for line in found.log:
        print(f"odoo: in the log: {line}")
    if found.empty:
        say("no test ran: the module did not load, or the tags choose none")
    print(found)
    return 0 if found.good else 5 if found.empty else 1


def template(stand: Stand, told: argparse.Namespace) -> int:
    print(stand.databases.template(told.modules, demo=told.demo))
    return 0


@contextmanager
def chosen(stand: Stand, told: argparse.Namespace) -> Iterator[str]:
    """The database of that name, made and kept; or one for now."""
    if told.db and stand.databases.exists(told.db):
        yield told.db
    else:
        with stand.database(
            modules=told.modules, demo=told.demo, name=told.db, keep=bool(told.db) or told.keep
        ) as name:
            yield name


def shell(stand: Stand, told: argparse.Namespace) -> int:
    with chosen(stand, told) as name:
        if not told.rest and sys.stdin.isatty():
            return stand.odoo.start("shell", "-d", name, "--no-http", "--log-level=warn", stdin=None).wait()
        source = Path(told.rest[0]) if told.rest else sys.stdin.read()
        return stand.popen(name, source).wait()


def run(stand: Stand, told: argparse.Namespace) -> int:
    with chosen(stand, told) as name, stand.server(name) as server:
        print(f"{server.url} (user and password admin), database {name}, log {server.log}", flush=True)
        try:
            return server.process.wait()
        except KeyboardInterrupt:
            return 0


def psql(stand: Stand, told: argparse.Namespace) -> int:
    with chosen(stand, told) as name:
        return stand.psql(name, *told.rest)


def drop(stand: Stand, told: argparse.Namespace) -> int:
    names = told.rest or [
        name for (name,) in stand.query("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'ours_%'")
    ]
    for name in names:
        stand.databases.drop(name)
        print(f"dropped {name}")
    return 0


COMMANDS = {
    "install": install,
    "test": test,
    "template": template,
    "shell": shell,
    "run": run,
    "psql": psql,
    "drop": drop,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
