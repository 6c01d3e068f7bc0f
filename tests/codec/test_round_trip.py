"""What is written is read back whole, unknown members included, at every level."""

from __future__ import annotations

import json
from datetime import timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import errors
from shipkit.codec import Profile, dumps, from_dict, from_json, join, schema_name, split, to_dict, to_json
from shipkit.codec.failures import read_error
from shipkit.errors import InputError
from shipkit.model import (
    Address,
    CarrierFacts,
    Contact,
    Document,
    EventTime,
    Money,
    Operation,
    Outcome,
    Package,
    Party,
    Problem,
    RateAnswer,
    Shipment,
    ShipmentRequest,
    Timeline,
    TransitEstimate,
    Value,
    Weight,
    WeightUnit,
)
from tests.model.making import CLASSES, ROOTS, values

ANY = st.sampled_from([cls for cls in CLASSES if cls is not Outcome]).flatmap(values)
ROOT = st.sampled_from(ROOTS).flatmap(values)


def same(one: Any, other: Any) -> bool:
    """Equality, with errors compared by what they say."""
    return one == other or dumps(to_dict(one)) == dumps(to_dict(other))


@given(ANY)
def test_a_value_comes_back_from_json_as_it_was(value: Value) -> None:
    again = from_json(to_json(value), type(value))
    assert type(again) is type(value)
    assert same(again, value)
    assert to_json(again) == to_json(value)


@given(ROOT)
def test_a_value_comes_back_from_plain_data_as_it_was(value: Value) -> None:
    assert same(from_dict(to_dict(value), type(value)), value)


@given(ROOT)
def test_what_is_written_is_json_to_every_other_reader(value: Value) -> None:
    data = json.loads(to_json(value))
    assert data["schema"] == schema_name(type(value))
    assert data["v"] == 1


@given(ROOT)
def test_the_bytes_of_documents_stand_beside_the_json_and_come_back(value: Value) -> None:
    text, blobs = split(value)
    assert same(join(text, blobs, type(value)), value)
    assert all(type(blob) is bytes for blob in blobs)


def test_a_split_label_is_not_in_the_json_in_any_form() -> None:
    label = Document(kind="label", format="gif", content=b"GIF89a" + bytes(300))  # type: ignore[arg-type]
    shipment = from_dict(
        {
            "shipment_id": "1", "reference": "1", "state": "confirmed", "service": "x", "packages": [],
            "tracking_numbers": [], "created_at": "2026-01-01T00:00:00Z",
        },
        Shipment,
    )  # fmt: skip
    shipment = attrs.evolve(shipment, documents=(label, attrs.evolve(label, content=b"GIF87a")))
    text, blobs = split(shipment)
    assert blobs == (label.content, b"GIF87a")
    assert len(text) < 500
    assert join(text, blobs, Shipment) == shipment


@pytest.mark.parametrize("blobs", [(), (b"1",), (b"1", b"2", b"3")])
def test_bytes_that_do_not_belong_to_the_text_are_refused(blobs: tuple[bytes, ...]) -> None:
    text = b'{"kind":"label","format":"gif","$blobs":[["content"],["x","y"]]}'
    with pytest.raises(InputError):
        join(text, blobs, Document)


def test_fields_at_their_default_are_not_written() -> None:
    assert to_dict(Package(ref="1", weight=Weight(1, WeightUnit.KG))) == {
        "ref": "1",
        "weight": {"value": "1", "unit": "kg"},
    }


def test_only_root_documents_are_stamped() -> None:
    package = Package(ref="1", weight=Weight(1, WeightUnit.KG))
    request = ShipmentRequest(ship_from=Party(), ship_to=Party(), packages=(package,), reference="1")
    data = to_dict(request)
    assert (data["schema"], data["v"]) == ("shipkit/shipment-request", 1)
    assert "schema" not in data["packages"][0]
    assert "schema" not in to_dict(package)


def test_numbers_of_ours_are_text_and_numbers_in_free_json_stay_numbers_digit_for_digit() -> None:
    request = ShipmentRequest(
        ship_from=Party(), ship_to=Party(), packages=(), reference="1",
        carrier_options={"acme": {"a": Decimal("1.10"), "b": 7, "c": [Decimal("0.000000000000000000001")]}},
        extras={"x": Decimal("100000000000000000000.5")},
    )  # fmt: skip
    text = to_json(request)
    assert b'"a":1.10,"b":7' in text
    assert b'"x":100000000000000000000.5' in text
    again = from_json(text, ShipmentRequest)
    assert again == request
    assert str(again.carrier_options["acme"]["a"]) == "1.10"
    assert b'"amount":"1.10"' in to_json(Money("1.10", "EUR"))


def test_unknown_members_are_kept_at_every_level_and_come_back_out() -> None:
    data = {
        "schema": "shipkit/shipment-request", "v": 1, "new": {"deep": [1, None, {"x": True}]},
        "ship_from": {"address": {"lines": ["1"], "country": "FR", "grid": "a.b"}, "extras": "mine", "schema": "s"},
        "ship_to": {}, "reference": "1",
        "packages": [{"ref": "1", "weight": {"value": "1", "unit": "kg", "tare": "2"}, "rfid": 5}],
    }  # fmt: skip
    request = from_dict(data, ShipmentRequest)
    assert request.packages[0].weight.extras == {"tare": "2"}
    assert request.ship_from.extras == {"extras": "mine", "schema": "s"}
    assert to_dict(request) == data
    assert json.loads(to_json(request)) == data


def test_a_known_field_wins_over_an_unknown_member_of_the_same_name() -> None:
    contact = Contact(name="Jane", extras={"name": "Eve", "phone": "1", "x": 1})
    assert to_dict(contact) == {"name": "Jane", "x": 1}


def test_an_unknown_value_of_an_open_enum_stays_raw_and_comes_back_out() -> None:
    data = {"kind": "label", "format": "pdf/a-9"}
    document = from_dict(data, Document)
    assert not document.format.known
    assert to_dict(document) == data


def test_null_is_absent() -> None:
    assert from_dict({"name": None, "company": "Acme"}, Contact) == Contact(company="Acme")


def test_sets_are_written_in_one_order() -> None:
    one = Package(ref="1", weight=Weight(1, WeightUnit.KG), handling=frozenset(("fragile", "alcohol", "perishable")))  # type: ignore[arg-type]
    assert to_dict(one)["handling"] == ["alcohol", "fragile", "perishable"]


@pytest.mark.parametrize(
    ("given_as", "written"),
    [
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("2026-01-01T10:00:00+01:00", "2026-01-01T09:00:00Z"),
        ("2026-01-01T10:00:00.500-05:30", "2026-01-01T15:30:00.500000Z"),
    ],
)
def test_moments_are_written_in_utc(given_as: str, written: str) -> None:
    estimate = from_dict({"computed_at": given_as}, TransitEstimate)
    assert estimate.computed_at.tzinfo is timezone.utc
    assert to_dict(estimate)["computed_at"] == written


@pytest.mark.parametrize("printed", ["2026-03-01", "2026-03-01T10:00:00", "2026-03-01T10:00:00.250000"])
def test_a_printed_time_is_written_as_it_was_printed(printed: str) -> None:
    data = {"local": printed, "precision": "minute"}
    assert to_dict(from_dict(data, EventTime)) == data


def test_half_of_a_surrogate_pair_survives() -> None:
    contact = Contact(name="a\ud800b", company="Ünïcödé 中文 \u2028 \x00")
    text = to_json(contact)
    text.decode("utf-8")
    assert from_json(text, Contact) == contact


def test_errors_travel_with_their_class_and_attributes() -> None:
    rejected = errors.RejectedError(
        "no", carrier="acme", carrier_code="42", carrier_message="non", http_status=422, request_id="r",
        problems=(Problem(path="/a", code="too_long", text="t"),),
    )  # fmt: skip
    answer = RateAnswer(quotes=(), errors={"a": rejected, "b": errors.NotSentError("down", retry_after_s=3)})
    again = from_json(to_json(answer), RateAnswer).errors
    assert type(again["a"]) is errors.RejectedError
    assert vars(again["a"]) == vars(rejected)
    assert str(again["a"]) == str(rejected)
    assert vars(again["b"]) == vars(answer.errors["b"])
    assert type(again["b"]) is errors.NotSentError


def test_every_error_class_travels() -> None:
    for name in errors.__all__:
        cls = getattr(errors, name)
        if isinstance(cls, type) and issubclass(cls, errors.ShipkitError):
            answer = RateAnswer(quotes=(), errors={"a": cls("text")})
            again = from_json(to_json(answer), RateAnswer).errors["a"]
            assert type(again) is cls
            assert vars(again) == vars(answer.errors["a"])


@pytest.mark.parametrize("reached", errors.ReachedCarrier)
def test_how_far_a_request_came_travels_as_its_word(reached: errors.ReachedCarrier) -> None:
    answer = RateAnswer(quotes=(), errors={"a": errors.ReplyError("text", reached_carrier=reached)})
    assert to_dict(answer)["errors"]["a"]["reached_carrier"] == reached.value
    assert from_json(to_json(answer), RateAnswer).errors["a"].reached_carrier is reached


def test_an_error_of_a_class_that_this_version_lacks_becomes_the_base() -> None:
    for data in (
        {"type": "QuantumError", "message": "m"},
        {"type": "ReachedCarrier", "message": "m"},
        {"message": "m"},
    ):
        error = read_error(data)
        assert type(error) is errors.ShipkitError
        assert error.message == "m"


def test_maps_with_enum_keys_come_back() -> None:
    shipped = {"production": ["a.example"], "test": ["b.example", "c.example"]}
    data = {
        "code": "acme", "name": "Acme", "interface": "v1", "operations": {"rates": {"support": "yes"}},
        "weight": {"unit": "kg", "decimals": 3}, "length": {"unit": "cm", "decimals": 0},
        "recovery": {}, "hosts": shipped,
    }  # fmt: skip
    facts = from_dict(data, CarrierFacts)
    assert list(facts.operations) == [Operation.RATES]
    assert to_dict(facts) == {"schema": "shipkit/carrier-facts", "v": 1, **data}


def test_timelines_hold_timelines() -> None:
    piece = {
        "scope": "s", "milestone": "in_transit", "entries": [], "events": [], "exceptions": [], "anomalies": [],
        "evidence_count": 0, "mapping_versions": [], "revision": 1,
    }  # fmt: skip
    timeline = from_dict({**piece, "pieces": [piece, piece]}, Timeline)
    assert [type(one) for one in timeline.pieces] == [Timeline, Timeline]


PERSON = Party(
    address=Address(lines=("12 Rue de Rivoli",), city="Paris", country="FR", postal_code="75001"),
    contact=Contact(name="Jane Doe", phone="+33123456789", email="jane@example.com"),
)


@pytest.mark.parametrize("profile", [Profile.MASKED, Profile.LOG])
def test_masked_output_shows_no_person(profile: Profile) -> None:
    request = ShipmentRequest(
        ship_from=PERSON, ship_to=PERSON, packages=(), reference="SO-1042", instructions="ring twice",
        metadata={"note": "Jane"}, extras={"x": "Jane"},
    )  # fmt: skip
    text = to_json(request, profile=profile).decode()
    for secret in ("Jane", "Rivoli", "75001", "jane", "234567", "SO-1042", "ring", "metadata"):
        assert secret not in text, secret
    for kept in ("Paris", "FR", "J.D.", "@example.com", "reference"):
        assert kept in text, kept


def test_logs_hide_numbers_and_a_carriers_options_and_exports_keep_them() -> None:
    shipment = from_dict(
        {
            "shipment_id": "ABCDEFGHIJ1234", "reference": "1", "state": "confirmed", "service": "x", "packages": [],
            "tracking_numbers": [{"value": "1Z9990001234", "carrier": "acme"}], "created_at": "2026-01-01T00:00:00Z",
        },
        Shipment,
    )  # fmt: skip
    assert to_dict(shipment, profile=Profile.LOG)["shipment_id"] == "***1234"
    assert to_dict(shipment, profile=Profile.LOG)["tracking_numbers"] == [{"value": "***1234", "carrier": "acme"}]
    assert to_dict(shipment, profile=Profile.MASKED)["shipment_id"] == "ABCDEFGHIJ1234"
    request = ShipmentRequest(
        ship_from=PERSON, ship_to=PERSON, packages=(), reference="1", carrier_options={"acme": {"a": 1}}
    )
    assert "carrier_options" not in to_dict(request, profile=Profile.LOG)
    assert to_dict(request, profile=Profile.MASKED)["carrier_options"] == {"acme": {"a": 1}}


def test_masked_errors_have_codes_and_no_sentences() -> None:
    rejected = errors.RejectedError(carrier_code="42", carrier_message="Jane Doe has moved")
    answer = RateAnswer(quotes=(), errors={"a": rejected})
    text = to_json(answer, profile=Profile.LOG).decode()
    assert "Jane" not in text
    assert '"carrier_code":"42"' in text


@given(ROOT, st.sampled_from([Profile.MASKED, Profile.LOG, Profile.PUBLISHED]))
def test_every_value_can_be_masked(value: Value, profile: Profile) -> None:
    json.loads(to_json(value, profile=profile))
