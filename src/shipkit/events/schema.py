"""JSON Schema (2020-12) of what is published, and the AsyncAPI document of where it goes; both are checked as files.

``python -m shipkit.events.schema docs/schema`` writes ``events/*.json`` and ``asyncapi/shipkit.json`` there; with
``--check`` it writes nothing and fails where the files differ, and says which differences a consumer would not survive.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from shipkit.codec import Profile
from shipkit.codec.schema import object_schema, run
from shipkit.events.cloud import DATA, News, schema_address
from shipkit.model import TrackingEvent

__all__ = ["ENVELOPE", "asyncapi", "main", "schemas", "topic"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_WHAT: Final = {
    News.EVENT: "An event became known: evidence, as the carrier told it.",
    News.ENTERED: "A milestone was entered for the k-th time; each entry is told once.",
    News.CORRECTED: "Later evidence changed where the parcel is, other than by going on.",
    News.OPENED: "A problem: why, how bad, who must act.",
    News.RESOLVED: "A problem is over, or was none.",
    News.TRANSIT: "Another estimate of the arrival.",
    News.PROVED: "How the parcel was handed over, and where it was left.",
    News.ANOMALY: "Evidence that does not fit, such as a voided label that was used.",
}
_TEXT: Final = {"type": "string", "minLength": 1}

ENVELOPE: Final[dict[str, Any]] = {
    "$schema": _DIALECT,
    "title": "shipkit/cloud-event",
    "type": "object",
    "description": "A CloudEvent 1.0 in structured JSON form, as every announcement is published.",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {**_TEXT, "description": "The same whenever this announcement comes again; unique with the source."},
        "source": {**_TEXT, "format": "uri-reference", "description": "/shipkit/<carrier>/<account>."},
        "type": {**_TEXT, "description": "What it tells; its last part is the version of the data."},
        "subject": {**_TEXT, "description": "The tracking number, or the host's key of a shipment of several parcels."},
        "time": {"type": "string", "format": "date-time", "description": "When it happened; absent where not known."},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri", "description": "Names the schema of the data."},
        "partitionkey": {**_TEXT, "description": "The parcel; what has the same one comes in the order of sequence."},
        "sequence": {"type": "string", "pattern": "^[0-9]{10,}$", "description": "Rises by one for each parcel."},
        "shipkitkey": {**_TEXT, "description": "The host's key of the shipment, where there is one."},
        "data": {"type": "object"},
    },
    "required": [
        "specversion", "id", "source", "type", "datacontenttype", "dataschema", "partitionkey", "sequence", "data",
    ],
    "additionalProperties": True,
}  # fmt: skip
"""The schema of the attributes that every CloudEvent here has."""


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of the data of every type, and that of the envelope, by file name."""
    return {"cloud-event.json": ENVELOPE, **{f"{news.value}.json": _data(news) for news in News}}


def _data(news: News) -> dict[str, Any]:
    schema = object_schema(DATA[news], Profile.PUBLISHED)
    if DATA[news] is TrackingEvent:
        told = {"type": "string", "description": "The identity of the event, to which other announcements refer."}
        schema["properties"]["event_id"] = told
        schema["required"].append("event_id")
    return {"$schema": _DIALECT, "$id": schema_address(news), "title": news.value, **schema}


def topic(type_: str) -> str:
    """The part of routing keys and subjects that stands for a type, such as ``milestone.entered.v1``."""
    return type_.removeprefix("io.shipkit.")


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: one channel for each type and carrier (RabbitMQ, NATS), and one that has all (Kafka, Redis)."""
    names = {news: topic(news.value).replace(".", "-") for news in News}
    carrier = {"carrier": {"description": "The carrier's code, with anything but letters, digits, - and _ as _."}}
    channels: dict[str, Any] = {
        "all": {
            "address": "shipkit.events",
            "title": "Everything",
            "description": "The topic of Kafka, the stream of Redis; keyed by partitionkey where the broker has keys.",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names.values()},
            "bindings": {"kafka": {"topic": "shipkit.events", "bindingVersion": "0.5.0"}},
        }
    }
    for news, name in names.items():
        channels[name] = {
            "address": f"shipkit.{topic(news.value)}.{{carrier}}",
            "title": news.value,
            "description": f"The routing key of RabbitMQ, the subject of NATS. {_WHAT[news]}",
            "parameters": carrier,
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {"amqp": {"is": "routingKey", "exchange": _EXCHANGE, "bindingVersion": "0.3.0"}},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "shipkit: what happens to parcels",
            "version": "1.0.0",
            "description": "CloudEvents 1.0, structured JSON, at least once, in order for each partitionkey; "
            "a consumer drops what has a source and an id that it has seen. The prefix shipkit is configurable.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": {
            f"send-{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name in channels
        },
        "components": {"messages": {name: _message(news, name) for news, name in names.items()}},
    }


_EXCHANGE: Final = {"name": "shipkit.events", "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"}


def _message(news: News, name: str) -> dict[str, Any]:
    narrowed = {"type": {"const": news.value}, "data": {"$ref": f"../events/{news.value}.json"}}
    schema = {"allOf": [{"$ref": "../events/cloud-event.json"}, {"type": "object", "properties": narrowed}]}
    return {
        "name": name,
        "title": news.value,
        "summary": _WHAT[news],
        "contentType": "application/cloudevents+json",
        "correlationId": {"description": "Unique with the source.", "location": "$message.payload#/id"},
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
    }


def main(arguments: list[str]) -> int:
    """Write or check the files below a folder; the exit code is 1 where a check finds a difference."""
    folders = [argument for argument in arguments if not argument.startswith("-")]
    inner = [str(Path(folder) / "events") if folder in folders else folder for folder in arguments]
    code = run(inner, schemas, "shipkit.events.schema")
    if code or len(folders) != 1:
        return code
    path = Path(folders[0]) / "asyncapi" / "shipkit.json"
    text = json.dumps(asyncapi(), indent=2) + "\n"
    if "--check" in arguments:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"not up to date: {path.name}\n")
            return 1
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
