"""What comes in: stored once and durably where its sender is proved, refused without a trace where not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import Client
from shipkit.errors import InputError, NotSupportedError
from shipkit.model import DedupResult, SignatureResult, TrustLevel
from shipkit.store import MemoryStore
from shipkit.webhooks import Hmac, QueryToken, SharedHeader, Unsigned, WebhookAuth
from tests.client_events.stage import SECRET, Acme, Clock, Tracked, event, hosted, pushed, row
from tests.core.acme import Acme as Silent


def test_what_is_proved_is_stored_once_and_as_it_came(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        headers, body = pushed(row("P1", event("accepted")))
        sent = {**headers, "User-Agent": "Acme/1", "Authorization": "Basic c2VjcmV0", "Cookie": "a=b"}
        first, second = host.receive("acme-de", sent, body), host.receive("acme-de", sent, body)
        assert (first.stored, first.duplicate, first.taken) == (True, False, True)
        assert (second.stored, second.duplicate, second.taken) == (False, True, True)
        assert second.delivery.dedup is DedupResult.DUPLICATE
        (letter,) = store.events.letters(bodies=True)
        assert (letter.delivery.body, letter.delivery.trust) == (body, TrustLevel.BODY_SIGNED)
        assert dict(letter.delivery.headers) == {"User-Agent": "Acme/1"}
        assert [(one.kind, one.error, one.detail) for one in host.seen] == [
            ("webhook", "", "first"),
            ("webhook", "", "duplicate"),
        ]


@pytest.mark.parametrize(
    ("headers", "error"),
    [({}, "signature_absent"), ({"X-Sign": "00"}, "signature_invalid"), ({"X-Sign": "é\udcff"}, "signature_invalid")],
)
def test_what_is_not_proved_is_refused_and_counted(
    store: Any, kind: str, headers: Mapping[str, str], error: str
) -> None:
    with hosted(store, kind) as host:
        refused = host.receive("acme-de", headers, b"[]")
        assert (refused.stored, refused.duplicate, refused.taken) == (False, False, False)
        assert store.events.letters() == ()
        assert [one.error for one in host.seen] == [error]


def test_a_push_longer_than_the_limit_is_refused_whoever_signed_it(store: Any) -> None:
    with hosted(store) as host:
        headers, body = pushed([{"pad": "x" * host.client.settings.webhook_body_max_bytes}])
        assert not host.receive("acme-de", headers, body).taken


def test_a_host_may_say_how_an_account_is_proved(store: Any) -> None:
    ways: dict[str, WebhookAuth] = {
        "other": WebhookAuth(scheme=SharedHeader(header="X-Token"), secrets=("t0ken",)),
        "more": WebhookAuth(secrets=("new", SECRET)),
        "query": WebhookAuth(scheme=QueryToken(parameter="token"), secrets=("t0ken",)),
        "open": WebhookAuth(scheme=Unsigned()),
    }
    accounts = {alias: Tracked() for alias in (*ways, "own")}
    with hosted(store, accounts=accounts, webhooks=ways) as host:
        headers, body = pushed([])
        assert host.receive("own", headers, body).delivery.trust is TrustLevel.BODY_SIGNED
        assert not host.receive("other", headers, body).taken
        assert host.receive("other", {"x-token": "t0ken"}, body).delivery.trust is TrustLevel.SENDER_AUTHENTICATED
        assert host.push([], account="more", secret="new").stored
        assert host.receive("more", headers, body).duplicate, "the same bytes, signed by the old secret"
        assert host.receive("query", {}, body, query="a=1&token=t0ken").stored
        assert not host.receive("query", {}, body, query="token=other").taken
        anybody = host.receive("open", {}, body)
        assert (anybody.stored, anybody.delivery.trust) == (True, TrustLevel.UNAUTHENTICATED)


def test_a_carrier_that_proves_nothing_is_let_in_only_where_the_host_says_so(store: Any) -> None:
    with hosted(store, carrier=Acme(scheme="unsigned")) as host:
        refused = host.receive("acme-de", {}, b"[]")
        assert (refused.taken, refused.delivery.signature) == (False, SignatureResult.ABSENT)
    with hosted(store, carrier=Acme(scheme="unsigned"), webhooks={"acme-de": WebhookAuth(scheme=Unsigned())}) as host:
        assert host.receive("acme-de", {}, b"[]").stored


def test_the_same_hint_later_is_another_hint(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock, carrier=Tracked(scheme="shared")) as host:
        assert host.push(row("P1")).stored
        assert host.push(row("P1")).duplicate
        clock.on(61)
        assert host.push(row("P1")).stored
    with hosted(store, clock=clock) as host:
        assert host.push(row("P2")).stored
        clock.on(3600)
        assert host.push(row("P2")).duplicate, "signed bytes say the same whenever they are sent"


def test_the_senders_own_id_tells_deliveries_apart_where_it_is_signed(store: Any, clock: Clock) -> None:
    from shipkit.webhooks import STANDARD, sign

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    ways = {"acme-de": WebhookAuth(scheme=STANDARD, secrets=(secret,))}
    with hosted(store, clock=clock, webhooks=ways) as host:
        received = [
            host.receive("acme-de", sign(delivery_id, clock.at, b"[]", [secret]), b"[]")
            for delivery_id in ("msg_1", "msg_2", "msg_1", "x" * 300)
        ]
        assert [one.stored for one in received] == [True, True, False, True]
        assert [one.delivery.delivery_id for one in received[:3]] == ["msg_1", "msg_2", "msg_1"]
        assert len(received[3].delivery.delivery_id) == 64
        old = host.receive("acme-de", sign("msg_3", clock.at.replace(year=2025), b"[]", [secret]), b"[]")
        assert not old.taken


def test_an_alias_that_is_none_and_a_carrier_that_does_not_push_are_the_hosts_own_mistakes(store: Any) -> None:
    with hosted(store, accounts={"acme-de": Tracked(), "acme-fr": Silent(client_id="a", client_secret="b")}) as host:
        with pytest.raises(InputError):
            host.receive("acme-xx", {}, b"")
        with pytest.raises(NotSupportedError):
            host.receive("acme-fr", {}, b"")
    with pytest.raises(InputError, match="/webhooks/acme-xx"):
        Client({"acme-de": Tracked()}, webhooks={"acme-xx": WebhookAuth(scheme=Unsigned())})


def test_a_store_that_keeps_no_events_says_so() -> None:
    store: Any = type("Bare", (MemoryStore,), {"events": None})()
    with Client({"acme-de": Tracked()}, store=store) as client, pytest.raises(NotSupportedError):
        _ = client.events


HEADERS = st.dictionaries(st.sampled_from(["X-Sign", "x-sign", "X-Key", "Date"]) | st.text(max_size=9), st.text())


@given(headers=HEADERS, body=st.binary(max_size=200), scheme=st.sampled_from(["signed", "shared", "unsigned"]))
def test_nothing_that_a_stranger_sends_is_taken_or_raises(headers: dict[str, str], body: bytes, scheme: str) -> None:
    store = MemoryStore()
    with hosted(store, carrier=Tracked(scheme=scheme)) as host:
        assert not host.receive("acme-de", headers, body).taken
        assert store.events.letters() == ()


def test_a_secret_is_never_shown() -> None:
    assert SECRET not in repr(WebhookAuth(scheme=Hmac(header="X-Sign"), secrets=(SECRET,)))
