"""The text of the endpoint, without a server: whose a path is, and what is refused before a body is read."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from shipkit.client.events.answering import Addresses, Limits, accepted, before_body, problem, webhook_path

SECRET = "5f" * 32
TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: not re.search(r"[\ud800-\udfff]", text))


@given(TEXTS)
def test_the_path_of_an_account_leads_to_it_whatever_it_is_called(alias: str) -> None:
    path = webhook_path(SECRET, alias)
    assert re.fullmatch(r"/webhooks/[^/?#\s]+/[A-Za-z0-9_-]{32}", path)
    assert Addresses(SECRET, [alias, "other"]).alias(unquote(path)) == alias


@given(TEXTS, st.text(max_size=60))
def test_no_other_path_leads_anywhere(alias: str, token: str) -> None:
    addresses = Addresses(SECRET, ["shop", alias])
    right = webhook_path(SECRET, alias).rpartition("/")[2]
    for path in (
        f"/webhooks/{alias}/{token}",
        f"/webhooks/{token}",
        token,
        f"/webhooks/{alias}/{right}x",
        "/webhooks/",
    ):
        if not path.endswith(f"/{right}"):
            assert addresses.alias(path) is None


def test_the_token_of_one_account_or_store_opens_no_other() -> None:
    addresses = Addresses(SECRET, ["shop", "mill"])
    of_mill = webhook_path(SECRET, "mill").rpartition("/")[2]
    assert addresses.alias(f"/webhooks/shop/{of_mill}") is None
    assert addresses.alias(webhook_path("another store's", "shop")) is None
    assert addresses.alias(webhook_path(SECRET, "gone")) is None  # right for its name, and there is no such account


def test_a_text_that_no_encoding_has_is_a_strangers() -> None:
    assert Addresses(SECRET, ["shop"]).alias("/webhooks/shop/\udcff") is None
    assert Addresses(SECRET, ["shop"]).alias("/webhooks/\udcff/x") is None


@given(st.sampled_from([400, 401, 404, 405, 408, 413, 415, 429, 431, 500, 503]))
def test_a_refusal_tells_its_status_and_nothing_else(status: int) -> None:
    answer = problem(status)
    assert answer.status == status
    assert json.loads(answer.body).keys() == {"type", "title", "status"}
    assert dict(answer.headers)["content-type"] == "application/problem+json"


def test_what_is_refused_before_a_body_is_read() -> None:
    limits = Limits(body_max_bytes=100, headers_max=3, headers_max_bytes=50)

    def status(method: str = "POST", **headers: str) -> int | None:
        answer = before_body(method, {name.replace("_", "-"): value for name, value in headers.items()}, limits)
        return answer and answer.status

    assert status() is None
    assert status("GET") == 200 == accepted().status
    assert [status(method) for method in ("HEAD", "OPTIONS", "PUT", "TRACE", "post")] == [405] * 5
    assert status(content_length="100") is None
    assert status(content_length="101") == 413
    assert status(content_length="9" * 30) == 400
    assert status(content_length="-1") == status(content_length="1e2") == status(content_length="٣") == 400
    assert status(content_encoding="gzip") == status(content_encoding="br, gzip") == 415
    assert status(content_encoding="Identity") is None
    assert status(a="1", b="2", c="3", d="4") == 431
    assert status(a="x" * 60) == 431
