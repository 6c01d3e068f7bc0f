"""What a configuration says of the service, its destinations and the proofs of pushes, and what is wrong with that."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shipkit import Client
from shipkit.config import Bounds, Config, loaded
from shipkit.errors import InputError
from shipkit.registry import Registry
from shipkit.webhooks import Hmac

GOOD = """
[accounts.shop]
carrier = "easypost"
api_key = {env = "KEY"}

[store]
kind = "memory"

[service]
host = "0.0.0.0"
port = 0
workers = 2
gateways = ["10.0.0.0/8"]
metrics_token = {file = "token"}
idle_s = 2

[service.bounds]
body_s = 3
at_once = 8

[destinations.erp]
kind = "rabbitmq"
url = {env = "BROKER"}
exchange = "parcels"
declare = false

[destinations.log]
kind = "kafka"
bootstrap = "127.0.0.1:9092"
options = {"sasl.password" = {env = "KEY"}, "acks" = "all"}

[destinations.shop]
kind = "http"
url = "https://shop.example/hooks"
secrets = [{env = "OUT"}, "whsec_bGl0ZXJhbA=="]

[webhooks.shop]
secrets = [{env = "NEW"}, {env = "OLD"}]
scheme = {kind = "hmac", header = "X-Shop-Signature"}
"""
ENVIRON = {"KEY": "k3y", "BROKER": "amqp://u:p@127.0.0.1//", "OUT": "whsec_c2VjcmV0", "NEW": "n", "OLD": "o"}


def read(folder: Path, text: str) -> Config:
    (folder / "token").write_text("t0ken\n")
    file = folder / "shipkit.toml"
    file.write_text(text)
    file.chmod(0o600)
    return loaded(file, environ=ENVIRON, registry=Registry())


def wrong(folder: Path, text: str) -> dict[str, str]:
    with pytest.raises(InputError) as refused:
        read(folder, text)
    return {problem.path: problem.text for problem in refused.value.problems}


def test_what_the_service_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    service = found.service
    assert (service.host, service.port, service.workers, service.idle_s) == ("0.0.0.0", 0, 2, 2)
    assert service.gateways == ("10.0.0.0/8",)
    assert service.bounds == Bounds(body_s=3, at_once=8)
    assert service.metrics_token == "t0ken"
    assert "t0ken" not in repr(found)


def test_destinations_get_what_their_publishers_take(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD).destinations
    assert {name: choice.kind for name, choice in found.items()} == {"erp": "rabbitmq", "log": "kafka", "shop": "http"}
    assert found["erp"].options == {"url": ENVIRON["BROKER"], "exchange": "parcels", "declare": False}
    assert found["log"].options["options"] == {"sasl.password": "k3y", "acks": "all"}
    assert found["shop"].options["secrets"] == ("whsec_c2VjcmV0", "whsec_bGl0ZXJhbA==")
    assert not any(secret in repr(found) for secret in ENVIRON.values() if len(secret) > 1)


def test_proofs_of_pushes_by_account(tmp_path: Path) -> None:
    auth = read(tmp_path, GOOD).webhooks["shop"]
    assert (auth.secrets, auth.scheme) == (("n", "o"), Hmac(header="X-Shop-Signature"))
    named = GOOD.replace('scheme = {kind = "hmac", header = "X-Shop-Signature"}', 'scheme = "easypost"')
    assert isinstance(read(tmp_path, named).webhooks["shop"].scheme, Hmac)


def test_a_client_of_the_file_has_its_destinations_and_proofs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    read(tmp_path, GOOD)
    with Client.from_config(tmp_path / "shipkit.toml") as client:
        entrance = client.entrance()
        assert entrance._desk.destinations == ("erp", "log", "shop")
        assert entrance._desk.desk.webhooks["shop"].secrets == ("n", "o")


def test_a_secret_in_a_file_that_everybody_reads_is_warned_of(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    (tmp_path / "shipkit.toml").chmod(0o644)
    assert loaded(tmp_path / "shipkit.toml", environ=ENVIRON).warnings
    bare = '[destinations.log]\nkind = "redis"\nurl = "redis://127.0.0.1:6379/0"\n'
    (tmp_path / "shipkit.toml").write_text(bare)
    assert not loaded(tmp_path / "shipkit.toml", environ=ENVIRON).warnings
    (tmp_path / "shipkit.toml").write_text(bare.replace("127.0.0.1", "u:pw@127.0.0.1"))
    assert loaded(tmp_path / "shipkit.toml", environ=ENVIRON).warnings


def test_everything_wrong_is_named_at_once_with_its_place(tmp_path: Path) -> None:
    found = wrong(
        tmp_path,
        """
[service]
prot = 1
port = 70000
public_url = "hooks.example.com"
workers = 0
host = 5
[service.bounds]
body_s = -1
bodies = 3
[destinations]
flat = 1
[destinations.a]
kind = "rabbit"
[destinations.b]
url = "redis://x"
[destinations.c]
kind = "redis"
uri = "redis://x"
maxlen = "many"
[webhooks.nobody]
secrets = ["x"]
""",
    )
    assert found["/service/prot"] == "line 3, column 1: unknown key prot; did you mean port?"
    assert found["/service/port"] == "line 4, column 1: must be from 0 to 65535"
    assert found["/service/public_url"].endswith("must begin with https://")
    assert found["/service/workers"].endswith("must be greater than 0")
    assert found["/service/host"].endswith("must be text, in quotes")
    assert found["/service/bounds/body_s"] == "line 9, column 1: must be greater than 0"
    assert "unknown key bodies" in found["/service/bounds/bodies"]
    assert found["/destinations/flat"].endswith("must be a table: [destinations.NAME]")
    assert "kind must be one of rabbitmq" in found["/destinations/a/kind"]
    assert "kind must be one of rabbitmq" in found["/destinations/b/kind"]
    assert found["/destinations/c/uri"].endswith("unknown key uri; did you mean url?")
    assert found["/destinations/c/url"].endswith("url must be given")
    assert found["/destinations/c/maxlen"].endswith("must be a whole number")
    assert "unknown key nobody" in found["/webhooks/nobody"]


@pytest.mark.parametrize("scheme", ['"nobody-knows"', "5", '{kind = "hmac"}', '{kind = "magic"}'])
def test_a_scheme_that_is_none_is_named_and_no_secret_is(tmp_path: Path, scheme: str) -> None:
    text = GOOD.replace('{kind = "hmac", header = "X-Shop-Signature"}', scheme)
    found = wrong(tmp_path, text)
    assert all(path.startswith("/webhooks/shop/scheme") for path in found)
    line = text.splitlines().index(f"scheme = {scheme}") + 1
    assert all(text.startswith(f"line {line}, ") for text in found.values())


EITHER = '{kind = "any_of", schemes = {a = {kind = "basic"}, b = {kind = "header", header = "x"}}}'


@pytest.mark.parametrize(
    ("scheme", "good", "bad"),
    [
        ('{kind = "basic"}', "user:S3cret", ["S3cret", "S3cret:"]),
        ('"standard-webhooks"', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ["S3cret!", "whsec_"]),
        (EITHER, "b=x", ["S3cret", "c=x", "a=x"]),
        ('{kind = "rsa", header = "x"}', "", ["S3cret", "-----BEGIN KEY-----\nS3cret\n-----END KEY-----"]),
        ('{kind = "header", header = "x"}', "x", [" "]),
    ],
)  # fmt: skip
def test_a_secret_that_lets_every_push_be_refused_is_told_before_one_comes(
    tmp_path: Path, scheme: str, good: str, bad: list[str]
) -> None:
    def text(*secrets: str) -> str:
        head = GOOD.partition("[webhooks.shop]")[0]
        return f"{head}[webhooks.shop]\nscheme = {scheme}\nsecrets = {json.dumps([one for one in secrets if one])}\n"

    assert read(tmp_path, text(good)).webhooks["shop"].scheme is not None
    found = wrong(tmp_path, text(good, *bad))
    first = 1 if good else 0
    assert list(found) == [f"/webhooks/shop/secrets/{first + index}" for index in range(len(bad))]
    assert all(one.startswith("line ") for one in found.values())
    assert "S3cret" not in str(found)


def test_a_package_that_a_scheme_needs_is_asked_for_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shipkit.webhooks import rsa

    rsa._keys_of.cache_clear()
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, name, None)
    head = GOOD.partition("[webhooks.shop]")[0]
    found = wrong(tmp_path, head + '[webhooks.shop]\nscheme = {kind = "rsa", header = "x"}\nsecrets = ["x"]\n')
    assert list(found) == ["/webhooks/shop/scheme"]
    assert "shipkit-sdk[rsa]" in found["/webhooks/shop/scheme"]
