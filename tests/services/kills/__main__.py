"""``python -m tests.services.kills --profile full``: kills until there were enough, over SQLite and PostgreSQL."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import psycopg

from tests.services.kills.campaign import PLACES, Run, ran

PROFILES = {"ci": (40, 2_000), "full": (200, 20_000)}
"""Kills and deliveries of each store."""
_SERVER = f"host=127.0.0.1 user={os.environ.get('PGUSER', 'postgres')} dbname={os.environ.get('PGDATABASE', 'test')}"
_SCHEMA = "shipkit_kills"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", choices=sorted(PROFILES), default="ci")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--deliveries", type=int)
    parser.add_argument("--store", choices=("sqlite", "postgres"))
    parser.add_argument("--kinds", default=",".join(PLACES))
    parser.add_argument("--write", type=Path, help="keep what was found in this page")
    given = parser.parse_args()
    kills, count = PROFILES[given.profile]
    kills, count = given.kills or kills, given.deliveries or count
    runs = []
    for store in ("sqlite", "postgres") if given.store is None else (given.store,):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            run = ran(
                _table(store, folder), folder,
                count=count, kills=kills, seed=given.seed, kinds=tuple(given.kinds.split(",")),
            )  # fmt: skip
            runs.append(run)
            print(_told(run), flush=True)
            if run.judgement.violations:
                print((folder / "service.log").read_text(errors="replace")[-5_000:])
    _dropped()
    wrong = sum(len(run.judgement.violations) for run in runs)
    print(f"Violations: {wrong}.")
    if given.write is not None:
        given.write.write_text(_page(runs, given.profile, given.seed, wrong))
    return 1 if wrong else 0


def _table(store: str, folder: Path) -> str:
    if store == "sqlite":
        return f'kind = "sqlite"\npath = "{folder / "events.db"}"'
    _dropped()
    return f'kind = "postgres"\nurl = "{_SERVER}"\nschema = "{_SCHEMA}"'


def _dropped() -> None:
    with psycopg.connect(_SERVER, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")


def _told(run: Run) -> str:
    found = run.judgement
    kills = ", ".join(f"{part} {many}" for part, many in run.kills.items())
    refusals = ", ".join(f"{many} x {status}" for status, many in run.refused.items()) or "none"
    lines = [
        f"{run.store}: {sum(run.kills.values())} kills ({kills}), {run.seconds:.0f} s",
        f"  {found.deliveries} deliveries got a 2xx; {run.lost} sends without an answer, refusals: {refusals}",
        f"  {found.events} events, {found.announcements} announcements",
    ]
    for destination, many in found.received.items():
        lines.append(f"  {destination}: {many} messages, {many - found.announcements} of them for a second time")
    lines += [f"  WRONG {what}" for what in found.violations]
    return "\n".join(lines)


def _page(runs: list[Run], profile: str, seed: int, wrong: int) -> str:
    told = "\n".join(_told(run) for run in runs)
    return (
        "# The service under SIGKILL\n\n"
        "Deliveries of a simulated carrier come in over HTTP while the endpoint, the worker and the relay are killed"
        " at random instants and started anew. When all has come to rest: every delivery that got a 2xx is in the"
        " events, every announcement is at every destination, and a consumer that drops what it saw is told"
        " everything once, of each parcel in order, and ends where the parcel is.\n\n"
        f"`python -m tests.services.kills --profile {profile} --seed {seed}`\n\n"
        f"```text\n{told}\nViolations: {wrong}.\n```\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
