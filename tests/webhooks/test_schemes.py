"""A scheme believes what was signed with a live secret, and nothing else, whatever a stranger sends."""

from __future__ import annotations

import ast
import base64
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.model import SignatureResult, TrustLevel
from shipkit.webhooks import (
    AllOf,
    AnyOf,
    Basic,
    Hmac,
    QueryToken,
    RawPush,
    Rsa,
    Scheme,
    SharedHeader,
    SourceAddress,
    Unsigned,
    Verdict,
    presets,
    verify,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
STAMP = int(NOW.timestamp())
AGE_S = 300.0
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="

PLAIN = {
    "hex": Hmac(header="X-Sign"),
    "sha1": Hmac(header="X-Sign", digest="sha1", prefix="sha1="),
    "sha512": Hmac(header="X-Sign", digest="sha512", encoding="base64"),
    "either": Hmac(header="X-Sign", encoding="either"),
    "optional": Hmac(header="X-Sign", prefix="v=", prefix_optional=True),
    "normalised": Hmac(header="X-Sign", normalise="NFKD"),
    "decoded": Hmac(header="X-Sign", key="base64", key_prefix="whsec_"),
}
TIMED = {
    "header": Hmac(header="X-Sign", signed=("time", "body"), time_header="X-Time"),
    "members": Hmac(header="X-Sign", signed=("time", "body"), member="v1", time_member="t"),
    "ms": Hmac(header="X-Sign", signed=("time", "body"), time_header="X-Time", time_format="ms"),
    "iso": Hmac(header="X-Sign", signed=("body", "time"), joiner="|", time_header="X-Time", time_format="iso"),
    "id": Hmac(header="X-Sign", signed=("id", "time", "body"), id_header="X-Id", time_header="X-Time", separator=" "),
    "only": Hmac(header="X-Sign", signed=("time",), time_header="X-Time"),
}
SCHEMES = {**PLAIN, **TIMED}
NAMES = st.sampled_from(sorted(SCHEMES))
BODIES = st.one_of(st.binary(max_size=80), st.sampled_from([b"", b"{}", b'{"a": 1}']))
SECRETS = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() and text.isprintable())


def told(scheme: Hmac, at: datetime) -> str:
    forms = {"s": str(int(at.timestamp())), "ms": str(int(at.timestamp() * 1000)), "iso": at.isoformat()}
    return forms[scheme.time_format]


def pushed(scheme: Hmac, body: bytes, secret: str = SECRET, at: datetime = NOW) -> RawPush:
    """What a sender of that scheme sends."""
    time = told(scheme, at) if "time" in scheme.signed else ""
    signature = scheme.signature(body, secret, time=time, id="msg-1")
    headers = {scheme.header: signature, scheme.time_header: time, scheme.id_header: "msg-1"}
    return RawPush(headers={name: value for name, value in headers.items() if name}, body=body)


def judged(scheme: Scheme, push: RawPush, secrets: Sequence[str] = (SECRET,), now: datetime = NOW) -> Verdict:
    return verify(scheme, push, secrets, now=now, max_age_s=AGE_S)


@given(NAMES, BODIES)
def test_what_is_signed_with_a_live_secret_is_valid(name: str, body: bytes) -> None:
    scheme = SCHEMES[name]
    verdict = judged(scheme, pushed(scheme, body))

    assert verdict.signature is SignatureResult.VALID and verdict.trust is scheme.trust
    assert verdict.age_ok is (True if name in TIMED else None)
    assert verdict.delivery_id == ("msg-1" if name == "id" else None)


def test_a_signature_that_leaves_out_the_body_is_worth_less() -> None:
    assert SCHEMES["only"].trust is TrustLevel.SENDER_AUTHENTICATED
    assert all(scheme.trust is TrustLevel.BODY_SIGNED for name, scheme in SCHEMES.items() if name != "only")


@pytest.mark.parametrize("name", SCHEMES)
def test_no_flipped_bit_of_body_signature_time_or_id_is_believed(name: str) -> None:
    scheme = SCHEMES[name]
    push = pushed(scheme, b'{"a": 1}')
    signed = {"body": push.body} if "body" in scheme.signed else {}
    for place, old in {**signed, **{header: text.encode() for header, text in push.headers.items()}}.items():
        for position in range(len(old)):
            for bit in range(8):
                new = bytes([*old[:position], old[position] ^ (1 << bit), *old[position + 1 :]])
                headers = {**push.headers, **({place: new.decode("latin-1")} if place != "body" else {})}
                forged = RawPush(headers=headers, body=new if place == "body" else push.body)
                assert not judged(scheme, forged).accepted, (place, position, bit)

    assert judged(scheme, push).accepted


@given(NAMES, BODIES, BODIES)
def test_a_signature_of_one_body_is_none_of_another(name: str, one: bytes, other: bytes) -> None:
    scheme = SCHEMES[name]
    forged = attrs.evolve(pushed(scheme, one), body=other)

    assert judged(scheme, forged).accepted is (one == other or "body" not in scheme.signed)


@given(NAMES, BODIES, st.lists(SECRETS, max_size=3), SECRETS)
def test_a_secret_is_believed_while_it_is_live_and_not_a_moment_longer(
    name: str, body: bytes, others: list[str], secret: str
) -> None:
    scheme = SCHEMES[name]
    if scheme.key == "base64":
        others, secret = [base64.b64encode(each.encode()).decode() for each in others], SECRET
    others = [each for each in others if not same(scheme, each, secret)]
    push = pushed(scheme, body, secret)

    assert judged(scheme, push, [*others, secret]).accepted
    assert judged(scheme, push, [secret, *others]).accepted
    assert not judged(scheme, push, others).accepted


def same(scheme: Hmac, one: str, other: str) -> bool:
    """Whether two texts are one key; a key is filled up with zeros to a block, and a longer one is hashed."""
    time = "1" if "time" in scheme.signed else ""
    return scheme.signature(b"", one, time=time, id="1") == scheme.signature(b"", other, time=time, id="1")


@pytest.mark.parametrize("secrets", [[], [""], [" "], ["\n", ""]])
@pytest.mark.parametrize("name", SCHEMES)
def test_without_a_secret_nothing_is_valid(name: str, secrets: list[str]) -> None:
    scheme = SCHEMES[name]
    for key in ["", *secrets]:
        for scheme_key in ("text", "base64"):
            forging = attrs.evolve(scheme, key=scheme_key)
            try:
                push = pushed(forging, b"{}", key)
            except ValueError:
                continue
            assert judged(scheme, push, secrets).signature is SignatureResult.INVALID


@given(st.sampled_from(sorted(TIMED)), st.integers(-2_000, 2_000))
def test_a_signed_time_may_lie_so_far_back_and_so_far_ahead(name: str, seconds: int) -> None:
    scheme = TIMED[name]
    push = pushed(scheme, b"{}", at=NOW + timedelta(seconds=seconds))
    verdict = judged(scheme, push)

    near = abs(seconds) <= AGE_S
    assert verdict.age_ok is near
    assert verdict.signature is (SignatureResult.VALID if near else SignatureResult.INVALID)


def test_an_id_cannot_be_moved_into_the_time() -> None:
    scheme = TIMED["id"]
    signature = scheme.signature(b"{}", SECRET, time=f"{STAMP}", id="7")
    moved = {"x-sign": signature, "x-id": f"7.{STAMP}", "x-time": f"{STAMP}"}
    assert scheme.signature(b"", SECRET, time="1", id="a.b") == scheme.signature(b"1.", SECRET, time="b", id="a")[:64]
    assert not judged(scheme, RawPush(headers=moved, body=b"{}")).accepted
    headers = {"x-sign": scheme.signature(b"{}", SECRET, time=f"{STAMP}", id="a.b"), "x-id": "a.b"}
    assert not judged(scheme, RawPush(headers={**headers, "x-time": f"{STAMP}"}, body=b"{}")).accepted


def test_one_of_several_signatures_is_enough() -> None:
    listed, named = SCHEMES["id"], SCHEMES["members"]
    good, wrong = listed.signature(b"{}", SECRET, time=str(STAMP), id="msg-1"), "0" * 64
    headers = {"x-id": "msg-1", "x-time": str(STAMP)}
    assert judged(listed, RawPush(headers={**headers, "x-sign": f"{wrong} {good}"}, body=b"{}")).accepted
    many = " ".join([wrong] * 20 + [good])
    assert not judged(listed, RawPush(headers={**headers, "x-sign": many}, body=b"{}")).accepted
    value = named.signature(b"{}", SECRET, time=str(STAMP))
    two = value.replace(",v1=", f", v1={wrong}, v0=abc, v1=")
    assert judged(named, RawPush(headers={"x-sign": two}, body=b"{}")).accepted
    for doubled in (f"t=1,{two}", f"{two},t=1"):
        assert not judged(named, RawPush(headers={"x-sign": doubled}, body=b"{}")).accepted


def test_a_prefix_is_part_of_the_signature_unless_the_scheme_says_otherwise() -> None:
    for name, prefix in (("sha1", "sha1="), ("optional", "v=")):
        scheme = SCHEMES[name]
        value = scheme.signature(b"{}", SECRET)
        assert value.startswith(prefix)
        bare = RawPush(headers={"x-sign": value.removeprefix(prefix)}, body=b"{}")
        assert judged(scheme, bare).accepted is scheme.prefix_optional
        assert not judged(scheme, RawPush(headers={"x-sign": prefix}, body=b"{}")).accepted


@pytest.mark.parametrize(
    "time",
    [
        "",
        "-1",
        "+1",
        "1e9",
        "٤٢",
        "9" * 16,
        "2026-11-24T12:00:00",
        "now",
        "1.5",
        " 1",
        "2026-W48-2T12:00:00Z",
        "20261124T120000Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-24T12:00:00+99:00",
    ],
)
@pytest.mark.parametrize("name", ["header", "ms", "iso"])
def test_what_is_no_time_of_that_form_is_invalid_however_well_it_is_signed(name: str, time: str) -> None:
    scheme = TIMED[name]
    signature = scheme.signature(b"{}", SECRET, time=time)
    assert not judged(scheme, RawPush(headers={"x-sign": signature, "x-time": time}, body=b"{}")).accepted


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("2026-11-24T12:00:00Z", 0),
        ("2026-11-24T13:00:00.5+01:00", 0.5),
        ("2026-11-24T12:00:00.1234567Z", 0.123456),
        ("2026-11-24 12:00:00+00:00", 0),
        ("2026-11-24T14:00:00+0200", 0),
    ],
)
def test_iso_times_are_read_as_senders_write_them(time: str, seconds: float) -> None:
    scheme = TIMED["iso"]
    push = RawPush(headers={"x-sign": scheme.signature(b"{}", SECRET, time=time), "x-time": time}, body=b"{}")
    for max_age_s, near in ((seconds + 1e-3, True), (seconds - 1e-3, False)):
        assert verify(scheme, push, [SECRET], now=NOW, max_age_s=max_age_s).age_ok is near


def test_members_of_the_body_can_be_what_is_signed() -> None:
    scheme = Hmac(header="X-Sign", signed=("/data/id", "/data/status"), joiner="|")
    body = b'{"data": {"id": 17, "status": "delivered"}}'
    signature = Hmac(header="X-Sign").signature(b"17|delivered", SECRET)

    verdict = judged(scheme, RawPush(headers={"x-sign": signature}, body=body))
    assert (verdict.signature, verdict.trust) == (SignatureResult.VALID, TrustLevel.SENDER_AUTHENTICATED)
    for wrong in (body.replace(b"17", b"18"), b"{}", b"[]", b"{", b"[" * 100_000, b"\xff", b'{"data": 5}'):
        assert not judged(scheme, RawPush(headers={"x-sign": signature}, body=wrong)).accepted


# Whatever a stranger sends -------------------------------------------------------------------------------------------

KEY_SETS = (
    '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}',
    '{"keys": 5}',
    "{",
    "-----BEGIN CERTIFICATE-----\nx",
)
EVERY_KIND: dict[str, Scheme] = {
    **SCHEMES,
    **{name: each.scheme for name, each in presets().items()},
    "shared": SharedHeader(header="X-Sign"),
    "basic": Basic(),
    "token": QueryToken(),
    "rsa": Rsa(header="X-Sign", encoding="either", key_header="X-Id"),
    "any": AnyOf(schemes={"a": Hmac(header="X-Sign"), "b": Basic()}),
    "all": AllOf(schemes={"a": Hmac(header="X-Sign"), "b": SourceAddress(networks=("10.0.0.0/8",))}),
}
HEADER_NAMES = st.sampled_from(
    sorted(
        {"X-Sign", "X-Time", "X-Id", "Authorization", "\udcff", ""}
        | {
            str(getattr(scheme, field, ""))
            for scheme in EVERY_KIND.values()
            for field in ("header", "time_header", "id_header", "key_header")
        }
    )
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=5),
    st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
    st.sampled_from(
        ["t=1,v1=2", "v1,AAAA", f"t={STAMP}", str(STAMP), "Basic !", "9" * 5_000, "v1=" * 9_000, "0" * 512]
    ),
)


@given(
    st.sampled_from(sorted(EVERY_KIND)),
    st.dictionaries(HEADER_NAMES, TEXTS, max_size=6),
    BODIES,
    TEXTS,
    TEXTS,
    st.lists(st.one_of(TEXTS, st.sampled_from(KEY_SETS)), max_size=3),
)
def test_nothing_that_comes_in_raises_and_nothing_unproved_is_valid(
    kind: str, headers: dict[str, str], body: bytes, query: str, remote: str, secrets: list[str]
) -> None:
    push = RawPush(headers=headers, body=body, query=query, remote=remote)
    for live in (secrets, []):
        verdict = judged(EVERY_KIND[kind], push, live)
        if verdict.signature is SignatureResult.VALID:
            # Whoever guesses a secret is believed: these do so when the text drawn for it is the one that is shown.
            assert isinstance(EVERY_KIND[kind], (SharedHeader, QueryToken, Basic)) and live
        if not verdict.accepted:
            assert verdict.trust is TrustLevel.UNAUTHENTICATED and verdict.delivery_id is None


UNFIT = ("\udcff", "é", "\x00", "\x85", "𝟙", "v1=\udcff,t=\ud800", "Basic \udcff", "\udcff=1,t=1")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_header_that_no_server_should_hand_on_is_invalid_and_nothing_worse(kind: str) -> None:
    scheme = EVERY_KIND[kind]
    fields = ("header", "time_header", "id_header", "key_header", "prefix")
    names = {str(getattr(scheme, field, "")) for field in fields} | {"authorization"}
    good = pushed(scheme, b"{}") if isinstance(scheme, Hmac) and scheme.header[0] != "/" else RawPush(body=b"{}")
    for value in UNFIT:
        for name in names:
            push = attrs.evolve(good, headers={**good.headers, name: value}, query=f"token={value}", remote=value)
            verdict = judged(scheme, push, [SECRET, f"a={SECRET}", f"b=user:{SECRET}"])
            assert verdict.signature is not SignatureResult.VALID or name not in good.headers


def test_a_huge_header_is_not_looked_at() -> None:
    scheme = SCHEMES["id"]
    push = pushed(scheme, b"{}")
    long = {**push.headers, "X-Sign": push.headers["X-Sign"] + " " * 10_000}
    assert judged(scheme, attrs.evolve(push, headers=long)).signature is SignatureResult.INVALID


# Secrets that are shown ----------------------------------------------------------------------------------------------


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("scheme", "push"),
    [
        (SharedHeader(header="X-Key"), RawPush(headers={"x-key": "user:old"})),
        (SharedHeader(header="Authorization", prefix="Bearer "), RawPush(headers={"authorization": "Bearer user:old"})),
        (Basic(), RawPush(headers=basic("user:old"))),
        (QueryToken(parameter="key"), RawPush(query="key=user%3Aold")),
    ],
)
def test_a_secret_that_is_shown_names_the_sender_and_no_more(scheme: Scheme, push: RawPush) -> None:
    verdict = judged(scheme, push, ["user:new", "user:old"])

    assert (verdict.signature, verdict.trust) == (SignatureResult.VALID, TrustLevel.SENDER_AUTHENTICATED)
    assert judged(scheme, push, ["user:new"]).signature is SignatureResult.INVALID
    assert judged(scheme, push, []).signature is SignatureResult.INVALID
    assert judged(scheme, RawPush(), ["user:old"]).signature is SignatureResult.ABSENT


@pytest.mark.parametrize("secrets", [[], [""], [" "], [":"], ["user:"]])
def test_an_empty_credential_opens_nothing(secrets: list[str]) -> None:
    for credential in ["", " ", ":", "user:"]:
        assert not judged(Basic(), RawPush(headers=basic(credential)), secrets).accepted
    for value in ("", " "):
        assert not judged(SharedHeader(header="x"), RawPush(headers={"x": value}), secrets).accepted
        assert not judged(QueryToken(), RawPush(query=f"token={value}"), secrets).accepted


def test_who_shows_a_secret_cannot_be_worth_a_signed_body() -> None:
    with pytest.raises(ValueError, match="at most"):
        SharedHeader(header="x", trust=TrustLevel.BODY_SIGNED)
    with pytest.raises(ValueError, match="at most"):
        Hmac(header="x", signed=("time",), time_header="y", trust=TrustLevel.BODY_SIGNED)


def test_who_proves_nothing_is_let_in_as_a_hint_where_the_scheme_says_so() -> None:
    verdict = judged(Unsigned(), RawPush(body=b"x"), [])
    assert verdict.accepted and verdict.signature is SignatureResult.NOT_SUPPORTED
    assert verdict.trust is TrustLevel.UNAUTHENTICATED


# Several proofs ------------------------------------------------------------------------------------------------------

SIGNED, NAMED = Hmac(header="X-Sign"), Basic()
BOTH = {**pushed(SIGNED, b"{}").headers, **basic("user:pass")}
SECRETS_OF_BOTH = [f"s={SECRET}", "n=user:pass"]


@pytest.mark.parametrize(
    ("headers", "any_of", "all_of"),
    [
        (BOTH, TrustLevel.BODY_SIGNED, TrustLevel.BODY_SIGNED),
        ({"X-Sign": BOTH["X-Sign"]}, TrustLevel.BODY_SIGNED, None),
        ({"X-Sign": "wrong", **basic("user:pass")}, TrustLevel.SENDER_AUTHENTICATED, None),
        ({"X-Sign": BOTH["X-Sign"], **basic("user:wrong")}, TrustLevel.BODY_SIGNED, None),
        ({"X-Sign": "wrong"}, None, None),
        ({}, None, None),
    ],
)
def test_any_proof_or_all_of_them(
    headers: dict[str, str], any_of: TrustLevel | None, all_of: TrustLevel | None
) -> None:
    push = RawPush(headers=headers, body=b"{}")
    for made, trust in ((AnyOf, any_of), (AllOf, all_of)):
        scheme: Scheme = made(schemes={"s": SIGNED, "n": NAMED})
        verdict = judged(scheme, push, SECRETS_OF_BOTH)
        assert scheme.trust is TrustLevel.BODY_SIGNED
        assert verdict.accepted is (trust is not None)
        assert verdict.trust is (trust or TrustLevel.UNAUTHENTICATED)
        if not headers:
            assert verdict.signature is SignatureResult.ABSENT


def test_a_secret_of_one_scheme_opens_no_other() -> None:
    # The credentials are shown with every push: they must not be a key for signatures.
    scheme = AnyOf(schemes={"s": SIGNED, "n": NAMED})
    forged = RawPush(headers={"X-Sign": SIGNED.signature(b"{}", "user:pass")}, body=b"{}")

    assert not judged(scheme, forged, ["n=user:pass"]).accepted
    assert not judged(scheme, RawPush(headers=basic("user:pass")), ["user:pass"]).accepted
    assert judged(scheme, forged, ["s=user:pass"]).accepted


def test_a_stale_proof_says_so_among_others() -> None:
    scheme = AllOf(schemes={"s": TIMED["header"], "n": NAMED})
    push = pushed(TIMED["header"], b"{}", at=NOW - timedelta(hours=1))
    verdict = judged(scheme, attrs.evolve(push, headers={**push.headers, **basic("user:pass")}), SECRETS_OF_BOTH)
    assert verdict.age_ok is False and verdict.signature is SignatureResult.INVALID


# How it is compared --------------------------------------------------------------------------------------------------


def test_every_comparison_of_a_secret_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    seen: list[int] = []
    real = hmac.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        seen.append(1)
        return real(one, other)

    monkeypatch.setattr("shipkit.webhooks.verdicts.hmac.compare_digest", counted)
    for scheme, push in (
        (SIGNED, pushed(SIGNED, b"{}")),
        (SharedHeader(header="x"), RawPush(headers={"x": SECRET})),
        (NAMED, RawPush(headers=basic(f"user:{SECRET}"))),
        (QueryToken(), RawPush(query=f"token={SECRET}")),
    ):
        seen.clear()
        # The right one is the first, and still each of the three is looked at.
        secrets = [f"user:{SECRET}", "b:c", "c:d"] if scheme is NAMED else [SECRET, "b", "c"]
        assert judged(scheme, push, secrets).accepted
        assert len(seen) == 3


def test_no_module_of_the_room_compares_a_secret_in_another_way(root: Path) -> None:
    """Names that hold a secret or what was made with it stand on no side of ``==``, ``!=`` or ``in``."""
    wary = {"secret", "secrets", "key", "keys", "given", "wanted", "credentials", "made", "mac", "signature"}
    found = []
    for path in sorted((root / "src/shipkit/webhooks").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                named = {side.id for side in (node.left, *node.comparators) if isinstance(side, ast.Name)}
                if named & wary:
                    found.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    assert not found
