"""Parcels from a shell: a carrier pushes, and every command says what there is, without a name or a whole number."""

from __future__ import annotations

import hmac
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import Client
from shipkit.cli import GROUPS, main
from shipkit.cli.events.beliefs import beliefs_of
from shipkit.cli.events.listening import KINDS, announced
from shipkit.cli.events.room import age_told, since_of
from shipkit.errors import InputError
from shipkit.events.cloud import News
from shipkit.model import Milestone, SubscriptionRequest, evolve
from shipkit.ports.events import Unsent
from shipkit.simulator import Clock, Simulator, World
from shipkit.store import MemoryStore
from shipkit.testing.event_store_values import parcel, work
from shipkit_easypost.simulator import EasyPostDialect
from tests.cli.conftest import Run
from tests.easypost.samples import ORDER
from tests.easypost.test_simulator import receiver
from tests.events.test_kpi import promised

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
SECRET = "whsec-of-the-shell"
KEY = "EZTK-of-the-shell"


@attrs.define
class Town:
    """A carrier, a configuration that knows it, one parcel that was booked there, and the pushes about it so far."""

    simulator: Simulator
    received: list[tuple[dict[str, str], bytes]]
    number: str = ""

    @contextmanager
    def client(self) -> Iterator[Client]:
        with Client.from_config("shipkit.toml") as client:
            yield client

    def book(self, url: str) -> None:
        with self.client() as client:
            shipment = client.create_shipment(ORDER, account="ep", key="order-1")
            numbers = shipment.tracking_numbers
            client.subscribe(SubscriptionRequest(numbers=numbers, callback_url=url), account="ep", key="hook")
            self.number = numbers[0].value

    def push(self, status: str, status_detail: str, at: str) -> None:
        """One push of the carrier's own making."""
        row = {"status": status, "status_detail": status_detail, "message": "Ask Jane Q. Public", "datetime": at}
        tracker = {"id": "trk_1", "tracking_code": self.number, "carrier": "USPS", "tracking_details": [row]}
        body = json.dumps({"description": "tracker.updated", "result": tracker}).encode()
        digest = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
        with self.client() as client:
            assert client.events.receive("ep", {"X-Hmac-Signature": f"hmac-sha256-hex={digest}"}, body).stored

    def deliver(self, *, spoil: bool = False) -> int:
        """Push everything that came so far; *spoil* breaks the last one, signed all the same."""
        with self.client() as client:
            for headers, body in self.received:
                assert client.events.receive("ep", headers, body).taken
            if spoil:
                body = b'{"object": "Event", "description": "tracker.updated", "result": "Jane Q. Public"}'
                digest = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
                assert client.events.receive("ep", {"X-Hmac-Signature": f"hmac-sha256-hex={digest}"}, body).taken
        return len(self.received)


@pytest.fixture
def town(run: Run) -> Iterator[Town]:
    received: list[tuple[dict[str, str], bytes]] = []
    with Simulator(EasyPostDialect(World(Clock(START)))) as simulator, receiver(received) as url:
        path = Path("shipkit.toml")
        path.touch(mode=0o600)
        path.write_text(
            f'[accounts.ep]\ncarrier = "easypost"\napi_key = "{KEY}"\nwebhook_secret = "{SECRET}"\n'
            f'base_url = "{simulator.url}"\n\n[store]\npath = "events.db"\n\n'
            '[destinations.erp]\nkind = "http"\nurl = "https://erp.example.com/hook"\nsecrets = ["whsec_MfKQ9r8G"]\n'
        )
        made = Town(simulator, received)
        made.book(url)
        yield made


def told(run: Run, *words: object, code: int = 0) -> list[dict[str, Any]]:
    done = run(*words, "--json")
    assert done.code == code, done.err
    return [json.loads(line) for line in done.lines]


def test_every_command_of_the_group_has_a_function_and_says_what_it_does(run: Run) -> None:
    for name in GROUPS["events"][1]:
        done = run("events", name, "--help")
        assert done.code == 0 and f"shipkit events {name}" in done.out, name


def test_a_parcel_is_followed_from_the_booking_to_the_door(run: Run, town: Town) -> None:
    assert run("events", "list").err == "no parcel is followed\n"
    assert run("events", "follow", town.number, "--key", "order-1").code == 0
    town.simulator.advance(100 * 3600, order="shuffled", copies=2)
    pushes = len({body for _, body in town.received})
    town.deliver()

    assert {row["name"]: row["depth"] for row in told(run, "events", "queues")}["inbox"] == pushes
    (counts,) = told(run, "events", "process")
    assert counts["taken"] == counts["done"] == pushes and counts["announcements"] > 5
    (row,) = told(run, "events", "list", "--all", "--account", "ep")
    assert (row["key"], row["milestone"], row["number"]) == ("order-1", "delivered", f"…{town.number[-4:]}")
    assert told(run, "events", "list", "--all", "--milestone", "returned") == []
    assert told(run, "events", "list", "--skip", 1) == []

    (whole,) = told(run, "events", "show", "order-1")
    assert [one["milestone"] for one in whole["entries"]][-1] == "delivered"
    assert len(whole["announcements"]) == counts["announcements"]
    assert whole["next"]["whose_move"] == "shipkit", "late news are asked for once more"
    (same,) = told(run, "events", "show", town.number)
    assert same == whole
    assert "signed_by" not in whole["events"][0]
    (personal,) = told(run, "events", "show", "order-1", "--personal")
    assert personal["number"] == town.number and any(one["text"] for one in personal["events"])
    text = run("events", "show", "order-1").out
    assert "milestone     delivered\n" in text and "\nshipkit: its carrier is asked next at" in text
    assert town.number not in text


def test_a_number_is_given_up_and_unknown_ones_are_refused(run: Run, town: Town) -> None:
    assert run("events", "follow", town.number).code == 0
    assert told(run, "events", "unfollow", town.number, "--account", "ep") == [{"unfollowed": 1}]
    (row,) = told(run, "events", "show", town.number)
    assert "asked for any more" in row["next"]["text"]
    assert run("events", "show", "NOBODYS").code == 2
    assert run("events", "follow", "N1", "--account", "nobodys").code == 2
    assert run("events", "exceptions", "--actor", "the-cat").code == 2


def test_what_cannot_be_read_is_listed_without_a_word_taken_up_and_read_again(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    town.simulator.advance(100 * 3600)
    pushes = town.deliver(spoil=True)
    done = run("events", "process")
    assert done.code == 1 and "dead: 1" in done.lines

    (dead,) = told(run, "events", "dead-letters", "--account", "ep")
    assert dead["error"] == "bad_reply" and dead["body_kept"] is True
    assert "Jane" not in run("events", "dead-letters").out + json.dumps(dead)
    assert told(run, "events", "take-up", dead["id"]) == [{"taken_up": 1, "without_a_body": 0}]
    assert run("events", "process").code == 1, "it is dead once more"
    assert told(run, "events", "take-up", 4711, code=1) == [{"taken_up": 0, "without_a_body": 1}]

    (report,) = told(run, "events", "replay", "--since", "1d", code=1)
    assert report["deliveries"] == pushes and report["applied"] is False
    assert [one["error"] for one in report["unreadable"]] == ["bad_reply"]
    assert report["parcels"] == [], "read with the tables that it was read with before, nothing differs"
    told_plain = run("events", "replay", "--since", "2099-01-01T00:00:00Z")
    assert (told_plain.code, told_plain.lines[-1]) == (0, "nothing differs")


def test_a_replay_writes_nothing_until_it_is_applied(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from shipkit_easypost import EasyPost

    run("events", "follow", town.number, "--key", "order-1")
    town.simulator.advance(100 * 3600)
    town.deliver()
    right = EasyPost.read_webhook

    def mistaken(carrier: Any, delivery: Any) -> Any:
        results = right(carrier, delivery)
        return tuple(
            evolve(
                result,
                events=tuple(evolve(e, milestone=None, mapping_version="easypost-2025.1") for e in result.events),
            )
            for result in results
        )

    monkeypatch.setattr(EasyPost, "read_webhook", mistaken)
    assert run("events", "process").code == 0
    monkeypatch.setattr(EasyPost, "read_webhook", right)
    (row,) = told(run, "events", "list", "--all")
    assert row["milestone"] == "unknown"

    before = run("events", "replay")
    assert before.lines[-1] == "nothing was written; --apply does it"
    assert told(run, "events", "list", "--all")[0]["milestone"] == "unknown"
    (report,) = told(run, "events", "replay", "--apply", "--account", "ep")
    assert report["applied"] is True
    assert report["parcels"][0]["difference"]["milestone"] == {"before": "unknown", "after": "delivered"}
    assert told(run, "events", "list", "--all")[0]["milestone"] == "delivered"


def test_what_a_host_believes_is_held_against_what_the_carrier_says(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    town.simulator.advance(100 * 3600)
    Path("books.csv").write_text(f"key,number,milestone\norder-1,,in_transit\n,{town.number},delivered\n")

    (report,) = told(run, "events", "reconcile", "books.csv", code=1)
    assert {k: v for k, v in report["counts"].items() if v} == {"agrees": 1, "behind": 1}
    (row,) = report["rows"]
    assert (row["believed"], row["carrier"], row["agreement"]) == ("in_transit", "delivered", "behind")
    assert town.number not in json.dumps(report)
    plain = run("events", "reconcile", "books.csv")
    assert plain.code == 1 and plain.lines[-1] == "1 agrees, 1 behind"
    assert told(run, "events", "list")[0]["milestone"] == "unknown", "nothing is written unless that is asked for"

    repaired = run("events", "reconcile", "--apply")
    assert repaired.lines[-1].endswith("1 repaired")
    assert told(run, "events", "list", "--all")[0]["milestone"] == "delivered"
    again = run("events", "reconcile")
    assert (again.code, again.lines) == (0, ["1 agrees"])


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("name,milestone\nx,delivered\n", ["/0"]),
        ("key,milestone\no-1,gone\no-2,delivered\n,\n", ["/2/milestone", "/4/number"]),
        ("number,delivered_at\nN1,yesterday\nN2,2026-03-01T08:00:00\n", ["/2/delivered_at", "/3/delivered_at"]),
    ],
)
def test_a_table_of_beliefs_that_says_what_cannot_be_is_refused_as_a_whole(text: str, paths: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        beliefs_of(text)
    assert [problem.path for problem in refused.value.problems] == paths


def test_beliefs_are_read_as_they_stand() -> None:
    one, other = beliefs_of("\ufeffkey,number,milestone,delivered_at\no-1,,,\n,N2,delivered,2026-03-01T08:00:00Z\n")
    assert (one.key, one.number, one.milestone, one.delivered_at) == ("o-1", "", None, None)
    assert other.milestone is Milestone.DELIVERED and other.delivered_at == datetime(2026, 3, 1, 8, tzinfo=timezone.utc)


def test_carriers_are_asked_by_plan_and_silence_is_told(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    (counts,) = told(run, "events", "poll")
    assert (counts["asked"], counts["news"] + counts["same"]) == (1, 1)
    assert told(run, "events", "poll", "--limit", 5)[0]["asked"] == 0, "it is not due any more"
    assert run("events", "silent").code == 0
    assert told(run, "events", "unmapped", "--since", "7d") == []
    assert told(run, "events", "exceptions") == []


def test_paths_are_told_with_a_warning(run: Run, town: Town) -> None:
    done = run("events", "paths")
    assert done.lines[1].split()[0] == "ep" and "/webhooks/ep/" in done.out
    assert "secret" in done.err


def test_what_a_destination_refused_is_counted_and_sent_again(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    town.simulator.advance(100 * 3600)
    town.deliver()
    run("events", "process")
    (row,) = told(run, "events", "outbox")
    assert row["destination"] == "erp" and row["waiting"] > 5 and row["dead"] == 0

    with town.client() as client:
        store = client.entrance().store
        first = store.pending("erp", 1)[0].announcement.number
        store.settle("erp", (), [Unsent(number=first, error="rejected", dead=True)])
    (row,) = told(run, "events", "outbox", code=1)
    assert row["dead"] == 1
    assert told(run, "events", "send-again", "erp", "--dead") == [{"due_again": 1}]
    assert told(run, "events", "send-again", "erp", "--number", first) == [{"due_again": 1}]
    assert told(run, "events", "outbox")[0]["dead"] == 0
    assert run("events", "send-again", "erp").code == 2
    assert run("events", "send-again", "nobody", "--dead").code == 2


def test_what_a_destination_has_not_taken_is_told_one_by_one_with_the_number_that_sends_it_again(
    run: Run, town: Town
) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    town.simulator.advance(100 * 3600)
    town.deliver()
    run("events", "process")
    assert told(run, "events", "outbox", "erp", "--dead") == []
    with town.client() as client:
        store = client.entrance().store
        pending = [one.announcement.number for one in store.pending("erp", 99)]
        refused, late = pending[1], pending[2]
        store.settle("erp", (), [Unsent(number=refused, error="refused_400", dead=True)])
        store.settle("erp", (), [Unsent(number=late, error="later_503")], again_at=store.now() + timedelta(hours=1))

    (row,) = told(run, "events", "outbox", "erp", "--dead", code=1)
    assert (row["number"], row["attempts"], row["error"], row["dead"]) == (refused, 1, "refused_400", True)
    assert row["type"].startswith("io.") and row["key"] == "order-1" and row["next_at"] is None
    assert row["age"][-1] in "mh" and f"…{town.number[-4:]}" in row["parcel"]
    every = told(run, "events", "outbox", "erp", code=1)
    assert [one["number"] for one in every] == pending
    assert [one["number"] for one in every if one["next_at"] is not None] == [late]
    page = told(run, "events", "outbox", "erp", "--after", pending[0], "--limit", 2, code=1)
    assert [one["number"] for one in page] == [refused, late]

    for words in ([], ["--dead"], ["--json"]):
        assert town.number not in run("events", "outbox", "erp", *words).out
    table = run("events", "outbox", "erp", "--dead")
    assert table.lines[0].split()[:3] == ["number", "key", "parcel"] and table.lines[1].split()[0] == str(refused)
    (row,) = told(run, "events", "outbox", "erp", "--dead", "--personal", code=1)
    assert town.number in row["parcel"]

    assert told(run, "events", "send-again", "erp", "--number", row["number"]) == [{"due_again": 1}]
    assert told(run, "events", "outbox", "erp", "--dead") == []
    assert run("events", "outbox", "nobody").code == 2
    assert run("events", "outbox", "--dead").code == 2, "of which destination?"


def test_a_parcels_announcements_are_shown_with_the_numbers_that_send_them_again(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    town.simulator.advance(100 * 3600)
    town.deliver()
    run("events", "process")
    (whole,) = told(run, "events", "show", "order-1")
    waiting = {one["number"] for one in told(run, "events", "outbox", "erp")}
    assert {one["number"] for one in whole["announcements"]} == waiting


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0m"), (59, "0m"), (60, "1m"), (3599, "59m"), (5400, "1h"), (86_399, "23h"), (3e6, "34d")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, said: str) -> None:
    assert age_told(timedelta(seconds=seconds)) == said


def test_problems_are_told_by_who_must_act_and_strange_codes_by_how_often_they_came(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    town.push("failure", "address_correction", "2026-03-03T10:00:00Z")
    town.push("in_transit", "swallowed_by_a_whale", "2026-03-03T09:00:00Z")
    assert run("events", "process").code == 0

    (row,) = told(run, "events", "exceptions", "--actor", "shipper")
    assert (row["key"], row["reason"], row["number"]) == ("order-1", "address_incorrect", f"…{town.number[-4:]}")
    assert told(run, "events", "exceptions", "--actor", "recipient") == []
    assert told(run, "events", "exceptions", "--key", "order-1", "--personal")[0]["number"] == town.number
    (listed,) = told(run, "events", "list")
    assert listed["open"] == ["address_incorrect"]
    (whole,) = told(run, "events", "show", "order-1")
    assert whole["next"]["whose_move"] == "shipper" and "address_incorrect" in whole["next"]["text"]
    (code,) = told(run, "events", "unmapped", "--since", "1d")
    assert (code["carrier"], code["code"], code["subcode"], code["events"]) == (
        *("easypost", "in_transit", "swallowed_by_a_whale"),
        1,
    )
    assert "Jane" not in run("events", "show", "order-1").out + json.dumps(whole)
    assert "Jane" in run("events", "show", "order-1", "--personal").out


def test_a_shipment_of_several_is_shown_as_a_whole_and_by_its_parcels(run: Run, town: Town) -> None:
    config = Path("shipkit.toml")
    config.write_text(config.read_text() + '\n[settings]\nnamespace = "shop"\n')
    with town.client() as client:
        client.entrance().store.follow(
            [
                parcel("", scope="shipment:shop/two", number="", key="shop/two", carrier="easypost", account="ep"),
                *(
                    parcel(name, key="shop/two", shipment="shipment:shop/two", carrier="easypost", account="ep")
                    for name in ("PIECE0001", "PIECE0002")
                ),
            ]
        )
    whole, *pieces = told(run, "events", "show", "two")
    assert (whole["number"], whole["key"]) == ("", "two")
    assert [piece["number"] for piece in pieces] == ["…0001", "…0002"]
    assert run("events", "show", "two").out.count("\nkey ") == 3
    assert [row["number"] for row in told(run, "events", "list")] == ["…0001", "…0002"], "the whole counts nothing"
    assert told(run, "events", "unfollow", "--key", "two") == [{"unfollowed": 2}]


def test_a_parcel_is_late_when_what_was_promised_is_over(run: Run, town: Town) -> None:
    with town.client() as client:
        old, new = (
            {"carrier": "easypost", "account": "ep", "promise": promised(10, hours)} for hours in (20, 9_000_000)
        )
        client.entrance().store.follow([parcel("OLD1", **old), parcel("NEW1", **new), parcel("NONE1", account="ep")])
    rows = {row["number"]: row["late"] for row in told(run, "events", "list")}
    assert rows == {"OLD1": "late", "NEW1": "", "…ONE1": ""}


def test_figures_are_by_carrier_and_lane(run: Run, town: Town) -> None:
    with town.client() as client:
        assert client.events.follow_booked() == 1
    town.simulator.advance(100 * 3600)
    town.deliver()
    run("events", "process")
    (row,) = told(run, "events", "kpi", "--since", "52w")
    assert row["carrier"] == "easypost" and row["bookings"] == {"booked": 1}
    assert row["completion"]["delivered"] == 1.0 and row["booking_success"] == 1.0
    assert row["lag_s"]["count"] > 3 and row["processing_s"]["median"] >= 0
    plain = run("events", "kpi", "--since", "52w")
    assert plain.lines[1].split()[:2] == ["easypost", row["lane"]] and "100%" in plain.lines[1]
    assert run("events", "kpi", "--since", "last week").code == 2
    assert run("events", "kpi", "--since", "0m").err == "nothing was booked or followed in that time\n"


def test_listening_prints_what_was_announced_and_what_is_published(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    assert run("listen", "--once").out == ""
    town.simulator.advance(100 * 3600)
    town.deliver()
    (counts,) = told(run, "events", "process")
    everything = run("listen", "--once")
    assert len(everything.lines) == counts["announcements"] and town.number not in everything.out
    milestones = run("listen", "--once", "--type", "milestone", "--account", "ep")
    words = [line.split()[-1] for line in milestones.lines]
    assert words[-1] == "delivered" and len(words) < len(everything.lines)
    bodies = [json.loads(line) for line in run("listen", "--since-start", "--count", 2, "--json").lines]
    assert [body["specversion"] for body in bodies] == ["1.0", "1.0"]
    assert run("listen", "--account", "nobodys", "--once").code == 2


def test_every_kind_of_news_can_be_listened_to() -> None:
    assert {news for kind in KINDS.values() for news in kind} == set(News)


def test_a_reader_misses_nothing_that_is_written_while_it_reads() -> None:
    store = MemoryStore().events
    store.follow([parcel("N1")])
    seen: list[str] = []
    written = 0
    assert list(announced(store, 0, idle_s=None)) == []

    def write(count: int) -> None:
        nonlocal written
        (one,) = store.parcels([parcel("N1").scope])
        assert one is not None
        assert store.commit(work(one, tell=count))
        written += count

    after = 0
    for count in (1, 700, 3):
        write(count)
        for one in announced(store, after, idle_s=None):
            seen.append(one.key)
            after = one.number
    assert len(seen) == len(set(seen)) == written == 704


@pytest.mark.parametrize(
    ("text", "hours"), [("90m", 1.5), ("12h", 12), ("7d", 168), ("2w", 336), ("2026-03-02T07:00:00+01:00", 3)]
)
def test_a_span_or_a_time_says_since_when(text: str, hours: float) -> None:
    at = since_of(text, START)
    assert at is not None and (START - at).total_seconds() == hours * 3600
    assert since_of("", START) is None
    for wrong in ("7", "7y", "soon", "2026-03-02", "2026-03-02T07:00:00", "d"):
        with pytest.raises(InputError):
            since_of(wrong, START)


@pytest.mark.slow
@pytest.mark.process
def test_listening_goes_on_beside_what_is_written_until_it_is_interrupted(run: Run, town: Town) -> None:
    run("events", "follow", town.number, "--key", "order-1")
    code = "import sys; from shipkit.cli import main; sys.exit(main(['listen', '--json', '--idle-s', '0.05']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None and reader.stderr is not None
        assert reader.stderr.readline().startswith("listening")
        town.simulator.advance(100 * 3600)
        town.deliver()
        (counts,) = told(run, "events", "process")
        lines = [reader.stdout.readline() for _ in range(counts["announcements"])]
        reader.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert reader.wait(60) == 130
        assert time.monotonic() - began < 60
    ids = [json.loads(line)["id"] for line in lines]
    assert len(set(ids)) == counts["announcements"]


def test_a_command_with_a_dash_is_found_and_a_wrong_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "dead-letter"]) == 2
    assert "did you mean dead-letters?" in capsys.readouterr().err
