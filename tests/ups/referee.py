"""UPS's published interface files as a judge of requests and replies, with the corrections of `errata`."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from jsonschema import Draft202012Validator

from shipkit.flow import Request
from tests.conftest import shared_folder
from tests.ups.errata import ERRATA, Erratum

__all__ = ["Operation", "complaints", "matching", "operation_of", "reply_complaints", "request_complaints"]

SPECS = shared_folder() / "specs" / "ups" / "openapi"

# Which file describes an address, by its beginning.
_FILES = {
    "/security/v1/oauth/token": "OAuthClientCredentials",
    "/api/rating/": "Rating",
    "/api/shipments/v1/transittimes": "TimeInTransit",
    "/api/pickupcreation/": "Pickup",
    "/api/labels/": "Shipping",
    "/api/addressvalidation/": "AddressValidation",
    "/api/locations/": "Locator",
    "/api/track/v1/subscription/": "UPSTrackAlert",
    "/api/track/v2/subscription/": "UPSTrackAlert",
    "/api/track/": "Tracking",
}


@lru_cache(maxsize=16)
def document(name: str) -> Any:
    """One interface file; PyYAML's own loader stops at the tabs in two of them."""
    return yaml.load((SPECS / f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)


class Operation:
    """One operation of a file, and the values that an address gives its path parameters."""

    def __init__(self, file: str, template: str, method: str, values: Mapping[str, str]) -> None:
        self.file, self.template, self.method, self.values = file, template, method, values
        item = document(file)["paths"][template]
        self.spec = item[method]
        self.parameters = [resolved(file, p) for p in (*item.get("parameters", ()), *self.spec.get("parameters", ()))]

    @property
    def name(self) -> str:
        return f"{self.file} {self.method} {self.template}"


def operation_of(method: str, url: str) -> Operation:
    """The operation that an address belongs to; a deprecated version only where no current one takes it."""
    path = urlsplit(url).path
    file = next((name for start, name in _FILES.items() if path.startswith(start)), None)
    file = file or ("Pickup" if "/pickup/" in path else "Shipping")
    prefix = {"UPSTrackAlert": "/api/track/{version}", "OAuthClientCredentials": ""}.get(file, "/api")
    found = []
    for template, item in document(file)["paths"].items():
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(prefix + template))
        if method.lower() in item and (hit := re.fullmatch(pattern, path)):
            found.append(Operation(file, template, method.lower(), hit.groupdict()))
    assert found, f"no operation for {method} {path}"
    return min(found, key=lambda operation: "deprecated" in operation.template)


def resolved(file: str, node: Any) -> Any:
    """*node* without its reference."""
    while isinstance(node, dict) and "$ref" in node:
        target = document(file)
        for step in node["$ref"].lstrip("#/").split("/"):
            target = target[step]
        node = target
    return node


def _plain(file: str, node: Any, at: str, leave_out: frozenset[Erratum], open_refs: tuple[str, ...] = ()) -> Any:
    """A schema without references, corrected, in JSON Schema's words; recursion ends in "anything"."""
    ref = node.get("$ref") if isinstance(node, dict) else None
    if ref in open_refs:
        return True
    open_refs = (*open_refs, ref) if ref else open_refs
    node = copy.copy(resolved(file, node))
    for erratum in matching(file, at):
        if erratum not in leave_out:
            node = erratum.corrected(node)
    if not isinstance(node, dict):
        return True
    kept = {k: v for k, v in node.items() if k in _WORDS}
    for word in ("oneOf", "anyOf", "allOf"):
        if word in node:
            kept[word] = [_plain(file, part, at, leave_out, open_refs) for part in node[word]]
    if "items" in node:
        kept["items"] = _plain(file, node["items"], f"{at}[]", leave_out, open_refs)
    properties = node.get("properties") or {}
    kept["properties"] = {
        name: _plain(file, part, f"{at}.{name}" if at else name, leave_out, open_refs)
        for name, part in properties.items()
    }
    if kept.get("nullable"):
        kept["type"] = [kept["type"], "null"]
    return kept


_LIMITS = {"minLength", "maxLength", "minItems", "maxItems"}
_WORDS = _LIMITS | {"type", "required", "enum", "const", "pattern", "nullable", "additionalProperties"}


def matching(file: str, at: str) -> Iterator[Erratum]:
    """The corrections of one place."""
    return (erratum for erratum in ERRATA if erratum.file == file and erratum.matches(at))


@lru_cache(maxsize=256)
def _validator(file: str, pointer: tuple[str, ...], side: str, leave_out: frozenset[Erratum]) -> Draft202012Validator:
    node: Any = document(file)
    for step in pointer:
        node = resolved(file, node)[step]
    return Draft202012Validator(_plain(file, node, side, leave_out))


def complaints(
    file: str, pointer: tuple[str, ...], side: str, value: Any, leave_out: Iterable[Erratum] = ()
) -> list[str]:
    """What the schema at *pointer* says against *value*; *side* is ``>`` for requests and ``<`` for replies."""
    validator = _validator(file, pointer, side, frozenset(leave_out))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def request_complaints(request: Request, leave_out: Iterable[Erratum] = ()) -> list[str]:
    """What the files say against a request: address, query, headers, body."""
    operation = operation_of(request.method, request.url)
    query = dict(parse_qsl(urlsplit(request.url).query))
    found = list(_parameter_complaints(operation, request, query, frozenset(leave_out)))
    content = operation.spec.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = ("requestBody", "content", "application/json", "schema")
        pointer = ("paths", operation.template, operation.method, *body)
        found += complaints(operation.file, pointer, ">", json.loads(request.content), leave_out)
    elif content:
        [(kind, body)] = content.items()
        assert request.headers["content-type"] == kind
        fields = dict(parse_qsl(request.content.decode()))
        missing = set(resolved(operation.file, body["schema"]).get("required", ())) - set(fields)
        found += [f"form: {name} is missing" for name in missing]
    elif request.content:
        found.append("a body where none is described")
    return found


def _parameter_complaints(
    operation: Operation, request: Request, query: Mapping[str, str], leave_out: frozenset[Erratum]
) -> Iterator[str]:
    given = {
        "path": {name: unquote(value) for name, value in operation.values.items()},
        "query": dict(query),
        "header": dict(request.headers),
    }
    lower = {name.lower() for name in given["header"]}
    for parameter in operation.parameters:
        name, place = parameter["name"], parameter["in"]
        present = name.lower() in lower if place == "header" else name in given[place]
        if not present:
            if parameter.get("required"):
                yield f"{place}: {name} is missing"
            continue
        value = request.headers[name] if place == "header" else given[place][name]
        schema = _plain(operation.file, parameter.get("schema", {}), f"{place}:{name}", leave_out)
        if isinstance(schema, dict) and schema.get("type") == "integer":
            schema = {"pattern": "^[0-9]+$"}
        for error in Draft202012Validator(schema).iter_errors(value):
            yield f"{place}: {name}: {error.message[:200]}"
    known = {parameter["name"] for parameter in operation.parameters if parameter["in"] == "query"}
    yield from (f"query: {name} is not described" for name in query if name not in known)


def reply_complaints(method: str, url: str, status: int, body: Any, leave_out: Iterable[Erratum] = ()) -> list[str]:
    """What the files say against a reply's status and body."""
    operation = operation_of(method, url)
    answers = {str(code): answer for code, answer in operation.spec["responses"].items()}
    if str(status) not in answers:
        return [f"status {status} is not described"]
    content = resolved(operation.file, answers[str(status)]).get("content", {})
    if not content:
        return []
    pointer = ("paths", operation.template, operation.method, "responses", str(status), "content", "application/json")
    return complaints(operation.file, (*pointer, "schema"), "<", body, leave_out)
