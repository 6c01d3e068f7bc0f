"""How the pushes to an account are proved, as a configuration says it: ``[webhooks.shop] secrets = […]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..errors import InputError, NotSupportedError
from ..model import ProblemCode
from ..webhooks import Scheme, preset, scheme_of
from ..webhooks.auth import WebhookAuth
from ..webhooks.usable import why_unusable
from .tables import Key, TableReader

__all__ = ["webhooks"]

_KEYS: Final = {"secrets": Key("tuple[str, ...]", secret=True)}


def webhooks(data: Mapping[str, Any], aliases: Iterable[str], reader: TableReader) -> dict[str, WebhookAuth]:
    """By account what a host says of its pushes; ``scheme`` is the name of a known sender, or a table."""
    known = list(aliases)
    found = {}
    for alias, table in reader.named(data, "webhooks").items():
        where = ("webhooks", alias)
        if alias not in known:
            reader.findings.unknown(where, known)
            continue
        values = reader.values(table, _KEYS, where, ignore=("scheme",))
        scheme = _scheme(table["scheme"], (*where, "scheme"), reader) if "scheme" in table else None
        secrets = values.get("secrets", ())
        if scheme is not None:
            _check(scheme, secrets, where, reader)
        found[alias] = WebhookAuth(scheme=scheme, secrets=secrets)
    return found


def _check(scheme: Scheme, secrets: Iterable[str], where: tuple[str, ...], reader: TableReader) -> None:
    try:
        for index, secret in enumerate(secrets):
            if why := why_unusable(scheme, secret):
                reader.findings.add((*where, "secrets", index), ProblemCode.MALFORMED, why)
    except NotSupportedError as error:
        reader.findings.add((*where, "scheme"), ProblemCode.NOT_OFFERED, error.message)


def _scheme(given: Any, where: tuple[str, ...], reader: TableReader) -> Scheme | None:
    try:
        if isinstance(given, str):
            return preset(given)
        if isinstance(given, dict):
            return scheme_of(given)
    except InputError as error:
        for problem in error.problems:
            at = where if isinstance(given, str) else (*where, *problem.path.split("/")[1:])
            reader.findings.add(at, problem.code, problem.text)
        return None
    text = 'must be the name of a sender, or a table such as {kind = "hmac", header = "X-Signature"}'
    reader.findings.add(where, ProblemCode.MALFORMED, text)
    return None
