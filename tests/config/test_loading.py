"""A configuration is read as it stands, and everything that is wrong with it is said at once, without a secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from shipkit import Client
from shipkit.carrier import Carrier
from shipkit.config import Config, loaded
from shipkit.errors import InputError, StoreError
from shipkit.flow import secret
from shipkit.model import Environment, Problem, ProblemCode
from shipkit.registry import Registry
from shipkit.store import MemoryStore, SqliteStore
from tests.core.acme import Acme


@attrs.frozen(kw_only=True)
class Fussy(Carrier):
    """A carrier with a field of each kind, which does not like a user of one letter."""

    code = "fussy"

    user: str = attrs.field()
    number: int = attrs.field(default=1, converter=int)
    keys: tuple[str, ...] = attrs.field(default=(), repr=False, metadata={"secret": True})
    wild: bool = False
    token: str = secret()

    @user.validator
    def _long_enough(self, attribute: object, value: str) -> None:
        if value == "x":
            raise InputError(problems=(Problem(path="/user", code=ProblemCode.TOO_SHORT, text="too short"),))
        if value == "y":
            raise ValueError(f"{value} with {self.number}")


REGISTRY = Registry([Acme, Fussy])


def written(folder: Path, text: str, *, mode: int = 0o600) -> Path:
    path = folder / "shipkit.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def read(folder: Path, text: str, environ: Mapping[str, str] | None = None, *, mode: int = 0o600) -> Config:
    return loaded(written(folder, text, mode=mode), environ=environ or {}, registry=REGISTRY)


def refusal(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> InputError:
    with pytest.raises(InputError) as refused:
        read(folder, text, environ)
    return refused.value


ACME = '[accounts.shop]\ncarrier = "acme"\nclient_id = "shop"\nclient_secret = "hush-hush"\n'


def test_an_account_is_a_configured_carrier_under_its_alias(tmp_path: Path) -> None:
    config = read(tmp_path, ACME + 'environment = "production"\nbase_url = "http://127.0.0.1:1"\n')

    expected = Acme(
        client_id="shop",
        client_secret="hush-hush",
        environment=Environment.PRODUCTION,
        base_url="http://127.0.0.1:1",
    )
    assert config.accounts == {"shop": expected}
    assert config.path == tmp_path / "shipkit.toml"
    assert "hush-hush" not in repr(config)


def test_a_secret_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file\n")
    text = '[accounts.f]\ncarrier = "fussy"\nuser = "me"\ntoken = {file = "token"}\nkeys = ["a", {env = "KEY"}]\n'
    config = read(tmp_path, text, {"KEY": "of-the-env"})
    fussy = config.accounts["f"]

    assert isinstance(fussy, Fussy)
    assert (fussy.token, fussy.keys) == ("of-the-file", ("a", "of-the-env"))


def test_everything_wrong_is_named_at_once_with_line_and_column(tmp_path: Path) -> None:
    text = """\
[accounts.shop]
carrier = "acme"
  client_idd = "shop"
client_secret = {env = "NOT_SET"}
environment = "moon"

[accounts.other]
carrier = "nobody"

[accounts.fuss]
carrier = "fussy"
user = 7
number = "twelve"
keys = [1]
wild = "yes"
token = {file = "nowhere"}

[accounts]
flat = 1

[settings]
attempts = "many"
deadline = 3
backoff_max_s = -1

[store]
kind = "stone"
where = "x"

[zzz]
"""
    error = refusal(tmp_path, text)
    told = {problem.path: problem.text for problem in error.problems}

    assert set(told) == {
        "/accounts/shop/client_idd",
        "/accounts/shop/client_secret",
        "/accounts/shop/environment",
        "/accounts/shop/client_id",
        "/accounts/other/carrier",
        "/accounts/fuss/user",
        "/accounts/fuss/number",
        "/accounts/fuss/keys",
        "/accounts/fuss/wild",
        "/accounts/fuss/token",
        "/accounts/flat",
        "/settings/attempts",
        "/settings/deadline",
        "/settings/backoff_max_s",
        "/store/kind",
        "/store/where",
        "/zzz",
    }
    assert told["/accounts/shop/client_idd"] == ("line 3, column 3: unknown key client_idd; did you mean client_id?")
    assert told["/accounts/shop/client_id"] == "line 1, column 2: client_id must be given"
    assert told["/accounts/shop/client_secret"].endswith("the environment variable NOT_SET is not set")
    assert told["/accounts/other/carrier"].startswith("line 8, column 1: no plugin for nobody")
    assert told["/zzz"].startswith(
        "line 30, column 2: unknown key zzz; there are: accounts, destinations, service, settings, store, webhooks"
    )
    assert str(error).startswith(str(tmp_path / "shipkit.toml"))
    assert "twelve" not in str(error) and "stone" not in str(error)


def test_a_carrier_under_a_misspelt_key_is_found(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[accounts.shop]\nclient_id = "shop"\ncarier = "acme"\n')

    told = {problem.path: problem.text for problem in error.problems}
    assert set(told) == {"/accounts/shop/carrier", "/accounts/shop/carier"}
    assert told["/accounts/shop/carier"] == "line 3, column 1: unknown key carier; did you mean carrier?"


@pytest.mark.parametrize(
    "text",
    ['[accounts.a]\nclient_secret = "hush-hush', "[accounts.a]\nx = hush-hush\n", "[a]\n[a]\n", "hush\x00hush"],
)
def test_a_text_that_is_not_toml_is_refused_with_its_line_and_without_its_words(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, text)

    assert error.problems[0].code is ProblemCode.MALFORMED
    assert "line" in str(error) or "column" in str(error) or "end" in str(error)
    assert ": :" not in str(error)
    assert "hush" not in str(error)


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "shipkit.toml"
    path.write_bytes(b"[accounts]\n# caf\xe9\n")

    with pytest.raises(InputError, match="line 2: is not UTF-8"):
        loaded(path, environ={}, registry=REGISTRY)


def test_what_a_carrier_refuses_is_told_with_its_place_and_without_the_values(tmp_path: Path) -> None:
    fuss = '[accounts.f]\ncarrier = "fussy"\nuser = "{}"\ntoken = "hush-hush"\n'

    refused = refusal(tmp_path, fuss.format("x"))
    assert [(p.path, p.text) for p in refused.problems] == [("/accounts/f/user", "line 3, column 1: too short")]
    unfit = refusal(tmp_path, fuss.format("y"))
    assert [p.path for p in unfit.problems] == ["/accounts/f"]
    assert "hush" not in str(unfit) and "Fussy does not take these values" in str(unfit)


def test_an_environment_variable_overrides_the_file_and_may_be_an_account_by_itself(tmp_path: Path) -> None:
    environ = {
        "SHIPKIT_ACCOUNTS__SHOP__CLIENT_ID": "other",
        "SHIPKIT_ACCOUNTS__MY_BOX__CARRIER": "fussy",
        "SHIPKIT_ACCOUNTS__MY_BOX__USER": "me",
        "SHIPKIT_ACCOUNTS__MY_BOX__TOKEN": "t",
        "SHIPKIT_ACCOUNTS__MY_BOX__KEYS": "a, b",
        "SHIPKIT_ACCOUNTS__MY_BOX__WILD": "true",
        "SHIPKIT_ACCOUNTS__MY_BOX__NUMBER": "12",
    }
    config = read(tmp_path, ACME, environ)

    assert config.accounts == {
        "shop": Acme(client_id="other", client_secret="hush-hush"),
        "my_box": Fussy(user="me", token="t", keys=("a", "b"), wild=True, number=12),
    }


def test_a_variable_that_names_no_account_or_no_field_is_refused_by_its_name(tmp_path: Path) -> None:
    environ = {"SHIPKIT_ACCOUNTS__SHOPP__CLIENT_ID": "hush", "SHIPKIT_ACCOUNTS__SHOP__CLIENT_IDD": "hush"}
    error = refusal(tmp_path, ACME, environ)

    assert all(name in str(error) for name in environ)
    assert "did you mean client_id?" in str(error)
    assert "hush" not in str(error)


def test_a_variable_that_may_mean_two_accounts_is_refused(tmp_path: Path) -> None:
    text = ACME.replace("shop]", "a-b]") + ACME.replace("shop]", "a_b]")

    assert "a-b or a_b" in str(refusal(tmp_path, text, {"SHIPKIT_ACCOUNTS__A_B__CLIENT_ID": "x"}))


def test_settings_are_those_of_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, '[settings]\nattempts = 2\ndeadline_s = 12\nnamespace = "shop"\n').settings

    assert (settings.attempts, settings.deadline_s, settings.namespace) == (2, 12, "shop")


@pytest.mark.skipif(os.name != "posix", reason="permission bits are those of POSIX")
@pytest.mark.parametrize(
    ("text", "mode", "warns"),
    [(ACME, 0o644, True), (ACME, 0o600, False), (ACME.replace('"hush-hush"', '{env = "S"}'), 0o644, False)],
)
def test_a_file_that_everybody_can_read_warns_where_it_holds_a_secret(
    tmp_path: Path, text: str, mode: int, warns: bool
) -> None:
    warnings = read(tmp_path, text, {"S": "x"}, mode=mode).warnings

    assert bool(warnings) is warns
    assert "hush" not in str(warnings)


def test_the_file_is_the_one_named_then_the_one_here_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("named", "variable", "here", "home/shipkit"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "shipkit.toml").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    environ = {"SHIPKIT_CONFIG": str(tmp_path / "variable" / "shipkit.toml"), "XDG_CONFIG_HOME": str(tmp_path / "home")}

    def path(given: Path | None = None) -> Path | None:
        return loaded(given, environ=environ, registry=REGISTRY).path

    assert path(tmp_path / "named" / "shipkit.toml") == tmp_path / "named" / "shipkit.toml"
    assert path() == tmp_path / "variable" / "shipkit.toml"
    del environ["SHIPKIT_CONFIG"]
    assert path() == Path("shipkit.toml")
    (tmp_path / "here" / "shipkit.toml").unlink()
    assert path() == tmp_path / "home" / "shipkit" / "shipkit.toml"
    del environ["XDG_CONFIG_HOME"]
    environ["HOME"] = str(tmp_path / "nowhere")
    assert path() is None


@pytest.mark.parametrize("named", [True, False])
def test_a_file_that_is_named_and_not_there_is_refused(tmp_path: Path, named: bool) -> None:
    path = tmp_path / "absent.toml"
    with pytest.raises(InputError, match="there is no file"):
        loaded(path if named else None, environ={} if named else {"SHIPKIT_CONFIG": str(path)}, registry=REGISTRY)


def test_the_store_is_a_file_in_the_users_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    usual = read(tmp_path, "", {"XDG_DATA_HOME": str(tmp_path / "data")}).store()
    beside = read(tmp_path, '[store]\npath = "books.db"\n').store()
    nowhere = read(tmp_path, '[store]\nkind = "memory"\n').store()

    assert isinstance(usual, SqliteStore) and usual.path == str(tmp_path / "data" / "shipkit" / "shipkit.db")
    assert isinstance(beside, SqliteStore) and beside.path == str(tmp_path / "books.db")
    assert isinstance(nowhere, MemoryStore)
    for store in (usual, beside, nowhere):
        store.close()


def test_a_store_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = read(tmp_path, '[store]\npath = "file/books.db"\n')

    with pytest.raises(StoreError):
        config.store()


def test_a_client_is_made_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "[settings]\nattempts = 2\n[store]\nkind = 'memory'\n")
    monkeypatch.delenv("SHIPKIT_CONFIG", raising=False)

    with Client.from_config(path) as client:
        assert client.settings.attempts == 2
        assert client.accounts == {}


def test_a_proxy_comes_with_its_password_from_the_environment_and_never_shows_it(tmp_path: Path) -> None:
    text = '[settings]\nproxy = {env = "PROXY"}\n' + ACME + 'proxy = "direct"\n'
    config = read(tmp_path, text, environ={"PROXY": "http://me:hush-hush@proxy.example:3128"})

    assert config.settings.proxy == "http://me:hush-hush@proxy.example:3128"
    assert config.accounts["shop"].proxy == "direct"
    assert "hush-hush" not in f"{config!r} {config.settings!r} {config.accounts!r}"


@pytest.mark.parametrize(
    "address", ["proxy.example:3128", "socks5://hush-hush@p:1080", "http://p:hush-hush", "http:///"]
)
def test_a_proxy_that_could_not_be_used_is_said_before_anything_is_sent(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, f'[settings]\nproxy = "{address}"\n' + ACME + f'proxy = "{address}"\n')

    assert {problem.path for problem in caught.value.problems} == {"/settings/proxy", "/accounts/shop/proxy"}
    assert "hush-hush" not in str(caught.value)


def test_a_flag_may_be_off_and_a_duration_may_be_none_where_that_is_the_default(tmp_path: Path) -> None:
    config = read(tmp_path, "[settings]\nvoid_strays = false\nlast_good_rates_s = 0\n")

    assert config.settings.void_strays is False
    assert config.settings.last_good_rates_s == 0
