"""How known senders prove their pushes, by name: data with its sources, beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, Final

import attrs

from ..errors import InputError
from ..model import Problem, ProblemCode, TrustLevel
from .combining import AllOf, AnyOf
from .hmacs import Hmac
from .rsa import Rsa
from .shared import Basic, QueryToken, SharedHeader, SourceAddress, Unsigned
from .verdicts import Scheme

__all__ = ["Confidence", "Preset", "preset", "presets", "scheme_of"]

_KINDS: Final[Mapping[str, Any]] = {
    "hmac": Hmac,
    "rsa": Rsa,
    "header": SharedHeader,
    "basic": Basic,
    "query_token": QueryToken,
    "source_address": SourceAddress,
    "unsigned": Unsigned,
    "any_of": AnyOf,
    "all_of": AllOf,
}


class Confidence(str, Enum):
    """How sure the description of a sender is."""

    HIGH = "high"  # the sender's own documents, client or interface file
    MEDIUM = "medium"  # the sender's documents contradict themselves or leave a part open


@attrs.frozen(kw_only=True)
class Preset:
    """How one sender proves its pushes, as far as it is known."""

    name: str
    sender: str
    confidence: Confidence
    scheme: Scheme
    secret: str
    """What takes the place of the secret, and where it comes from."""
    source: str
    note: str = ""


@cache
def presets() -> Mapping[str, Preset]:
    """Every known sender by name."""
    import json
    from importlib.resources import files

    rows = json.loads(files("shipkit.webhooks").joinpath("senders.json").read_text(encoding="utf-8"))
    made = {}
    for row in rows:
        rest = {name: value for name, value in row.items() if name not in ("scheme", "confidence")}
        confidence = Confidence(row["confidence"])
        made[row["name"]] = Preset(scheme=scheme_of(row["scheme"]), confidence=confidence, **rest)
    return made


def preset(name: str) -> Scheme:
    """The scheme of a known sender.

    Raises:
        InputError: no sender of that name is known.
    """
    found = presets().get(name)
    if found is None:
        raise _refused("/name", ProblemCode.UNKNOWN_VALUE, f"no sender {name!r}: there are {', '.join(presets())}")
    return found.scheme


def scheme_of(description: Mapping[str, Any], *, path: str = "") -> Scheme:
    """The scheme that *description* tells: its ``kind``, and the fields of that kind.

    Raises:
        InputError: it describes none; the path of what is wrong is named.
    """
    fields = dict(description)
    kind = str(fields.pop("kind", ""))
    made = _KINDS.get(kind)
    if made is None:
        raise _refused(f"{path}/kind", ProblemCode.UNKNOWN_VALUE, f"a scheme is one of {', '.join(_KINDS)}")
    known = {field.name for field in attrs.fields(made)}
    for name, value in fields.items():
        if name not in known:
            raise _refused(f"{path}/{name}", ProblemCode.UNKNOWN_VALUE, f"{kind} has no such field")
        if value not in (choices := _CHOICES.get(name, (value,))):
            text = f"it is one of {', '.join(choice for choice in choices if choice)}"
            raise _refused(f"{path}/{name}", ProblemCode.UNKNOWN_VALUE, text)
        if name == "schemes" and isinstance(value, Mapping):
            fields[name] = {part: scheme_of(each, path=f"{path}/schemes/{part}") for part, each in value.items()}
    if "trust" in fields:
        fields["trust"] = TrustLevel(fields["trust"])
    try:
        scheme: Scheme = made(**fields)
    except (ValueError, TypeError) as error:
        raise _refused(path or "/", ProblemCode.INCONSISTENT, str(error)) from None
    return scheme


# What the fields' types allow; attrs does not look at them.
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "digest": ("sha1", "sha256", "sha512"),
    "encoding": ("hex", "base64", "either"),
    "normalise": ("", "NFKD", "NFKC"),
    "key": ("text", "base64"),
    "time_format": ("s", "ms", "iso"),
    "trust": tuple(TrustLevel),
}


def _refused(path: str, code: ProblemCode, text: str) -> InputError:
    return InputError(problems=(Problem(path=path, code=code, text=text),))
