"""What is published is a CloudEvent 1.0 that fits its schema, and tells nobody's name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from shipkit.events.advancing import advanced
from shipkit.events.cloud import DATA, News, announcement, schema_address
from shipkit.events.schema import ENVELOPE, asyncapi, main, schemas
from shipkit.model import EventPlace, GeoPoint, ProofOfDelivery, TrackingEvent
from shipkit.ports.events import Parcel
from tests.events.journeys import RECEIVED, at, event, evidence
from tests.model.making import values

FILES = schemas()
WHOLE = Draft202012Validator(ENVELOPE, format_checker=FormatChecker())
OF_DATA = {news: Draft202012Validator(FILES[f"{news.value}.json"], format_checker=FormatChecker()) for news in News}
PARCEL = Parcel(scope="s", carrier="acme", account="acme-eu", number="N1", key="order-1", since=RECEIVED)


def checked(body: bytes) -> dict[str, Any]:
    """The members of a published body, which both the schemas and the reference implementation accept."""
    members: dict[str, Any] = json.loads(body)
    WHOLE.validate(members)
    OF_DATA[News(members["type"])].validate(members["data"])
    read = JSONFormat().read(CloudEvent, body)
    assert read.get_id() == members["id"]
    assert read.get_extension("partitionkey") == members["partitionkey"]
    assert isinstance(read.get_data(), dict)
    return members


@given(evidence(), evidence())
def test_whatever_a_parcel_goes_through_is_published_as_cloud_events_that_fit_their_schemas(
    first: list[TrackingEvent], then: list[TrackingEvent]
) -> None:
    one = advanced(PARCEL, (), first)
    two = advanced(one.after, first, then)
    bodies = [checked(told.body) for work in (one, two) for told in work.announcements]
    assert [int(body["sequence"]) for body in bodies] == list(range(1, len(bodies) + 1))
    assert len({(body["source"], body["id"]) for body in bodies}) == len(bodies)


@given(st.sampled_from(News), st.data())
def test_any_value_of_a_type_fits_the_schema_of_the_type(news: News, data: st.DataObject) -> None:
    value = data.draw(values(DATA[news]))
    checked(announcement(news, value, parcel=PARCEL, key="k", sequence=1, happened_at=RECEIVED).body)


@given(st.text(min_size=1), st.text(), st.text(), st.text())
def test_names_that_the_host_chose_never_break_an_attribute(scope: str, account: str, number: str, key: str) -> None:
    parcel = Parcel(scope=f"acme:{scope}", carrier="acme", account=account, number=number, key=key, since=RECEIVED)
    told = announcement(News.EVENT, event(1), parcel=parcel, key="k", sequence=1, happened_at=None)
    members = checked(told.body)
    for name, value in members.items():
        assert re.fullmatch("[a-z0-9]{1,20}", name)
        assert name == "data" or value
    assert "time" not in members


def test_time_is_in_utc_as_rfc_3339_has_it() -> None:
    local = datetime(2026, 3, 2, 9, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
    told = announcement(News.EVENT, event(1), parcel=PARCEL, key="k", sequence=12, happened_at=local)
    members = checked(told.body)
    assert members["time"] == "2026-03-02T07:30:00.250000Z"
    assert members["sequence"] == "0000000012"
    assert members["dataschema"] == schema_address(News.EVENT)
    assert members["shipkitkey"] == "order-1"


def test_no_name_place_or_sentence_of_a_person_is_published_and_pseudonyms_are() -> None:
    place = EventPlace(
        name="Ms CANARY's shop", city="CANARYTOWN", region="CANARY", postal_code="CANARY1", country="FR",
        geo=GeoPoint(latitude="1.23456", longitude="2.34567"), facility_code="F1",
    )  # fmt: skip
    seen = event(1, "delivered", "delivered", text="left with CANARY", signed_by="CANARY", place=place, piece="P1")
    worded = event(2, None, None, code="left with canary", code_type="text", text="CANARY")
    proof = ProofOfDelivery(delivered_at=at(1), signed_by="CANARY")
    told = [
        announcement(News.EVENT, seen, parcel=PARCEL, key="1", sequence=1, happened_at=None),
        announcement(News.EVENT, worded, parcel=PARCEL, key="2", sequence=2, happened_at=None),
        announcement(News.PROVED, proof, parcel=PARCEL, key="3", sequence=3, happened_at=None),
    ]
    for one in told:
        assert "canary" not in one.body.decode().lower()
        assert "23456" not in one.body.decode()
    data = checked(told[0].body)["data"]
    assert data["scope"] == "s"
    assert data["piece"] == "P1"
    assert data["place"] == {"facility_code": "F1", "country": "FR"}
    assert data["event_id"] == seen.event_id
    assert checked(told[1].body)["data"]["code"] == ""


def test_the_committed_files_are_those_of_the_code(root: Path) -> None:
    assert main(["--check", str(root / "docs" / "schema")]) == 0


def test_a_change_that_a_consumer_would_not_survive_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 0
    path = tmp_path / "events" / f"{News.ENTERED.value}.json"
    committed = json.loads(path.read_text())
    committed["properties"]["driver"] = {"type": "string"}  # a field that the code has lost since
    path.write_text(json.dumps(committed))
    assert main(["--check", str(tmp_path)]) == 1
    assert "incompatible: io.shipkit.milestone.entered.v1.json/properties/driver: removed" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 1
    del committed["properties"]["driver"], committed["properties"]["revision"]  # additive: written without a word
    committed["required"].remove("revision")
    path.write_text(json.dumps(committed))
    assert main(["--check", str(tmp_path)]) == 1
    path.write_text(json.dumps(FILES[path.name], indent=2, ensure_ascii=False) + "\n")
    other = tmp_path / "asyncapi" / "shipkit.json"
    other.write_text("{}")
    assert main(["--check", str(tmp_path)]) == 1
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    assert main([]) == 2


def resolved(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def test_the_asyncapi_document_names_every_type_once_and_its_references_lead_somewhere(root: Path) -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert set(document["info"]) >= {"title", "version"}
    names = {message["title"] for message in document["components"]["messages"].values()}
    assert names == {news.value for news in News}
    for name, operation in document["operations"].items():
        assert operation["action"] == "send"
        channel = resolved(document, operation["channel"]["$ref"])
        assert channel["messages"], name
        for message in channel["messages"].values():
            assert resolved(document, message["$ref"])["payload"]["schema"]
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel.get("parameters", {}))


def test_the_payloads_of_the_asyncapi_document_accept_what_is_published_and_nothing_else(root: Path) -> None:
    folder = "file:///schema/"
    files = {f"{folder}events/{name}": Resource.from_contents(schema) for name, schema in FILES.items()}
    for message in asyncapi()["components"]["messages"].values():
        schema = {"$id": f"{folder}asyncapi/shipkit.json", **message["payload"]["schema"]}
        check = Draft202012Validator(schema, registry=Registry().with_resources(files.items()))
        told = announcement(News.EVENT, event(1), parcel=PARCEL, key="k", sequence=1, happened_at=None)
        assert check.is_valid(json.loads(told.body)) == (message["title"] == News.EVENT.value)


@pytest.mark.services
def test_the_asyncapi_document_fits_the_schema_of_asyncapi(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm, which has the schema of AsyncAPI")
    packed = subprocess.run([npm, "pack", "@asyncapi/specs@6.11.1"], cwd=tmp_path, capture_output=True, timeout=120)
    if packed.returncode:
        pytest.skip("npm cannot fetch @asyncapi/specs")
    with tarfile.open(tmp_path / "asyncapi-specs-6.11.1.tgz") as archive:
        member = archive.extractfile("package/schemas/3.0.0-without-$id.json")
        assert member is not None
        check = Draft7Validator(json.load(member))
    assert [error.message for error in check.iter_errors(asyncapi())] == []
    assert not check.is_valid(asyncapi() | {"channels": 1})
