"""A carrier gone mad: pushes with the right signature and anything for a body end, soon, and stop no other."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from shipkit import Client
from shipkit.ports.events import LetterState
from shipkit.publishers import HostCallback, Relay, read_cloud_event
from shipkit.webhooks import preset

SECRET = "known to both"
NUMBER = "EZ1000"
GOOD = json.dumps({
    "object": "Event", "id": "evt_1", "description": "tracker.updated",
    "result": {
        "object": "Tracker", "id": "trk_1", "tracking_code": NUMBER, "status": "in_transit",
        "tracking_details": [
            {"object": "TrackingDetail", "status": "in_transit", "datetime": "2026-01-01T00:00:00Z", "message": "x"}
        ],
    },
}).encode()  # fmt: skip


def with_(old: str, new: str) -> bytes:
    assert old.encode() in GOOD
    return GOOD.replace(old.encode(), new.encode())


DEAD = {
    "nothing": b"", "null": b"null", "text": b'"x"', "list": b"[]", "not UTF-8": GOOD + b"\xff",
    "UTF-16": GOOD.decode().encode("utf-16"), "blanks": b"{" + b" " * 999_998 + b"}", "open": b"[" * 100_000,
    "deep": b"[" * 100_000 + b"]" * 100_000, "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep inside": with_('"x"', "[" * 90_000 + "]" * 90_000), "long integer": with_('"x"', "9" * 900_000),
    "NaN": with_('"x"', "NaN"), "year": with_("2026-01-01", "9999999-01-01"),
    "members": json.dumps({f"k{index}": 1 for index in range(60_000)}).encode(),
    "long number": with_(NUMBER, "E" * 900_000),
}  # fmt: skip
READ = {
    "twice": with_('"result":', '"result": 1, "result":'), "surrogate": with_('"x"', '"\\ud800"'),
    "surrogate in a code": with_("in_transit", "\\udfff"), "NUL": with_('"x"', '"a\\u0000b"'),
    "first hour": with_("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    "last hour": with_("2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"), "long": with_('"x"', f'"{"y" * 900_000}"'),
}  # fmt: skip


@pytest.mark.parametrize("name", [*DEAD, *READ])
def test_whatever_is_signed_ends_as_read_or_as_a_dead_letter(name: str, store: Any) -> None:
    from shipkit_easypost import EasyPost

    body, scheme = {**DEAD, **READ}[name], preset("easypost")
    accounts = {"shop": EasyPost(api_key="EZTK", webhook_secret=SECRET)}
    with Client(accounts, store=store, destinations=("erp",)) as client:
        client.events.follow(NUMBER, account="shop")
        began = time.monotonic()
        for each in (body, GOOD):
            headers = {"X-Hmac-Signature": scheme.signature(each, SECRET)}  # type: ignore[attr-defined]
            assert client.events.receive("shop", headers, each).taken
        while client.events.process().taken:
            pass
        assert time.monotonic() - began < 20, "a hundredth of it is usual; what grows with the square takes minutes"
        states = [letter.state for letter in store.events.letters()]
        assert states == [LetterState.DEAD if name in DEAD else LetterState.DONE, LetterState.DONE]

        got: list[Any] = []
        assert Relay(store.events, {"erp": HostCallback(got.append)}).round().sent
        assert all(read_cloud_event(one.body) for one in got)
