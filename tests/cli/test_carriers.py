"""Commands that Acme does not offer, with simulated carriers that do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from shipkit.cli.demo.stage import Stage, account_lines, example, set_up
from tests.cli.conftest import Run
from tests.cli.orders import table


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The demo's carriers, and a configuration with an account at each, named like its carrier."""
    with set_up() as stage:
        lines = []
        for alias, carrier in stage.accounts.items():
            lines += [*account_lines(carrier.code, stage.simulators[alias].url), ""]
        path = tmp_path / "shipkit.toml"
        path.touch(mode=0o600)
        path.write_text("\n".join([*lines, "[store]", 'path = "ledger.db"']))
        yield stage


def examples(*references: str) -> str:
    """The rows of the example orders with these references."""
    header, *rows = example("orders.csv").decode().splitlines()
    accounts = {"dpd-fr": "dpd_fr"}
    chosen = [row for row in rows if row.split(",")[0] in references]
    for old, new in accounts.items():
        chosen = [row.replace(f",{old},", f",{new},") for row in chosen]
    return "\n".join([header, *chosen, ""])


def test_a_collection_is_booked_once_and_called_off_by_its_key(run: Run, stage: Stage) -> None:
    day = str(date.today() + timedelta(days=3))
    row = {
        "reference": "pickup-1", "pickup_from.company": "Weber Tools", "pickup_from.name": "Dispatch",
        "pickup_from.phone": "+1 404 555 0101", "pickup_from.lines.1": "12 Peachtree St",
        "pickup_from.city": "Atlanta", "pickup_from.region": "GA", "pickup_from.postal_code": "30303",
        "pickup_from.country": "US", "day": day, "ready": "09:00", "close": "17:00", "package_count": "2",
        "services": "03", "weight": "9", "weight_unit": "lb",
    }  # fmt: skip
    booked = run("pickup", "--account", "ups", "--json", stdin=table(row))
    again = run("pickup", "--account", "ups", "--json", stdin=table(row))
    bad = run(
        "pickup", "--account", "ups", stdin=table({**row, "reference": "pickup-2", "package_count": "0", "day": "soon"})
    )
    gone = run("cancel", "--key", "pickup-1")

    (first,), (second,) = (list(map(json.loads, done.out.splitlines())) for done in (booked, again))
    assert (booked.code, again.code) == (0, 0)
    assert first["result"]["confirmation"] == second["result"]["confirmation"]
    assert bad.code == 1 and "line 2, package_count" in bad.err and "line 2, day" in bad.err
    assert gone.code == 0
    (record,) = stage.simulators["ups"].world.pickups()
    assert (record.id, record.state) == (first["result"]["confirmation"], "voided")


def test_papers_are_fetched_in_another_format(run: Run, stage: Stage, tmp_path: Path) -> None:
    booked = run("ship", stdin=examples("SO1007"))
    done = run("documents", "--labels", "zpl", stdin="key,label.format\nSO1007,zpl\n")

    assert booked.code == 0, booked.err
    assert done.code == 0, done.err
    assert (tmp_path / "labels" / "SO1007-1.png").read_bytes().startswith(b"\x89PNG")
    assert b"^XA" in (tmp_path / "zpl" / "SO1007-1.zpl").read_bytes()


def test_each_row_goes_to_its_own_account(run: Run, stage: Stage) -> None:
    done = run("ship", "--account", "nobody-needs-this", stdin=examples("SO1001"))
    assert done.code == 2

    done = run("ship", "--json", stdin=examples("SO1001", "SO1011", "SO1014", "RMA2003"))
    results = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0, done.err
    assert [row["account"] for row in results] == ["ups", "dpd_fr", "dpd_fr", "mondialrelay"]
    assert [len(stage.bookings(alias)) for alias in ("ups", "dpd-fr", "mondialrelay")] == [1, 2, 1]


def test_every_example_order_is_sound_and_has_its_labels(run: Run, stage: Stage, tmp_path: Path) -> None:
    text = example("orders.csv").decode().replace(",dpd-fr,", ",dpd_fr,")
    done = run("ship", "--json", stdin=text)
    results = [json.loads(line) for line in done.out.splitlines()]

    assert done.code == 0, done.err
    assert len(results) == 20 and {row["status"] for row in results} == {"booked"}
    assert all(Path(tmp_path / file).is_file() for row in results for file in row["files"])
    assert run("rates", stdin=text).code == 1  # relay points and French lanes have no prices here
