"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

__all__ = ["Account", "AsJson", "AtOnce", "ConfigFile", "File", "Form", "Keys", "Labels", "repeated"]


def repeated(name: str, about: str) -> Parameter:
    """An option that may be given several times."""
    return Parameter(name=name, negative="", show_default=False, help=f"{about}; may be repeated.")


File = Annotated[Path, Parameter(help="CSV, JSON, or JSON lines; - is standard input.")]
Account = Annotated[str | None, Parameter(name="--account", help="Whose orders they are; a column account goes first.")]
Keys = Annotated[tuple[str, ...], repeated("--key", "Instead of a file")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", show_default=False, help="JSON, for programs.")]
ConfigFile = Annotated[
    Path | None,
    Parameter(name="--config", help="The configuration; else SHIPKIT_CONFIG, ./shipkit.toml, the user's own."),
]
Form = Annotated[
    Literal["csv", "json", "jsonl"] | None, Parameter(name="--format", help="Of the file; else as it looks.")
]
AtOnce = Annotated[
    int | None,
    Parameter(
        name="--jobs", validator=Number(gte=1), help="Rows worked on at once; else the setting list_concurrency."
    ),
]
Labels = Annotated[Path, Parameter(name="--labels", help="The folder that papers are written to.")]
