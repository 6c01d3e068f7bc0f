"""The OpenAPI 3.1 document of the endpoint: what a gateway, a tester or a carrier's form needs to know of it.

``python -m shipkit.service.openapi --check docs/schema/openapi/endpoint.json`` checks the file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ..client.events.answering import phrase

__all__ = ["document", "main"]

_RETRY: Final = {
    "Retry-After": {
        "required": True,
        "description": "Seconds after which it is worth another try.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_MEANINGS: Final = {
    400: "The request contradicts itself.",
    401: "It is not proved that the account's carrier sent it; nothing was stored.",
    404: "Nothing is here, for whoever asks.",
    405: "Another method is meant.",
    408: "The body came too slowly.",
    413: "The body is longer than a push may be.",
    415: "The body is compressed; pushes are taken as they are signed.",
    429: "Too many in a short time.",
    431: "There are too many headers, or they are too long.",
    503: "Too much is under way, or the store cannot be reached; nothing was stored.",
}


def document() -> dict[str, Any]:
    """The document, of plain values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "shipkit endpoint",
            "version": "1",
            "description": "Takes the pushes of carriers. A 2xx means that the push is on the disk.",
        },
        "paths": {
            "/webhooks/{alias}/{token}": _webhook(),
            "/healthz": {"get": _state("getHealth", "The process answers.", (200,))},
            "/readyz": {"get": _state("getReadiness", "A push would be stored now.", (200, 503))},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": {"Problem": _problem()},
            "securitySchemes": {"metrics": {"type": "http", "scheme": "bearer"}},
        },
    }


def _webhook() -> dict[str, Any]:
    push = {
        "operationId": "push",
        "summary": "One push of a carrier, in its own form, with its own signature.",
        "requestBody": {
            "required": True,
            "content": {"*/*": {"schema": {"type": "string", "maxLength": 1_000_000}}},
        },
        "responses": {
            "200": {"description": "It is stored, now or since an earlier time."},
            **_refusals(400, 401, 404, 408, 413, 415, 429, 431, 503),
        },
    }
    check = {
        "operationId": "checkAddress",
        "summary": "For carriers that look whether the address answers.",
        "responses": {"200": {"description": "The address is an account's."}, **_refusals(404, 429)},
    }
    text = {"type": "string", "minLength": 1}
    parameters = [
        {"name": "alias", "in": "path", "required": True, "schema": text, "description": "The host's own."},
        {
            "name": "token",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            "description": "32 letters of the URL-safe base64 alphabet, made of a secret of the store.",
        },
    ]
    return {"parameters": parameters, "get": check, "post": push}


def _state(name: str, meaning: str, statuses: tuple[int, ...]) -> dict[str, Any]:
    plain = {"text/plain": {"schema": {"type": "string"}}}
    refusals = _refusals(*(status for status in statuses if status >= 400))
    return {
        "operationId": name,
        "summary": meaning,
        "responses": {"200": {"description": meaning, "content": plain}, **refusals},
    }


def _metrics() -> dict[str, Any]:
    plain = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "operationId": "getMetrics",
        "summary": "What Prometheus reads, where it is configured.",
        "security": [{"metrics": []}],
        "responses": {"200": {"description": "Its text format.", "content": plain}, **_refusals(404, 429)},
    }


def _refusals(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {
            "description": _MEANINGS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": _RETRY} if status in (429, 503) else {}),
        }
        for status in statuses
    }


def _problem() -> dict[str, Any]:
    statuses = sorted(_MEANINGS)
    return {
        "type": "object",
        "description": "RFC 9457, of which a stranger gets no more than this.",
        "required": ["type", "title", "status"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"enum": [phrase(status) for status in statuses]},
            "status": {"enum": statuses},
        },
    }


def main(arguments: Sequence[str]) -> int:
    """Write the document to a file, or with ``--check`` compare."""
    path = Path(arguments[-1])
    text = json.dumps(document(), indent=2) + "\n"
    if "--check" not in arguments:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{path} is not what the code says: python -m shipkit.service.openapi {path}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
