"""Every sender that is known believes what that sender signs: its own vector where one is published, else openssl's."""

from __future__ import annotations

import base64
import subprocess
import unicodedata
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from shipkit import InputError
from shipkit.model import SignatureResult, TrustLevel
from shipkit.webhooks import STANDARD, Confidence, RawPush, Verdict, preset, presets, scheme_of, verify
from shipkit_easypost import EasyPost
from shipkit_ups import Ups

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
STAMP = str(int(NOW.timestamp()))
ISO = "2026-11-24T12:00:01.1234567Z"
BODY = b'{"event": "tracking", "city": "K\xc3\xb6ln"}'
SECRET = "a-secret-of-the-tests"

pytestmark = pytest.mark.process


def openssl(*arguments: str, given: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True, timeout=60).stdout


def hmac_of(content: bytes, *, key: str = SECRET, digest: str = "sha256") -> bytes:
    return openssl(
        "dgst", f"-{digest}", "-mac", "HMAC", "-macopt", f"hexkey:{key.encode().hex()}", "-binary", given=content
    )


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


class Signer:
    """A key pair, its certificate and its key set, all made by openssl."""

    def __init__(self, folder: Path, key_id: str) -> None:
        self.key_id, self.file = key_id, str(folder / f"{key_id}.pem")
        openssl("genrsa", "-out", self.file, "2048", given=b"")
        self.public = openssl("rsa", "-in", self.file, "-pubout", given=b"").decode()
        made = ("req", "-x509", "-new", "-key", self.file, "-subj", "/CN=a sender", "-days", "2")
        self.certificate = openssl(*made, given=b"").decode()
        modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus", given=b"").decode().strip()
        number = base64.urlsafe_b64encode(bytes.fromhex(modulus.partition("=")[2])).decode().rstrip("=")
        self.jwk = f'{{"kty": "RSA", "kid": "{key_id}", "e": "AQAB", "n": "{number}"}}'
        self.jwks = f'{{"keys": [{self.jwk}]}}'

    def sign(self, content: bytes) -> str:
        return b64(openssl("dgst", "-sha256", "-sign", self.file, given=content))


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("keys"), "key-1")


def judged(name: str, push: RawPush, *secrets: str, now: datetime = NOW) -> Verdict:
    return verify(preset(name), push, secrets, now=now, max_age_s=300)


# By sender: the headers, and the query, that openssl's signature makes of BODY; RSA and addresses stand below.
BY_OPENSSL: dict[str, Any] = {
    "ups-track-alert": lambda: {"credential": SECRET},
    "dhl-unified-push": lambda: {"x-api-key": SECRET},
    "easypost": lambda: {"x-hmac-signature": "hmac-sha256-hex=" + hmac_of(BODY).hex()},
    "sendcloud": lambda: {"sendcloud-signature": hmac_of(BODY).hex()},
    "aftership-tracking": lambda: {"aftership-hmac-sha256": b64(hmac_of(BODY))},
    "aftership-returns": lambda: {"as-signature-hmac-sha256": b64(hmac_of(BODY))},
    "aftership-shipping": lambda: {"am-webhook-signature": b64(hmac_of(BODY))},
    "flexport": lambda: {"x-hub-signature-256": "sha256=" + hmac_of(BODY).hex()},
    "flexport-sha1": lambda: {"x-hub-signature": "sha1=" + hmac_of(BODY, digest="sha1").hex()},
    "fedex": lambda: {"fdx-signature": hmac_of(BODY).hex()},
    "shippo": lambda: {"shippo-auth-signature": f"t={STAMP},v1={hmac_of(f'{STAMP}.'.encode() + BODY).hex()}"},
    "shiphero": lambda: {"x-shiphero-hmac-sha256": b64(hmac_of(BODY))},
    "track123": lambda: {
        "x-track123-timestamp": f"{STAMP}000",
        "x-track123-signature": hmac_of(f"{STAMP}000".encode()).hex(),
    },
}
UNSIGNED_BODY = {"ups-track-alert", "dhl-unified-push", "track123", "track123-body", "shippo-token"}


@pytest.mark.parametrize("name", BY_OPENSSL)
def test_what_openssl_signs_for_a_sender_is_believed_as_far_as_it_is_signed(name: str) -> None:
    headers = BY_OPENSSL[name]()
    trust = TrustLevel.SENDER_AUTHENTICATED if name in UNSIGNED_BODY else TrustLevel.BODY_SIGNED

    verdict = judged(name, RawPush(headers=headers, body=BODY), "yesterday's secret", SECRET)

    assert (verdict.signature, verdict.trust) == (SignatureResult.VALID, trust)
    assert judged(name, RawPush(headers=headers, body=BODY), "another secret").signature is SignatureResult.INVALID
    assert judged(name, RawPush(headers=headers, body=BODY)).signature is SignatureResult.INVALID
    assert judged(name, RawPush(body=BODY), SECRET).signature is SignatureResult.ABSENT
    if name not in UNSIGNED_BODY:
        assert judged(name, RawPush(headers=headers, body=BODY + b" "), SECRET).signature is SignatureResult.INVALID


def test_either_spelling_that_a_senders_pages_show_is_believed() -> None:
    for name, value in (
        ("fedex", {"fdx-signature": b64(hmac_of(BODY))}),
        ("aftership-shipping", {"am-webhook-signature": "hmac-sha256=" + b64(hmac_of(BODY))}),
    ):
        assert judged(name, RawPush(headers=value, body=BODY), SECRET).accepted


def test_a_signature_within_the_body_is_found_there() -> None:
    signature = hmac_of(f"{STAMP}000".encode()).hex()
    body = f'{{"data": {{}}, "verify": {{"timestamp": "{STAMP}000", "signature": "{signature}"}}}}'.encode()
    verdict = judged("track123-body", RawPush(body=body), SECRET)

    assert (verdict.signature, verdict.trust) == (SignatureResult.VALID, TrustLevel.SENDER_AUTHENTICATED)
    assert verdict.age_ok is True


def test_a_token_in_the_address_names_the_sender() -> None:
    assert judged("shippo-token", RawPush(query="a=1&token=a-secret%2Dof-the-tests"), SECRET).accepted
    for twice in ("token=x&token=a-secret-of-the-tests", "token=a-secret-of-the-tests&token=x"):
        assert not judged("shippo-token", RawPush(query=twice), SECRET).accepted
    assert judged("shippo-token", RawPush(query="a=1"), SECRET).signature is SignatureResult.ABSENT


def test_a_published_range_is_a_hint_and_no_proof() -> None:
    inside = judged("inpost-shipx", RawPush(remote="91.216.25.7", body=BODY))

    assert inside.accepted and inside.trust is TrustLevel.UNAUTHENTICATED
    assert inside.signature is SignatureResult.NOT_SUPPORTED
    assert judged("inpost-shipx", RawPush(remote="::ffff:91.216.25.7")).accepted
    for remote in ("91.216.26.7", "2001:db8::1", "somewhere", ""):
        assert not judged("inpost-shipx", RawPush(remote=remote)).accepted


@pytest.mark.parametrize("kind", ["certificate", "public", "jwks"])
def test_rsa_signatures_of_openssl_are_believed(signer: Signer, kind: str) -> None:
    key = getattr(signer, kind)
    plain = {"x-inpost-signature": signer.sign(BODY)}
    timed = {"x-inpost-timestamp": ISO, "x-inpost-signature": signer.sign(ISO.encode() + b"." + BODY)}
    named = {
        "x-shipengine-timestamp": ISO,
        "x-shipengine-rsa-sha256-key-id": "key-1",
        "x-shipengine-rsa-sha256-signature": signer.sign(ISO.encode() + b"." + BODY),
    }
    for name, headers, age_ok in (
        ("inpost-group", plain, None),
        ("inpost-group-timestamped", timed, True),
        ("shipengine", named, True),
    ):
        verdict = judged(name, RawPush(headers=headers, body=BODY), "no key", "{}", key)
        assert (verdict.signature, verdict.trust) == (SignatureResult.VALID, TrustLevel.BODY_SIGNED)
        assert verdict.age_ok is age_ok
        assert judged(name, RawPush(headers=headers, body=BODY[:-1]), key).signature is SignatureResult.INVALID
        assert judged(name, RawPush(headers=headers, body=BODY)).signature is SignatureResult.INVALID


# Vectors that somebody published -------------------------------------------------------------------------------------

# EasyPost/examples, official/fixtures/event-body.json as of 2022, and the tests of EasyPost's clients of that time.
EASYPOST_BODY = (
    b'{"result":{"id":"batch_123...","object":"Batch","mode":"test","state":"created","num_shipments":0,'
    b'"reference":null,"created_at":"2022-07-26T17:22:32Z","updated_at":"2022-07-26T17:22:32Z","scan_form":null,'
    b'"shipments":[],"status":{"created":0,"queued_for_purchase":0,"creation_failed":0,"postage_purchased":0,'
    b'"postage_purchase_failed":0},"pickup":null,"label_url":null},"description":"batch.created","mode":"test",'
    b'"previous_attributes":null,"completed_urls":null,"user_id":"user_123...","status":"pending","object":"Event",'
    b'"id":"evt_123..."}'
)
EASYPOST_SIGNATURE = "hmac-sha256-hex=e93977c8ccb20363d51a62b3fe1fc402b7829be1152da9e88cf9e8d07115a46b"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_easyposts_own_vector_is_believed_however_its_secret_is_spelt(form: Any) -> None:
    push = RawPush(headers={"X-Hmac-Signature": EASYPOST_SIGNATURE}, body=EASYPOST_BODY)

    assert judged("easypost", push, unicodedata.normalize(form, "sécret")).signature is SignatureResult.VALID


def test_the_vector_of_those_whose_header_flexport_uses_is_believed() -> None:
    # docs.github.com, Validating webhook deliveries: the header X-Hub-Signature-256 is theirs.
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    push = RawPush(headers={"X-Hub-Signature-256": signature}, body=b"Hello, World!")

    assert judged("flexport", push, "It's a Secret to Everybody").signature is SignatureResult.VALID


def test_the_vector_of_standard_webhooks_is_believed() -> None:
    # standard-webhooks/libraries/python, tests: as in the reference implementation.
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    push = RawPush(headers=headers, body=b'{"test": 2432232314}')
    then = datetime.fromtimestamp(1614265330, timezone.utc)

    verdict = judged("standard-webhooks", push, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now=then)

    assert (verdict.signature, verdict.delivery_id) == (SignatureResult.VALID, "msg_p5jXN8AQM9LWM0D4loKWxJek")
    assert preset("standard-webhooks") == STANDARD


# The table -----------------------------------------------------------------------------------------------------------


def test_every_sender_of_the_table_has_a_vector_here() -> None:
    elsewhere = {"standard-webhooks", "inpost-group", "inpost-group-timestamped", "inpost-shipx", "shipengine"}
    assert set(presets()) == {*BY_OPENSSL, *elsewhere, "shippo-token", "track123-body"}


def test_a_sender_says_where_it_is_known_from_and_is_never_worth_more_than_it_signs() -> None:
    for each in presets().values():
        assert each.source and each.secret and each.confidence in Confidence
        assert (each.scheme.trust is TrustLevel.BODY_SIGNED) is (
            each.name not in UNSIGNED_BODY and each.name != "inpost-shipx"
        )


def test_a_plugin_and_the_table_say_the_same_of_one_sender() -> None:
    easypost = EasyPost(api_key="key", webhook_secret="secret")
    ups = Ups(client_id="id", client_secret="secret", shipper_number="A1B2C3", webhook_credentials=("secret",))

    assert easypost.webhook_scheme == preset("easypost")
    assert ups.webhook_scheme == preset("ups-track-alert")


def test_a_stranger_is_an_input_error() -> None:
    with pytest.raises(InputError, match="nobody"):
        preset("nobody")


@pytest.mark.parametrize(
    ("description", "path"),
    [
        ({}, "/kind"),
        ({"kind": "magic"}, "/kind"),
        ({"kind": ["hmac"]}, "/kind"),
        ({"kind": "hmac", "header": "x", "colour": "red"}, "/colour"),
        ({"kind": "hmac", "header": "x", "digest": "md5"}, "/digest"),
        ({"kind": "hmac"}, "/"),
        ({"kind": "hmac", "header": "x", "signed": ["time"], "time_header": "y", "trust": "body_signed"}, "/"),
        ({"kind": "hmac", "header": "x", "trust": "complete"}, "/trust"),
        ({"kind": "header", "header": "x", "trust": "body_signed"}, "/"),
        ({"kind": "hmac", "header": "x", "time_header": "y"}, "/"),
        ({"kind": "source_address", "networks": ["somewhere"]}, "/"),
        ({"kind": "any_of", "schemes": {"a": {"kind": "magic"}}}, "/schemes/a/kind"),
        ({"kind": "all_of", "schemes": {}}, "/"),
    ],
)
def test_a_description_that_describes_no_scheme_names_the_place(description: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as caught:
        scheme_of(description)
    assert [problem.path for problem in caught.value.problems] == [path]


def test_a_description_may_combine() -> None:
    described = {"kind": "any_of", "schemes": {"a": {"kind": "hmac", "header": "x"}, "b": {"kind": "basic"}}}
    headers = {"authorization": "Basic " + b64(b"user:pass")}
    found = verify(scheme_of(described), RawPush(headers=headers), ["b=user:pass"], now=NOW, max_age_s=1)

    assert found.trust is TrustLevel.SENDER_AUTHENTICATED
