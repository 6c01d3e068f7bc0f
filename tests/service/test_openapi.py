"""The endpoint's document: it is OpenAPI, the file is what the code says, and the endpoint answers as it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator

from shipkit.service import Bounds, Endpoint, document
from shipkit.service.openapi import main
from shipkit.store import MemoryStore
from tests.service.pusher import client, push, signed

FILE = Path(__file__).resolve().parents[2] / "docs" / "schema" / "openapi" / "endpoint.json"


def test_the_file_is_what_the_code_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(FILE)]) == 0
    other = tmp_path / "endpoint.json"
    assert main(["--check", str(other)]) == 1
    assert "is not what the code says" in capsys.readouterr().err
    assert main([str(other)]) == 0
    assert other.read_text() == FILE.read_text()


def test_every_refusal_of_the_document_has_the_body_that_the_endpoint_sends() -> None:
    from shipkit.client.events.answering import problem

    schema = document()["components"]["schemas"]["Problem"]
    validator = OAS31Validator(schema)
    for status in schema["properties"]["status"]["enum"]:
        validator.validate(json.loads(problem(status).body))


@contextmanager
def schema_of(app: Any) -> Iterator[Any]:
    schemathesis = pytest.importorskip("schemathesis")
    loaded = schemathesis.openapi.from_dict(document())
    loaded.app = app
    yield loaded


def app() -> tuple[Endpoint, str]:
    store = MemoryStore()
    ours = client(store)
    path = unquote(ours.events.webhook_paths()["shop"])
    return Endpoint(
        ours, bounds=Bounds(strangers_per_s=1e9, per_s=1e9), metrics=lambda: "x 1\n", metrics_token="t"
    ), path


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.parametrize("operation", ["POST /webhooks/{alias}/{token}", "GET /webhooks/{alias}/{token}"])
@pytest.mark.parametrize("known", [True, False])
def test_the_endpoint_answers_a_push_as_its_document_says(operation: str, known: bool) -> None:
    from schemathesis import checks

    method, _, template = operation.partition(" ")
    endpoint, path = app()
    with schema_of(endpoint) as schema:
        asked = [checks.not_a_server_error]
        from schemathesis.checks import load_all_checks

        load_all_checks()
        names = ["status_code_conformance", "content_type_conformance", "response_schema_conformance",
                 "response_headers_conformance", *(["unsupported_method"] if known else [])]  # fmt: skip
        asked += [checks.CHECKS.get_one(name) for name in names]

        @settings(max_examples=30, deadline=None)
        @given(case=schema[template][method].as_strategy(), good=st.booleans())
        def answers(case: Any, good: bool) -> None:
            if known:
                case.path_parameters = dict(zip(("alias", "token"), path.split("/")[2:], strict=True))
            if known and good and method == "POST":
                case.body, case.media_type = push(), "text/plain"
                case.headers = {**(case.headers or {}), **signed(push()), "Content-Type": "application/json"}
            response = case.call()
            case.validate_response(response, checks=asked)
            assert response.status_code < 500
            if known and good:
                assert response.status_code == 200

        answers()


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_the_endpoint_answers_everything_else_as_its_document_says(path: str) -> None:
    endpoint, _ = app()
    with schema_of(endpoint) as schema:

        @settings(max_examples=20, deadline=None)
        @given(case=schema[path]["GET"].as_strategy())
        def answers(case: Any) -> None:
            response = case.call()
            assert response.status_code in (200, 404, 429)
            case.validate_response(response)

        answers()
