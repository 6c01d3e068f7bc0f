"""Weights, lengths and money are exact; conversion rounds once, at the boundary."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import InputError
from shipkit.model import Dimensions, Length, LengthUnit, Money, Rounding, Volume, VolumeUnit, Weight, WeightUnit

UNITS = st.sampled_from(list(WeightUnit))
NUMBERS = st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False, allow_infinity=False)
CM = LengthUnit.CM


def test_every_whole_ounce_keeps_its_price_tier_through_pounds_and_back() -> None:
    for ounces in range(1, 1121):
        weight = Weight(ounces, WeightUnit.OZ)
        pounds = weight.to(WeightUnit.LB, ROUND_CEILING, "0.0001")
        assert weight.to(WeightUnit.OZ, ROUND_CEILING, "1") == ounces
        assert pounds == Decimal(ounces) / 16
        assert Weight(pounds, WeightUnit.LB).to(WeightUnit.OZ, ROUND_CEILING, "1") == ounces


def test_every_quarter_inch_stays_on_its_side_of_a_whole_inch() -> None:
    for quarters in range(1, 433):
        length = Length(Decimal(quarters) / 4, LengthUnit.IN)
        assert length.to(LengthUnit.IN, ROUND_CEILING, "1") == -(-quarters // 4)
        assert length.to(LengthUnit.MM, ROUND_HALF_EVEN, "0.0001") == Decimal(quarters) * Decimal("6.35")


@given(NUMBERS, UNITS, UNITS, st.sampled_from(["1", "0.1", "0.001", "0.5", "0.000001", "5"]))
def test_rounding_is_the_one_that_exact_arithmetic_gives(
    number: Decimal, source: WeightUnit, target: WeightUnit, step: str
) -> None:
    weight = Weight(number, source)
    exact = weight.grams / Weight(1, target).grams
    up, down = (weight.to(target, rounding, step) for rounding in (ROUND_UP, ROUND_DOWN))
    assert Fraction(down) <= exact <= Fraction(up)
    assert up - down in (0, Decimal(step))
    assert (up == down) == ((exact / Fraction(step)).denominator == 1)
    half_up, half_even = (Fraction(weight.to(target, rounding, step)) for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN))
    assert abs(half_up - exact) * 2 <= Fraction(step)
    assert half_even == Fraction(step) * round(exact / Fraction(step))
    assert half_up >= half_even


@given(NUMBERS, UNITS)
def test_a_weight_in_its_own_unit_is_itself(number: Decimal, unit: WeightUnit) -> None:
    assert Weight(number, unit).to(unit, ROUND_UP, "0.000001") == number


def test_known_weights_convert_to_the_digit() -> None:
    assert Weight(1, WeightUnit.LB).to(WeightUnit.G, ROUND_HALF_EVEN, "0.00001") == Decimal("453.59237")
    assert Weight("31.5", WeightUnit.KG).to(WeightUnit.LB, ROUND_HALF_EVEN, "0.00001") == Decimal("69.44561")
    assert Weight(16, WeightUnit.OZ).to(WeightUnit.KG, ROUND_CEILING, "0.000001") == Decimal("0.453593")
    assert str(Weight("0.1", WeightUnit.KG).to(WeightUnit.KG, ROUND_CEILING, "0.001")) == "0.100"
    assert Volume(1, VolumeUnit.GAL).to(VolumeUnit.L, ROUND_HALF_EVEN, "0.000000001") == Decimal("3.785411784")


def test_the_rounding_words_of_the_facts_are_understood() -> None:
    weight = Weight("1.5", WeightUnit.KG)
    found = [weight.to(WeightUnit.KG, rounding, "1") for rounding in Rounding]
    assert dict(zip(Rounding, found, strict=True)) == {
        Rounding.UP: 2, Rounding.HALF_UP: 2, Rounding.HALF_EVEN: 2, Rounding.DOWN: 1,
    }  # fmt: skip
    assert Weight("2.5", WeightUnit.KG).to(WeightUnit.KG, Rounding.HALF_EVEN, "1") == 2
    for wrong in ("sideways", "ROUND_05UP"):
        for step in ("1", "0.1"):
            with pytest.raises(ValueError, match="rounding"):
                weight.to(WeightUnit.KG, wrong, step)


def test_a_step_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="quantum"):
        Weight(1, WeightUnit.KG).to(WeightUnit.KG, ROUND_UP, "0")


def test_measures_print_with_their_unit_and_without_exponents() -> None:
    assert (
        f"{Weight('31.50', WeightUnit.KG)}, {Length(Decimal('1E+2'), CM)}, {Money('12.00', 'EUR')}"
        == "31.50 kg, 100 cm, 12.00 EUR"
    )


@given(st.permutations([30, 20, 10]))
def test_dimensions_put_the_longest_side_first(sides: list[int]) -> None:
    length, width, height = (Length(side, CM) for side in sides)
    assert str(Dimensions(length=length, width=width, height=height)) == "30 cm x 20 cm x 10 cm"


def test_dimensions_compare_sides_in_different_units_by_size() -> None:
    box = Dimensions(length=Length(10, CM), width=Length(10, LengthUnit.IN), height=Length(99, LengthUnit.MM))
    assert [side.unit for side in (box.length, box.width, box.height) if side] == [LengthUnit.IN, CM, LengthUnit.MM]


def test_a_pinned_box_keeps_its_orientation() -> None:
    box = Dimensions(length=Length(1, CM), width=Length(2, CM), height=Length(3, CM), pinned=True)
    assert str(box) == "1 cm x 2 cm x 3 cm"


def test_a_tube_has_a_length_and_a_diameter() -> None:
    assert str(Dimensions(length=Length(50, CM), diameter=Length(8, CM))) == "50 cm x 8 cm"


@given(st.lists(st.decimals(places=6, min_value=-(10**9), max_value=10**9, allow_nan=False), min_size=1, max_size=20))
def test_sums_of_money_are_exact(amounts: list[Decimal]) -> None:
    total = Money(0, "EUR")
    for amount in amounts:
        total += Money(amount, "EUR")
    assert Fraction(total.amount) == sum(map(Fraction, amounts))
    assert (total - total).amount == 0
    assert (-total + total).amount == 0


def test_money_of_two_currencies_is_never_added() -> None:
    with pytest.raises(InputError) as caught:
        Money(1, "EUR") + Money(1, "USD")
    assert [str(problem.code) for problem in caught.value.problems] == ["inconsistent"]


def test_the_scale_of_an_amount_is_kept() -> None:
    assert str(Money("1.50", "EUR").amount) == "1.50"
