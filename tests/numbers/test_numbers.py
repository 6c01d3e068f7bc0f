"""Tracking numbers: every example of the table is found, every counterexample is not, and digits alone prove little."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.model import NumberScheme, TrackingNumber, canonical_number
from shipkit.numbers import Rule, Strength, candidates, gs1_valid, recognised, rules
from shipkit.numbers.checks import CHECKS
from tests.model.tables import table

DIGITS = "0123456789"


def names(number: str, carrier: str | None = None) -> set[tuple[str, str]]:
    return {(one.courier, one.rule) for one in candidates(number, carrier=carrier)}


def test_the_rules_are_those_of_the_table(shared: Path) -> None:
    wanted = {
        (row["courier"], row["rule"]): (
            row["regex"], row["checksum"], row["strength"], row["weights"],
            row["count_from"] == "right" and bool(row["weights"]), row["prefix"],
        )
        for row in table(shared, "tracking_number_rules")
    }  # fmt: skip
    found = {
        (rule.courier, rule.rule): (
            rule.pattern, rule.check, rule.strength.value, " ".join(map(str, rule.weights)),
            rule.from_right and bool(rule.weights), rule.prefix,
        )
        for rule in rules()
    }  # fmt: skip
    assert found == wanted


def test_every_example_is_a_candidate_of_its_rule(shared: Path) -> None:
    for row in table(shared, "tracking_number_rules"):
        assert (row["courier"], row["rule"]) in names(row["example"], row["courier"]), row


def test_every_counterexample_is_refused_by_its_rule(shared: Path) -> None:
    tried = 0
    for row in table(shared, "tracking_number_rules"):
        if row["counterexample"]:
            tried += 1
            assert (row["courier"], row["rule"]) not in names(row["counterexample"], row["courier"]), row
    assert tried > 20


def test_a_check_digit_catches_at_least_the_share_of_wrong_digits_that_was_measured(shared: Path) -> None:
    for row in table(shared, "tracking_number_rules"):
        if not row["one_digit_errors_caught"]:
            continue
        rule = next(rule for rule in rules() if (rule.courier, rule.rule) == (row["courier"], row["rule"]))
        summed = re.fullmatch(rule.pattern, row["example"], re.ASCII)
        assert summed is not None
        places = [place for group in ("serial", "check") for place in range(*summed.span(group))]
        changed = [
            row["example"][:place] + digit + row["example"][place + 1 :]
            for place in places
            for digit in DIGITS
            if row["example"][place] in DIGITS and digit != row["example"][place]
        ]
        caught = sum(rule.match(number) is None for number in changed)
        assert caught / len(changed) > float(row["one_digit_errors_caught"]) - 0.12, row


def test_random_digits_pass_no_more_often_than_was_measured(shared: Path) -> None:
    draw = random.Random(20261124)
    for row in table(shared, "tracking_number_false_positives"):
        length, share = int(row["random_digits_length"]), float(row["share_matched_by_a_rule_with_check_digit"])
        numbers = ["".join(draw.choices(DIGITS, k=length)) for _ in range(1500)]
        hits = sum(bool(candidates(number)) for number in numbers) / len(numbers)
        assert hits <= share + 0.04, (length, hits)
        found = Counter(f"{one.courier}/{one.rule}" for number in numbers for one in candidates(number))
        assert {name for name, count in found.items() if count > 15} <= set(row["rules_hit"].split())


def test_digits_alone_are_never_strong() -> None:
    draw = random.Random(1)
    for length in range(8, 35):
        for _ in range(40):
            for one in candidates("".join(draw.choices(DIGITS, k=length))):
                assert one.strength is Strength.PROBABLE


def test_a_rule_without_a_check_digit_needs_the_courier_to_be_known(shared: Path) -> None:
    for row in table(shared, "tracking_number_rules"):
        if row["strength"] == "with_carrier":
            key = (row["courier"], row["rule"])
            assert key not in names(row["example"])
            assert key not in names(row["example"], "somebody_else")
            assert key in names(row["example"], row["courier"])


def test_the_courier_that_is_known_comes_first() -> None:
    number = next(f"00123456789012345{digit}" for digit in DIGITS if gs1_valid(f"00123456789012345{digit}"))
    for courier in ("fedex", "gs1"):
        found = candidates(number, carrier=courier)
        assert {one.courier for one in found} == {"fedex", "gs1"}
        assert found[0].courier == courier


def test_a_number_may_be_given_in_any_spelling() -> None:
    for spelling in ("1ZFA8K790318255682", "1z fa8k79 03 1825 5682", "1Z-FA8K-7903-1825-5682", " 1ZFA8K790318255682\n"):
        (found,) = candidates(spelling)
        assert (found.number, found.scheme, found.strength) == (
            "1ZFA8K790318255682",
            NumberScheme.UPS_1Z,
            Strength.STRONG,
        )
        assert found.parts["service"] == "03"


def test_a_check_character_that_is_only_printed_is_not_part_of_the_number() -> None:
    by_rule = {one.rule: one.number for one in candidates("91437292275311D", carrier="dpd")}
    assert by_rule["number_14"] == "91437292275311"


def test_an_s10_number_of_a_country_that_does_not_exist_is_none() -> None:
    assert names("RR972281866GB") == {("upu", "s10")}
    assert names("RR972281866QQ") == set()


@pytest.mark.parametrize(
    "text", ["", " ", "-", "x", "1Z", "١٢٣٤٥٦٧٨٩٠", "１２３４５６７８９０", "1" * 10_000, "\x00", "LX" + "A" * 39]
)
def test_what_is_no_number_has_no_candidates(text: str) -> None:
    assert candidates(text) == ()


@given(st.text(max_size=40))
def test_any_text_has_candidates_or_none_and_its_canonical_form_has_the_same(text: str) -> None:
    assert candidates(text) == candidates(canonical_number(text))
    assert canonical_number(canonical_number(text)) == canonical_number(text)


@given(st.text(DIGITS, min_size=7, max_size=17))
def test_gs1_check_digits_hold_for_one_digit_only(body: str) -> None:
    valid = [digit for digit in DIGITS if gs1_valid(body + digit)]
    assert len(valid) == (1 if len(body) + 1 in (8, 12, 13, 14, 18) else 0)


def test_known_gs1_numbers_are_valid() -> None:
    assert gs1_valid("4006381333931")
    assert gs1_valid("513266095345316182")
    assert not gs1_valid("4006381333932")
    assert not gs1_valid("400638133393x")
    assert not gs1_valid("٤٠٠٦٣٨١٣٣٣٩٣١")


@pytest.mark.parametrize(
    ("value", "scheme", "valid"),
    [
        ("RR972281866GB", NumberScheme.S10, True),
        ("RR922281866GB", NumberScheme.S10, False),
        ("1ZFA8K790318255682", NumberScheme.UPS_1Z, True),
        ("1ZFA8K790318255680", NumberScheme.UPS_1Z, False),
        ("00513266095345316182", NumberScheme.SSCC, True),
        ("513266095345316182", NumberScheme.UNKNOWN, None),
        ("ABC", NumberScheme.UNKNOWN, None),
    ],
)
def test_a_number_knows_its_scheme_where_letters_or_a_prefix_show_it(
    value: str, scheme: NumberScheme, valid: bool | None
) -> None:
    number = recognised(TrackingNumber(value=value, carrier="acme"))
    assert (number.scheme, number.valid_check, number.carrier) == (scheme, valid, "acme")


def test_a_plugin_brings_rules_of_its_own() -> None:
    rule = Rule(
        courier="acme", rule="a8", pattern="ACME(?P<serial>[0-9]{3})(?P<check>[0-9])", check="luhn", strength="strong"
    )  # type: ignore[arg-type]
    assert [one.courier for one in candidates("ACME1230", more=(rule,))] == ["acme"]
    assert candidates("ACME1231", more=(rule,)) == ()


def test_every_check_that_a_rule_names_exists() -> None:
    assert {rule.check for rule in rules()} <= set(CHECKS)


@pytest.mark.process
def test_the_data_file_is_read_on_first_use_only() -> None:
    program = (
        "import sys, shipkit.numbers; before = 'json' in sys.modules; shipkit.numbers.candidates('x'); print(before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.strip().lower()) is False
