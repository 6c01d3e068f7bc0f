"""What we send is signed after Standard Webhooks: its reference implementation believes it, and so does our scheme."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import webhooks

from shipkit import InputError
from shipkit.model import SignatureResult, TrustLevel
from shipkit.webhooks import STANDARD, RawPush, sign, verify

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=timezone.utc)
KEYS = st.binary(min_size=24, max_size=64).filter(lambda key: key.strip())
SECRETS = KEYS.map(lambda key: "whsec_" + base64.b64encode(key).decode())
IDS = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="."), min_size=1)
# The reference implementation takes text, and gives JSON back.
BODIES = st.text(max_size=40).map(lambda text: f'"{text.encode().hex()}"'.encode())


@pytest.fixture(autouse=True, scope="module")
def now() -> Iterator[None]:
    """The reference implementation reads the clock: for it, too, the time is `NOW`."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return NOW.astimezone(tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webhooks, "datetime", Clock)
        yield


def judged(headers: Any, body: bytes, *secrets: str) -> Any:
    return verify(STANDARD, RawPush(headers=headers, body=body), secrets, now=NOW, max_age_s=300)


@given(IDS, BODIES, st.lists(SECRETS, min_size=1, max_size=3, unique=True))
def test_what_we_sign_is_believed_by_whoever_knows_one_of_the_secrets(
    id_: str, body: bytes, secrets: list[str]
) -> None:
    headers = sign(id_, NOW, body, secrets)

    for secret in secrets:
        assert standardwebhooks.Webhook(secret).verify(body, dict(headers)) is not None
        verdict = judged(headers, body, secret)
        assert (verdict.signature, verdict.trust) == (SignatureResult.VALID, TrustLevel.BODY_SIGNED)
        assert (verdict.delivery_id, verdict.age_ok) == (id_, True)


@given(IDS, BODIES, SECRETS)
def test_what_the_reference_implementation_signs_is_ours_to_the_letter(id_: str, body: bytes, secret: str) -> None:
    theirs = standardwebhooks.Webhook(secret).sign(id_, NOW, body.decode())

    assert sign(id_, NOW, body, [secret])["webhook-signature"] == theirs


@given(BODIES, SECRETS, SECRETS)
def test_who_knows_no_secret_believes_nothing(body: bytes, secret: str, other: str) -> None:
    headers = sign("msg-1", NOW, body, [secret])
    if other.rstrip("=") != secret.rstrip("="):
        assert not judged(headers, body, other).accepted
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(other).verify(body, dict(headers))
    assert not judged(headers, body + b" ", secret).accepted
    assert not judged({**headers, "webhook-id": "msg-2"}, body, secret).accepted


def test_signatures_of_another_kind_in_the_same_header_are_passed_over() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    headers = dict(sign("msg-1", NOW, b"{}", [secret]))
    headers["webhook-signature"] = "v1a,AAAA " + headers["webhook-signature"] + " v2,BBBB"

    assert judged(headers, b"{}", secret).accepted
    assert not judged({**headers, "webhook-signature": "v1a,AAAA"}, b"{}", secret).accepted


def test_a_resent_webhook_keeps_its_id_and_gets_a_new_time() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    first, again = (sign("msg-1", at, b"{}", [secret]) for at in (NOW - timedelta(hours=1), NOW))

    assert first["webhook-id"] == again["webhook-id"]
    assert judged(first, b"{}", secret).age_ok is False
    assert judged(again, b"{}", secret).accepted


@pytest.mark.parametrize(
    ("id_", "secrets", "path"),
    [
        ("", ["whsec_c2VjcmV0"], "/id"),
        ("a.b", ["whsec_c2VjcmV0"], "/id"),
        ("a\nb", ["whsec_c2VjcmV0"], "/id"),
        ("ä", ["whsec_c2VjcmV0"], "/id"),
        (" a", ["whsec_c2VjcmV0"], "/id"),
        ("a", [], "/secrets"),
        ("a", [f"whsec_{'c2Vj' * 8}", "not base64"], "/secrets/1"),
        ("a", ["whsec_c2VjcmV0"], "/secrets/0"),
        ("a", [f"whsec_{'c2Vj' * 8}", "c2Vj" * 8], "/secrets/1"),
        ("a", ["whsec_" + base64.b64encode(b"k" * 23).decode()], "/secrets/0"),
        ("a", ["whsec_" + base64.b64encode(b"k" * 65).decode()], "/secrets/0"),
        ("a", ["whsec_"], "/secrets/0"),
        ("a", [""], "/secrets/0"),
        ("a", ["é"], "/secrets/0"),
    ],
)
def test_what_cannot_be_signed_names_what_is_wrong_and_no_secret(id_: str, secrets: list[str], path: str) -> None:
    with pytest.raises(InputError) as caught:
        sign(id_, NOW, b"{}", secrets)
    assert [problem.path for problem in caught.value.problems] == [path]
    assert not any(secret in str(caught.value) for secret in secrets if secret not in ("", "whsec_"))
