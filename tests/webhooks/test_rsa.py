"""RSA signatures: the key is found by its id, and whoever lacks the private key is not believed."""

from __future__ import annotations

import base64
import builtins
import itertools
import json
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shipkit import NotSupportedError
from shipkit.model import SignatureResult
from shipkit.webhooks import RawPush, Rsa, SharedHeader, Verdict, verify
from shipkit.webhooks import rsa as room

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
BODY = b'{"status": "delivered"}'
OLD = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NEW = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SCHEME = Rsa(
    header="x-sign",
    key_header="x-key",
    signed=("time", "body"),
    time_header="x-time",
    time_format="iso",
    jwks_url="https://keys.example/jwks",
)


def pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def row(key: rsa.RSAPrivateKey, key_id: str, **rest: str) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    fields = {"n": numbers.n.to_bytes(key.key_size // 8, "big"), "e": numbers.e.to_bytes(3, "big")}
    text = {name: base64.urlsafe_b64encode(raw).decode().rstrip("=") for name, raw in fields.items()}
    return {"kty": "RSA", "kid": key_id, **text, **rest}


def key_set(*rows: dict[str, str]) -> str:
    return json.dumps({"keys": rows})


def pushed(key: rsa.RSAPrivateKey = NEW, key_id: str = "new", time: str = "2026-11-24T12:00:30Z") -> RawPush:
    made = key.sign(time.encode() + b"." + BODY, PKCS1v15(), SHA256())
    headers = {"X-Sign": base64.b64encode(made).decode(), "X-Key": key_id, "X-Time": time}
    return RawPush(headers=headers, body=BODY)


def judged(push: RawPush, *keys: str, scheme: Rsa = SCHEME) -> Verdict:
    return verify(scheme, push, keys, now=NOW, max_age_s=300)


def test_a_key_is_found_by_its_id_and_an_unknown_id_is_invalid() -> None:
    known = key_set(row(OLD, "old"), row(NEW, "new"))

    assert judged(pushed(), known).signature is SignatureResult.VALID
    assert judged(pushed(OLD, "old"), known).signature is SignatureResult.VALID
    assert judged(pushed(NEW, "newer"), known).signature is SignatureResult.INVALID
    assert judged(pushed(NEW, "old"), known).signature is SignatureResult.INVALID
    assert judged(pushed(NEW, ""), key_set({**row(NEW, "new"), "kid": ""})).accepted
    without = {name: value for name, value in pushed().headers.items() if name != "X-Key"}
    assert judged(RawPush(headers=without, body=BODY), known).signature is SignatureResult.INVALID


def test_several_sets_and_keys_may_be_live_while_they_change() -> None:
    assert judged(pushed(), key_set(row(OLD, "old")), key_set(row(NEW, "new"))).accepted
    assert judged(pushed(), pem(OLD), pem(NEW)).accepted
    assert judged(pushed(), "Both, from their page:\n" + pem(OLD) + "\n" + pem(NEW)).accepted
    assert not judged(pushed(), pem(OLD)).accepted


@pytest.mark.parametrize(
    "keys",
    [
        "",
        " ",
        "{}",
        "{",
        '{"keys": {}}',
        '{"keys": [5, null, {}]}',
        '{"keys": [{"kty": "RSA", "kid": "new", "n": 5, "e": "AQAB"}]}',
        '{"keys": [{"kty": "RSA", "kid": "new", "n": "AQAB", "e": "AQAB"}]}',
        "[" * 50_000,
        '{"keys": ' + "[" * 50_000,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "\udcff",
        key_set(row(NEW, "new", use="enc")),
        key_set(row(NEW, "new", alg="RS512")),
        key_set(row(NEW, "new", kty="oct")),
        pem(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=itertools.count(),  # keys are drawn anew in each process, and a test has one name in all of them
)
def test_what_is_no_key_for_signatures_proves_nothing(keys: str) -> None:
    assert judged(pushed(), keys).signature is SignatureResult.INVALID
    assert judged(pushed(), keys, pem(NEW)).signature is SignatureResult.VALID


def test_a_key_that_is_too_short_is_not_believed() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)

    assert judged(pushed(short), pem(short)).signature is SignatureResult.INVALID
    assert judged(pushed(short), key_set(row(short, "new"))).signature is SignatureResult.INVALID


def test_no_flipped_bit_of_body_signature_time_or_key_id_is_believed() -> None:
    push, known = pushed(), key_set(row(OLD, "old"), row(NEW, "new"))
    flipped = 0
    for place, old in {"body": push.body, **{name: text.encode() for name, text in push.headers.items()}}.items():
        for position in range(len(old)):
            for bit in range(8):
                new = bytes([*old[:position], old[position] ^ (1 << bit), *old[position + 1 :]])
                headers = {**push.headers, **({place: new.decode("latin-1")} if place != "body" else {})}
                forged = RawPush(headers=headers, body=new if place == "body" else push.body)
                assert not judged(forged, known).accepted, (place, position, bit)
                flipped += 1

    assert judged(push, known).accepted and flipped > 2_900


def test_an_old_push_is_stale_however_well_it_is_signed() -> None:
    verdict = judged(pushed(time="2026-11-24T11:54:59Z"), pem(NEW))
    assert (verdict.signature, verdict.age_ok) == (SignatureResult.INVALID, False)


@pytest.mark.parametrize("encoding", ["hex", "either"])
def test_a_signature_may_be_hexadecimal(encoding: Any) -> None:
    scheme = Rsa(header="x-sign", encoding=encoding)
    made = NEW.sign(BODY, PKCS1v15(), SHA256()).hex()

    assert judged(RawPush(headers={"x-sign": made}, body=BODY), pem(NEW), scheme=scheme).accepted
    assert not judged(RawPush(headers={"x-sign": made.upper()}, body=BODY), pem(NEW), scheme=scheme).accepted


def test_without_the_package_it_is_not_supported_and_other_schemes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("cryptography"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    room._keys_of.cache_clear()
    monkeypatch.setattr(builtins, "__import__", missing)

    with pytest.raises(NotSupportedError, match=r"shipkit-sdk\[rsa\]"):
        judged(pushed(), pem_of_new())
    shown = verify(SharedHeader(header="x"), RawPush(headers={"x": "secret"}), ["secret"], now=NOW, max_age_s=1)
    assert shown.accepted


_NEW_PEM = pem(NEW)


def pem_of_new() -> str:
    return _NEW_PEM
