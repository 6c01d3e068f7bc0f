"""The plugin's tables against the shared ones and the published files, and its facts against its methods."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipkit.model import Milestone, NotifyEvent, Operation, Reason, Support
from shipkit_ups import Ups, codes, statuses
from shipkit_ups.facts import FACTS

Rows = Callable[[str], list[dict[str, str]]]


@pytest.fixture(scope="module")
def rows(shared: Path) -> Rows:
    def read(name: str) -> list[dict[str, str]]:
        with (shared / "domain" / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, Any]:
    """The schemas of the published file on shipping."""
    content = (shared / "specs/ups/openapi/Shipping.yaml").read_bytes()
    return yaml.load(content, Loader=yaml.CSafeLoader)["components"]["schemas"]  # type: ignore[no-any-return]


def test_every_code_means_what_the_shared_table_says(rows: Rows) -> None:
    for vocabulary, table in (("ups.type+code", statuses.MILESTONES), ("ups.status_type", statuses.TYPES)):
        shared = {
            row["code"]: (row["milestone"] or None, row["reason"] or None)
            for row in rows("status_map.csv")
            if row["vocabulary"] == vocabulary
        }
        ours = {
            "+".join(code) if isinstance(code, tuple) else code: tuple(word and word.value for word in meaning)
            for code, meaning in table.items()
        }
        assert ours == shared
        assert vocabulary in FACTS.vocabularies


def test_a_code_of_its_own_decides_and_the_type_alone_only_where_there_is_none() -> None:
    assert statuses.status("I", "OT") == (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY)
    assert statuses.status("I", "") == (Milestone.IN_TRANSIT, None)
    assert statuses.status("I", "ZZ") == (None, Reason.UNMAPPED)
    assert statuses.status("X", "ZZ") == (None, Reason.DELIVERY_EXCEPTION)
    assert statuses.status("MV", "VP") == (Milestone.CANCELLED, Reason.CANCELLED)
    assert statuses.status("?", "ZZ") == statuses.status("?", "") == (None, Reason.UNMAPPED)
    assert statuses.status("D", "") == statuses.status("", "") == (None, None)


def test_the_options_offered_are_those_of_the_shared_table_but_for_cash(rows: Rows) -> None:
    shared = {row["option"] for row in rows("options.csv") if row["ups"] != "-"}

    assert {option.code.value for option in FACTS.options} == shared - {"cod"}


def test_the_operations_offered_are_those_of_the_shared_table(rows: Rows) -> None:
    shared = {row["operation"]: row["ups"] != "-" for row in rows("operations.csv")}
    offered = {operation.value: fact.support is Support.YES for operation, fact in FACTS.operations.items()}

    # The table speaks of calls; UPS has none for its bills, and the plugin reads the file in which they come.
    assert offered == shared | {"invoices": True}
    assert set(FACTS.operations) == set(Operation)


def test_the_facts_say_yes_where_there_is_a_method_and_why_where_there_is_none() -> None:
    for operation, fact in FACTS.operations.items():
        method = {Operation.INVOICES: "read_invoice"}.get(operation, operation.value)
        has_method = callable(getattr(Ups, method, None))
        assert has_method == (fact.support is Support.YES), operation
        assert has_method or fact.note, operation


_PATHS = {
    "company": "contact/company",
    "name": "contact/name",
    "address_line": "address/lines/*",
    "city": "address/city",
    "region": "address/region",
}


def test_every_limit_of_a_party_is_the_shared_tables(rows: Rows) -> None:
    limits = [row for row in rows("field_limits.csv") if row["carrier"] == "ups" and row["party"] != "any"]
    assert limits
    for row in limits:
        path = f"/{row['party']}/{_PATHS[row['field']]}"
        rules = [rule for rule in FACTS.field_rules if rule.path == path and rule.max_length]
        assert [rule.max_length for rule in rules] == [int(row["max_length"])], path
        if row["field"] == "address_line":
            (lines,) = [rule for rule in FACTS.field_rules if rule.path == path.removesuffix("/*") and rule.max_count]
            assert lines.max_count == int(row["count"])


def test_every_other_limit_is_the_shared_tables(rows: Rows) -> None:
    limits = {row["limit"]: int(row["value"]) for row in rows("carrier_limits.csv") if row["carrier"] == "ups"}
    (email,) = [rule for rule in FACTS.field_rules if rule.path == "/ship_to/contact/email"]
    fields = {row["field"]: int(row["max_length"]) for row in rows("field_limits.csv") if row["carrier"] == "ups"}
    words = {rule.path: rule.max_length for rule in FACTS.field_rules}

    assert FACTS.limits is not None and FACTS.webhooks is not None
    assert FACTS.limits.packages_max == limits["packages_max"]
    assert FACTS.webhooks.subscribe_max == limits["track_alert_numbers_per_call_max"]
    assert FACTS.webhooks.subscription_days == limits["track_alert_subscription_days"]
    assert (email.max_length, FACTS.reference_max) == (fields["email"], fields["reference"])
    assert words["/references/*/value"] == fields["reference"]
    assert words["/description"] == fields["goods_description"]


def test_every_service_is_one_that_the_published_file_names(published: dict[str, Any]) -> None:
    told = published["Shipment_Service"]["properties"]["Code"]["description"]
    first = published["Package_Packaging"]["properties"]["Code"]["description"]

    assert [code for code in codes.SERVICES if f"{code} =" not in told and f"{code}=" not in told] == []
    assert [fact.code for fact in FACTS.packagings if f"{fact.code} =" not in first] == []
    assert {service.code for service in FACTS.services} == set(codes.SERVICES)


def test_every_label_format_is_ordered_in_a_word_of_the_published_file(published: dict[str, Any]) -> None:
    told = published["LabelSpecification_LabelImageFormat"]["properties"]["Code"]["description"]

    assert all(code in told for code in codes.SHIP_FORMATS.values())
    assert {fact.wire for fact in FACTS.label_formats} == set(codes.SHIP_FORMATS.values())
    assert {codes.DOCUMENT_FORMATS[code] for code in codes.RECOVERY_FORMATS.values()} == set(codes.RECOVERY_FORMATS)


def test_every_event_that_ups_tells_of_has_a_code() -> None:
    assert set(codes.NOTIFICATIONS) == set(NotifyEvent) - {NotifyEvent.OUT_FOR_DELIVERY}
    assert set(codes.TRANSIT_SERVICES.values()) <= set(codes.SERVICES)
