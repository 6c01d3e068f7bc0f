"""What a repr shows: enough to debug, never a person, a door code or a secret."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from shipkit.model import (
    AccessInfo,
    Address,
    Contact,
    Document,
    FrozenMap,
    GeoPoint,
    Package,
    Party,
    Reference,
    ShipmentRequest,
    SubscriptionRequest,
    TaxId,
    Weight,
    _show,
)
from shipkit.model._fit import shape_of
from shipkit.model.marks import PERSONAL
from tests.model.making import CLASSES, values

CANARY = "Q7canary"
JANE = Party(
    address=Address(
        lines=("12 Rue de Rivoli", "Etage 3"), city="Paris", country="FR", postal_code="75001", house_number="12",
        geo=GeoPoint(latitude="48.856614", longitude="2.3522219", accuracy_m=4),
        access=AccessInfo(door_codes=("4711A",), intercom="DOE"),
    ),
    contact=Contact(name="Jane Doe", company="Acme SARL", phone="+33 1 23 45 67 89", email="jane.doe@example.com"),
    tax_ids=(TaxId(type="ssn", value="123456789"),),  # type: ignore[arg-type]
)  # fmt: skip


def test_the_repr_of_a_party_shows_no_person_and_no_door() -> None:
    shown = repr(JANE)
    for secret in (
        "Jane",
        "Doe",
        "DOE",
        "Rivoli",
        "Etage",
        "75001",
        "4711",
        "23 45",
        "jane.doe",
        "1234567",
        "48.85",
        "2.35",
    ):
        assert secret not in shown, secret
    for kept in ("Paris", "FR", "Acme SARL", "J.D.", "@example.com", "48.9", "2.4"):
        assert kept in shown, kept


def test_text_hardly_longer_than_what_would_be_kept_is_hidden_whole() -> None:
    assert "99" not in repr(Contact(phone="99"))
    assert "AB" not in repr(Address(lines=("AB",), country="FR"))


def _filled(cls: Any, depth: int) -> Any:
    """A value with the canary in every field marked as masked by default that holds text."""
    given = {}
    for field in attrs.fields(cls):
        mark = field.metadata.get(PERSONAL)
        if mark is None or not mark.by_default:
            continue
        shape = shape_of(field.type)
        text = f"{CANARY} {CANARY} x@{CANARY}"
        if shape.kind == "name" and shape.name in ("str", "Url"):
            given[field.name] = text if mark.mask != "mail" else f"{CANARY}@example.com"
        elif shape.kind == "tuple" and shape.args[0].name == "str":
            given[field.name] = (text,)
        elif shape.kind == "map":
            given[field.name] = {CANARY: CANARY}
        elif shape.name == "bytes":
            given[field.name] = CANARY.encode()
    return given


@given(st.data())
def test_no_field_that_is_masked_by_default_shows_in_any_repr(data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from([cls for cls in CLASSES if _filled(cls, 0)]))
    value = attrs.evolve(data.draw(values(cls, 2)), **_filled(cls, 0))
    assert CANARY not in repr(value)
    assert CANARY not in str(FrozenMap({"x": value}))
    assert CANARY not in repr((value,))


@given(st.sampled_from(CLASSES).flatmap(lambda cls: values(cls, 2)))
def test_unknown_members_and_a_carriers_own_options_never_show(value: Any) -> None:
    shown = repr(attrs.evolve(value, extras={"x_canary": CANARY}))
    assert CANARY not in shown
    assert shown.startswith(type(value).__name__)


def test_fields_at_their_default_are_left_out_of_a_repr() -> None:
    assert (
        repr(Package(ref="1", weight=Weight(1, "kg")))
        == "Package(ref='1', weight=Weight(value=Decimal('1'), unit=WeightUnit.KG))"
    )  # type: ignore[arg-type]


def test_a_document_shows_how_long_it_is_and_not_what_it_holds() -> None:
    shown = repr(Document(kind="label", format="txt", content=b"Jane Doe", url="https://labels.example/secret"))  # type: ignore[arg-type]
    assert "8 bytes" in shown
    assert "Jane" not in shown
    assert "secret" not in shown


def test_a_hashed_reference_can_be_matched_and_not_read() -> None:
    one, other = (Reference(type="order", value=value) for value in ("SO-1042", "SO-1043"))  # type: ignore[arg-type]
    assert repr(one) == repr(attrs.evolve(one))
    assert repr(one) != repr(other)
    assert "1042" not in repr(one)


def test_the_secret_of_a_subscription_and_its_path_do_not_show() -> None:
    shown = repr(SubscriptionRequest(numbers=(), callback_url="https://host/hook/8d1c", secret="hunter2"))
    assert "8d1c" not in shown
    assert "hunter2" not in shown


def test_metadata_and_carrier_options_of_a_request_do_not_show() -> None:
    request = ShipmentRequest(
        ship_from=JANE, ship_to=JANE, packages=(), reference="SO-1042",
        carrier_options={"acme": {"pin": "Q7"}}, metadata={"note": "for Jane"},
    )  # fmt: skip
    for secret in ("SO-1042", "Q7", "Jane"):
        assert secret not in repr(request)


def test_every_mask_of_a_mark_exists() -> None:
    rules = {
        field.metadata[PERSONAL].mask for cls in CLASSES for field in attrs.fields(cls) if PERSONAL in field.metadata
    }
    for rule in rules:
        assert (_show.mask(rule) is None) == (rule == "keep")
