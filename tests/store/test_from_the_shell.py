"""The store in the configuration, and the commands that look after it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shipkit.cli import main
from shipkit.cli.health import examined
from shipkit.config import loaded
from shipkit.errors import InputError
from shipkit.ports.events import LetterState
from shipkit.store import PostgresStore, SqliteStore
from shipkit.testing.event_store_inbox import end
from shipkit.testing.event_store_values import delivery, event, parcel, work
from shipkit.testing.store_values import WITH_LABEL, claim
from tests.store.world import SERVER, need, schema_of

_AGES = ("bodies", "documents", "webhooks", "evidence", "announcements")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a store in which one key is booked and its parcel on its way, and one is in doubt."""
    file = tmp_path / "shipkit.toml"
    file.write_text('[store]\npath = "books.db"\n[settings]\nnamespace = "shop"\n')
    store = SqliteStore(tmp_path / "books.db", clock=lambda: 1_700_000_000.0)
    store.book(store.claim(claim("shop/one", watch_s=0.0)), "B1", WITH_LABEL, True, False)
    store.doubt(store.claim(claim("shop/two")), "silence")
    events = store.events
    events.follow([parcel("N1", key="shop/one"), parcel("N2", key="other/one")])
    (found,) = events.find([("acme", "N1")])
    assert found is not None
    events.commit(work(found, event(found.scope, 1), tell=2, to=("erp",), finished_at=events.now()))
    events.put([delivery("a"), delivery("b"), delivery("c")])
    read, dead = events.take("w", 60, 2)
    events.commit(end(read, scopes=(found.scope,)))
    events.commit(end(dead, LetterState.DEAD, error="unreadable"))
    store.close()
    return file


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main([*arguments, "--json"] if arguments[1] != "export" else list(arguments))
    out = capsys.readouterr().out
    return code, [json.loads(line) for line in out.splitlines()]


def test_the_shell_shows_how_many_keys_stand_where(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, (told,) = said(capsys, "store", "show", "--config", str(config))
    assert code == 0
    assert told["keys"] == {"in_doubt": 1, "succeeded": 1}
    assert told["without_bodies"] == 0 == told["open_strays"]
    assert told["queues"] == {"dead_letters": 1, "inbox": 1, "outbox erp": 2, "parked": 0}


def test_the_shell_purges_by_the_settings_or_as_asked(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ages = [part for name in _AGES for part in (f"--{name}", "100000")]
    _, (kept,) = said(capsys, "store", "purge", *ages, "--config", str(config))
    assert kept == {"bodies": 0, "documents": 0, "webhooks": 0, "parcels": 0, "announcements": 0}
    _, (gone,) = said(capsys, "store", "purge", "--config", str(config))
    assert gone == {"bodies": 1, "documents": 1, "webhooks": 2, "parcels": 1, "announcements": 0}, "two wait for erp"
    _, (told,) = said(capsys, "store", "show", "--config", str(config))
    assert told["keys"] == {"in_doubt": 1, "succeeded": 1} and told["without_bodies"] == 1


def test_the_shell_forgets_a_key_and_names_those_that_are_open(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "Jo Receiver"
    _, before = said(capsys, "store", "export", "--prefix", "one", "--config", str(config))
    code, (told,) = said(capsys, "store", "forget", "one", "two", "--config", str(config))
    _, after = said(capsys, "store", "export", "--prefix", "one", "--config", str(config))
    assert (code, told) == (1, {"rows": 1, "events": 1, "webhooks": 1, "still_open": ["two"]})
    assert name in json.dumps(before) and name not in json.dumps(after)
    assert "J. Smith" in json.dumps(before) and "J. Smith" not in json.dumps(after)
    assert [line["kind"] for line in after].count("event") == 1 and "N2" not in json.dumps(after)


def test_the_shell_writes_all_that_is_kept(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text('[store]\npath = "books.db"\n')
    _, lines = said(capsys, "store", "export", "--config", str(config))
    kinds = Counter(line["kind"] for line in lines)
    assert {kind: kinds[kind] for kind in ("parcel", "event", "delivery", "announcement")} == {
        "parcel": 2, "event": 1, "delivery": 3, "announcement": 2,
    }  # fmt: skip
    assert all(line["delivery"]["body"] for line in lines if line["kind"] == "delivery")


def test_the_shell_asks_before_it_puts_everything_in_doubt(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "restored", "--age-s", "60", "--config", str(config)]) == 1
    capsys.readouterr()
    code, (told,) = said(capsys, "store", "restored", "--age-s", "60", "--yes", "--config", str(config))
    assert (code, told) == (0, {"in_doubt": 1})


def test_a_store_that_ends_with_the_process_has_nothing_to_keep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.toml").write_text('[store]\nkind = "memory"\n')
    assert main(["store", "show", "--config", str(tmp_path / "none.toml")]) == 2
    assert "ends with the process" in capsys.readouterr().err


def test_a_configuration_may_name_a_server_and_keeps_its_password(tmp_path: Path) -> None:
    need("postgres")
    file = tmp_path / "shipkit.toml"
    file.write_text(f'[store]\nkind = "postgres"\nurl = {{env = "BOOKS"}}\nschema = "{schema_of("postgres")}"\n')
    config = loaded(file, environ={"BOOKS": SERVER})
    assert SERVER not in repr(config)
    store = config.store()
    assert isinstance(store, PostgresStore) and store.read("nobody") is None
    store.close()


def test_the_doctor_looks_at_the_server(tmp_path: Path) -> None:
    need("postgres")
    file = tmp_path / "shipkit.toml"
    file.write_text(f'[store]\nkind = "postgres"\nurl = "{SERVER}"\nschema = "{schema_of("postgres")}"\n')
    found = next(finding for finding in examined(file) if finding.what == "store")
    assert found.state in ("ok", "note") and "PostgreSQL" in found.text and SERVER not in found.text


def test_a_server_that_is_not_there_is_the_stores_failure_without_its_password(tmp_path: Path) -> None:
    need("postgres")
    file = tmp_path / "shipkit.toml"
    file.write_text('[store]\nkind = "postgres"\nurl = "postgresql://me:hush@127.0.0.1:1/test"\n')
    found = next(finding for finding in examined(file) if finding.what == "store")
    assert found.state == "failed" and "hush" not in found.text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('kind = "postgres"', "/store/url"),
        ('kind = "postgres"\nurl = "x"\npath = "y"', "/store/path"),
        ('kind = "sqlite"\nurl = "x"', "/store/url"),
        ('kind = "memory"\nschema = "x"', "/store/schema"),
        ('kind = "postgres"\nurl = {env = "NOT_SET_HERE"}', "/store/url"),
    ],
)
def test_what_does_not_fit_a_store_is_named(tmp_path: Path, text: str, path: str) -> None:
    file = tmp_path / "shipkit.toml"
    file.write_text(f"[store]\n{text}\n")
    with pytest.raises(InputError) as refused:
        loaded(file, environ={})
    assert [problem.path for problem in refused.value.problems] == [path]
