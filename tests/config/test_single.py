"""A host that keeps accounts in a table of its own asks what they are made of, and has them made out of texts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shipkit.carrier import Carrier
from shipkit.config import AccountField, account_carrier, account_fields, overriding_variables
from shipkit.errors import InputError
from shipkit.model import Environment
from shipkit.registry import Registry
from tests.config.test_loading import REGISTRY, Fussy
from tests.core.acme import Acme

GIVEN = {"user": "ada", "number": "7", "keys": "a, b", "wild": "yes", "token": "hush-hush"}
VARIABLE = "SHIPKIT_ACCOUNTS__FUSSY_EU__TOKEN"


def built(values: Mapping[str, str], environ: Mapping[str, str] | None = None, carrier: str = "fussy") -> Carrier:
    return account_carrier(carrier, values, alias="fussy-eu", environ=environ or {}, registry=REGISTRY)


def problems(values: Mapping[str, str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    with pytest.raises(InputError) as refused:
        built(values, environ)
    assert "hush" not in str(refused.value)
    return {problem.path: problem.text for problem in refused.value.problems}


def test_the_carriers_own_fields_come_first_and_say_what_they_are() -> None:
    fields = {field.name: field for field in account_fields(Acme)}

    assert next(iter(fields)) not in ("environment", "base_url", "proxy", "zone")
    assert fields["environment"].kind == "choice"
    assert fields["environment"].default == "test"
    assert set(fields["environment"].choices) == {str(each) for each in Acme.facts().hosts}
    assert fields["proxy"].secret
    assert "simulator on loopback" in fields["base_url"].help


def test_a_field_says_its_kind_its_default_and_whether_it_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fussy, "facts", Acme.facts)
    fields = {field.name: field for field in account_fields(Fussy)}

    assert fields["user"] == AccountField(name="user", kind="text", required=True)
    assert (fields["number"].kind, fields["number"].default) == ("whole", "1")
    assert (fields["keys"].kind, fields["keys"].secret, fields["keys"].default) == ("texts", True, "")
    assert (fields["wild"].kind, fields["wild"].default) == ("flag", "false")
    assert (fields["token"].required, fields["token"].secret) == (True, True)
    assert fields["token"].label == "Token"


@pytest.mark.parametrize("code", Registry().names())
def test_every_installed_carrier_says_what_it_asks_for(code: str) -> None:
    fields = {field.name: field for field in account_fields(Registry().carrier(code))}

    assert any(field.secret and field.required for field in fields.values())
    assert "test" in fields["environment"].choices
    assert all(field.help for field in fields.values() if field.name in ("environment", "base_url", "proxy", "zone"))


def test_texts_become_what_the_fields_take() -> None:
    carrier = built(GIVEN)

    assert isinstance(carrier, Fussy)
    assert (carrier.user, carrier.number, carrier.keys, carrier.wild) == ("ada", 7, ("a", "b"), True)
    assert carrier.environment is Environment.TEST


def test_an_environment_variable_goes_before_what_the_host_keeps_and_may_stand_alone() -> None:
    carrier = built({"user": "ada", "token": ""}, {VARIABLE: "from outside"})

    assert isinstance(carrier, Fussy)
    assert carrier.token == "from outside"
    assert overriding_variables("fussy-eu", {VARIABLE: "x", "SHIPKIT_ACCOUNTS__OTHER__TOKEN": "y"}) == {
        "token": VARIABLE
    }


def test_variables_of_other_accounts_are_nobody_s_business_here() -> None:
    assert built(GIVEN, {"SHIPKIT_ACCOUNTS__OTHER__TOKEN": "y", "SHIPKIT_ACCOUNTS__FUSSY__NOISE": "z"})


def test_every_field_that_does_not_fit_is_named_and_no_secret_is_told() -> None:
    assert problems({"number": "many", "token": "hush-hush", "taste": "hush"}) == {
        "/accounts/fussy-eu/number": "must be a whole number",
        "/accounts/fussy-eu/taste": problems({"taste": "hush"})["/accounts/fussy-eu/taste"],
        "/accounts/fussy-eu/user": "user must be given",
    }


def test_a_variable_that_does_not_fit_is_named() -> None:
    variable = "SHIPKIT_ACCOUNTS__FUSSY_EU__NUMBER"

    assert problems(GIVEN, {variable: "hush"}) == {"/accounts/fussy-eu/number": f"{variable}: must be a whole number"}


def test_a_missing_plugin_is_a_problem_of_the_account() -> None:
    with pytest.raises(InputError, match="no plugin for gone is installed"):
        built(GIVEN, carrier="gone")
