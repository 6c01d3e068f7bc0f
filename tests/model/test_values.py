"""What constructors take, refuse and keep."""

from __future__ import annotations

import copy
import hashlib
import pickle
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import InputError
from shipkit.model import (
    Address,
    Charge,
    ChargeType,
    Contact,
    DangerousGood,
    Document,
    FrozenMap,
    GeoPoint,
    Money,
    Option,
    OptionCode,
    Package,
    Party,
    PickupWindow,
    Problem,
    ProblemCode,
    RateQuote,
    Reason,
    ServicePointQuery,
    ShipmentRequest,
    SignatureLevel,
    TrackingNumber,
    TransitEstimate,
    Value,
    Weight,
    WeightUnit,
    evolve,
)
from shipkit.model._build import build
from shipkit.model._fit import PLANS
from shipkit.model.base import plan_of
from tests.model.making import CLASSES, values

ONE_KG = Weight(1, WeightUnit.KG)


def problems(build: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        build()
    return {problem.path: str(problem.code) for problem in caught.value.problems}


@given(st.sampled_from(CLASSES).flatmap(lambda cls: values(cls, 2)))
def test_every_value_is_frozen_hashable_picklable_and_its_own_copy(value: Any) -> None:
    field = attrs.fields(type(value))[1].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, field, None)
    assert attrs.evolve(value) == value
    if not _holds_errors(value):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert hash(again) == hash(value)
        assert copy.deepcopy(value) == value


def _holds_errors(value: Any) -> bool:
    """Exceptions compare by identity, so a value that holds one equals no copy of itself."""
    return any(
        field.name in ("error", "errors", "refused") and getattr(value, field.name)
        for field in attrs.fields(type(value))
    )


@given(st.sampled_from(CLASSES).flatmap(lambda cls: st.tuples(values(cls, 2), values(cls, 2))), st.data())
def test_a_changed_copy_is_the_one_that_the_constructor_would_build(pair: tuple[Any, Any], data: st.DataObject) -> None:
    value, other = pair
    name = data.draw(st.sampled_from([field.name for field in attrs.fields(type(value))]))
    change = {name: getattr(other, name)}
    assert evolve(value) == value
    try:
        changed = attrs.evolve(value, **change)
    except InputError as refusal:  # an option's value belongs to its code
        assert problems(lambda: evolve(value, **change)) == {p.path: str(p.code) for p in refusal.problems}
    else:
        assert evolve(value, **change) == changed


def test_a_changed_copy_checks_and_converts_what_was_changed() -> None:
    package = Package(ref="1", weight=ONE_KG)
    assert evolve(package, label_text=["a"]).label_text == ("a",)  # type: ignore[arg-type]
    assert problems(lambda: evolve(package, weight="1 kg")) == {"/weight": "malformed"}
    assert problems(lambda: evolve(ONE_KG, value=Decimal(-1))) == {"/value": "out_of_range"}
    with pytest.raises(TypeError, match="colour"):
        evolve(package, colour="red")
    assert package == Package(ref="1", weight=ONE_KG)


@pytest.fixture(scope="module")
def built() -> list[type[Value]]:
    """Every class with the constructor that is written for what is used much."""
    for cls in CLASSES:
        if "_by_attrs" not in cls.__init__.__globals__:  # type: ignore[misc]
            build(cls, PLANS.get(cls) or plan_of(cls))
        assert "_by_attrs" in cls.__init__.__globals__, cls  # type: ignore[misc]
    return CLASSES


@given(st.data())
def test_the_constructor_that_is_written_for_a_class_builds_and_refuses_like_the_one_of_attrs(
    built: list[type[Value]], data: st.DataObject
) -> None:
    cls = data.draw(st.sampled_from(built))
    value, wrong = (
        data.draw(values(cls, 2)),
        data.draw(st.sampled_from([1.5, None, ["a", 1], datetime(2026, 1, 1), ONE_KG])),
    )
    given = {field.name: getattr(value, field.name) for field in attrs.fields(cls)}
    changed = given | {data.draw(st.sampled_from(sorted(given))): wrong}
    slow = cls.__init__.__globals__["_by_attrs"]  # type: ignore[misc]
    for arguments in (given, changed):
        results: list[Any] = []
        for init in (cls.__init__, slow):
            made = object.__new__(cls)
            try:
                init(made, **arguments)
            except InputError as error:
                results.append(error.problems)
            else:
                assert type(made) is cls
                results.append(tuple(getattr(made, field.name) for field in attrs.fields(cls)))
        assert results[0] == results[1]
        assert repr(results[0]) == repr(results[1])


def test_a_class_made_from_a_value_keeps_its_own_fields_and_checks() -> None:
    class Undecorated(Money):
        pass

    @attrs.frozen(kw_only=True)
    class Wider(Charge):
        mine: str = "x"

    money = Undecorated("1.50", "EUR")
    for _ in range(40):
        assert Undecorated("1.50", "EUR") == money
        assert type(money) is Undecorated
        assert money.amount == Decimal("1.50")
        wider = Wider(type=ChargeType.FUEL, amount=money, mine="y")
        assert (type(wider), wider.mine, wider.amount) == (Wider, "y", money)
        assert problems(lambda: Wider(type=ChargeType.FUEL, amount=money, mine=1)) == {"/mine": "malformed"}  # type: ignore[arg-type]
        assert problems(lambda: Undecorated(1.5, "EUR")) == {"/amount": "float_refused"}  # type: ignore[arg-type]


def test_values_have_no_dict_and_take_no_unknown_field() -> None:
    for cls in CLASSES:
        assert not hasattr(object.__new__(cls), "__dict__"), cls
    with pytest.raises(TypeError):
        Package(ref="1", weight=ONE_KG, wieght=2)  # type: ignore[call-arg]


def test_lists_and_other_iterables_become_tuples_and_text_does_not() -> None:
    package = Package(ref="1", weight=ONE_KG, label_text=["a", "b"])  # type: ignore[arg-type]
    assert package.label_text == ("a", "b")
    assert Package(ref="1", weight=ONE_KG, label_text=(x for x in "ab")).label_text == ("a", "b")  # type: ignore[arg-type]
    assert problems(lambda: Package(ref="1", weight=ONE_KG, label_text="ab")) == {"/label_text": "malformed"}
    assert problems(lambda: Address(lines="Main Street 1", country="US")) == {"/lines": "malformed"}


def test_sets_and_maps_are_frozen_all_the_way_down() -> None:
    package = Package(ref="1", weight=ONE_KG, handling=["fragile"])  # type: ignore[arg-type]
    assert isinstance(package.handling, frozenset)
    request = ShipmentRequest(
        ship_from=Party(),
        ship_to=Party(),
        packages=(package,),
        reference="1",
        carrier_options={"acme": {"a": [1, {"b": 2}]}},
    )
    assert isinstance(request.carrier_options, FrozenMap)
    assert request.carrier_options == {"acme": {"a": (1, {"b": 2})}}
    assert hash(request)
    with pytest.raises(TypeError):
        request.carrier_options["acme"]["a"] = 1  # type: ignore[index]


@pytest.mark.parametrize(
    "change", [lambda m: m.update(a=1), lambda m: m.pop("a"), lambda m: m.clear(), lambda m: m.__ior__({})]
)
def test_a_frozen_map_does_not_change(change: Any) -> None:
    frozen = FrozenMap({"a": 1})
    with pytest.raises(TypeError):
        change(frozen)
    assert frozen == {"a": 1}


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (lambda: Weight(1.5, "kg"), {"/value": "float_refused"}),
        (lambda: Money(1.5, "EUR"), {"/amount": "float_refused"}),
        (lambda: Weight("a lot", WeightUnit.KG), {"/value": "malformed"}),
        (lambda: Weight("NaN", WeightUnit.KG), {"/value": "malformed"}),
        (lambda: Weight(Decimal("Infinity"), WeightUnit.KG), {"/value": "malformed"}),
        (lambda: Weight("1e999999", WeightUnit.KG), {"/value": "malformed"}),
        (lambda: Money(Decimal("1e5000"), "EUR"), {"/amount": "malformed"}),
        (lambda: Weight("１", WeightUnit.KG), {"/value": "malformed"}),
        (lambda: Weight(True, WeightUnit.KG), {"/value": "malformed"}),
        (lambda: Weight("-0.001", WeightUnit.KG), {"/value": "out_of_range"}),
        (lambda: Weight(1, "stone"), {"/unit": "unknown_value"}),
        (lambda: Weight(1, None), {"/unit": "missing"}),
        (lambda: Money(1, 978), {"/currency": "malformed"}),
        (lambda: Package(ref=7, weight=2), {"/ref": "malformed", "/weight": "malformed"}),
        (lambda: Package(ref="1", weight=ONE_KG, references=("x",)), {"/references/0": "malformed"}),
        (lambda: Package(ref="1", weight=ONE_KG, handling={1}), {"/handling/0": "malformed"}),
        (lambda: ServicePointQuery(country="FR", max_results=True), {"/max_results": "malformed"}),
        (lambda: ServicePointQuery(country="FR", ready_on=datetime(2026, 1, 1)), {"/ready_on": "malformed"}),
        (lambda: TransitEstimate(computed_at=datetime(2026, 1, 1)), {"/computed_at": "malformed"}),
        (lambda: TransitEstimate(computed_at=date(2026, 1, 1)), {"/computed_at": "malformed"}),
        (lambda: Contact(extras={"a": 1.5}), {"/extras/a": "float_refused"}),
        (lambda: Contact(extras=[1]), {"/extras": "malformed"}),
        (lambda: PickupWindow(day=date(2026, 1, 1), ready="9", close=time(17)), {"/ready": "malformed"}),
    ],
)
def test_what_is_not_exact_or_not_of_the_type_is_refused_by_field(build: Any, found: dict[str, str]) -> None:
    assert problems(build) == found


def test_an_error_of_a_constructor_never_quotes_the_value() -> None:
    with pytest.raises(InputError) as caught:
        Contact(name=["Jane", "Doe"], phone=12345678)  # type: ignore[arg-type]
    assert "Jane" not in str(caught.value)
    assert "12345678" not in str(caught.value)


def test_a_weight_without_a_unit_cannot_be_built() -> None:
    with pytest.raises(TypeError):
        Weight(1)  # type: ignore[call-arg]


def test_constructors_take_what_carriers_send_and_requests_may_not_hold() -> None:
    assert len(Address(lines=("1", "2", "3", "4", "5", "x" * 200), country="Frankreich").lines) == 6
    assert Weight(0, WeightUnit.KG).value == 0
    assert RateQuote(service="", total=Money("-1", "eur")).total.amount == -1


def test_the_checks_that_succeeded_once_still_look_at_the_next_value() -> None:
    for _ in range(3):
        assert Package(ref="1", weight=ONE_KG).weight is ONE_KG
        assert problems(lambda: Package(ref="1", weight=Money(1, "EUR"))) == {"/weight": "malformed"}
        assert problems(lambda: TransitEstimate(computed_at=datetime(2026, 1, 1))) == {"/computed_at": "malformed"}
        assert problems(lambda: Package(ref="1", weight=ONE_KG, label_text=("a", 1))) == {"/label_text/1": "malformed"}


def test_moments_are_kept_in_utc() -> None:
    paris = timezone(timedelta(hours=1))
    for _ in range(2):
        estimate = TransitEstimate(computed_at=datetime(2026, 1, 1, 1, tzinfo=paris))
        assert estimate.computed_at.tzinfo is timezone.utc
        assert estimate.computed_at.hour == 0


def test_text_that_is_an_enum_value_becomes_the_member() -> None:
    assert Weight(1, "kg").unit is WeightUnit.KG  # type: ignore[arg-type]
    assert Problem(path="", code="too_heavy", text="").code is ProblemCode.TOO_HEAVY
    assert Charge(type="fuel", amount=Money(1, "EUR")).type is ChargeType.FUEL  # type: ignore[arg-type]


def test_an_open_enum_keeps_a_value_it_does_not_know() -> None:
    strange = Reason("abducted_by_aliens")
    assert not strange.known
    assert Reason.DELIVERED.known
    assert strange == "abducted_by_aliens" == str(strange) == f"{strange}" == strange.value
    assert strange == Reason("abducted_by_aliens") != Reason("other")
    assert len({strange, Reason("abducted_by_aliens")}) == 1
    assert pickle.loads(pickle.dumps(strange)) == strange
    assert copy.deepcopy(strange) == strange
    assert strange not in list(Reason)
    assert repr(strange) == "Reason('abducted_by_aliens')"
    assert repr(Reason.DELIVERED) == "Reason.DELIVERED"


def test_a_closed_enum_refuses_a_value_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="stone"):
        WeightUnit("stone")


def test_an_enum_prints_and_hashes_as_its_json_value() -> None:
    assert f"{WeightUnit.KG} {WeightUnit.KG!s} {WeightUnit.KG:>3}" == "kg kg  kg"
    assert {WeightUnit.KG: 1}["kg"] == 1  # type: ignore[index]


def test_the_value_of_an_option_has_the_type_of_its_code() -> None:
    assert Option(code=OptionCode.SIGNATURE, value="adult").value is SignatureLevel.ADULT
    assert Option(code=OptionCode.SAFE_PLACE, value="adult").value == "adult"
    assert type(Option(code=OptionCode.SAFE_PLACE, value="adult").value) is str
    assert problems(lambda: Option(code=OptionCode.SIGNATURE, value=Money(1, "EUR"))) == {"/value": "malformed"}
    assert problems(lambda: Option(code=OptionCode.SATURDAY_DELIVERY, value="yes")) == {"/value": "malformed"}
    assert problems(lambda: Option(code=OptionCode.INSURANCE, value="100")) == {"/value": "malformed"}


def test_a_tracking_number_is_canonical_and_remembers_how_it_was_given() -> None:
    number = TrackingNumber(value=" 1z 999-aa1 ", carrier="acme")
    assert (number.value, number.raw) == ("1Z999AA1", " 1z 999-aa1 ")
    assert TrackingNumber(value="0012", carrier="acme").value == "0012"
    assert TrackingNumber(value="0012", carrier="acme").raw is None


def test_a_field_of_another_room_takes_only_its_own_type() -> None:
    address = Address(lines=("1",), country="FR")
    assert problems(lambda: ServicePointQuery(country="FR", near=Contact())) == {"/near": "malformed"}
    assert ServicePointQuery(country="FR", near=address).near is address
    assert ServicePointQuery(country="FR", near=GeoPoint(latitude=1, longitude=2)).near is not None


def test_a_dangerous_good_may_be_weighed_or_measured() -> None:
    rest = {
        "un_number": "UN1993",
        "proper_shipping_name": "x",
        "hazard_class": "3",
        "quantity": 1,
        "regulation": "ADR",
        "level": "full",
    }
    assert DangerousGood(net=ONE_KG, **rest).net is ONE_KG  # type: ignore[arg-type]
    assert problems(lambda: DangerousGood(net=Money(1, "EUR"), **rest)) == {"/net": "malformed"}  # type: ignore[arg-type]


def test_documents_know_the_hash_of_their_bytes() -> None:
    document = Document(kind="label", format="pdf", content=b"%PDF-1.4")  # type: ignore[arg-type]
    assert document.sha256 == hashlib.sha256(b"%PDF-1.4").hexdigest()
    assert Document(kind="label", format="pdf", url="https://x").sha256 is None  # type: ignore[arg-type]
