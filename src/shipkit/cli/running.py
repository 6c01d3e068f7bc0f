"""One command: its arguments read, carried out, its failures told in a line."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from ..errors import ShipkitError

__all__ = ["INTERRUPTED", "USAGE", "run"]

USAGE, INTERRUPTED = 2, 130
_ROOMS: Final = {name: name for name in ("demo", "simulate", "trigger", "plugins", "doctor", "serve", "listen")}
_EXTRAS: Final = {
    "cyclopts": "cli",
    "rich": "cli",
    "h11": "simulator",
    "reportlab": "simulator",
    "PIL": "simulator",
    "uvicorn": "service",
}


def run(name: str, arguments: Sequence[str]) -> int:
    """Carry the command *name* out; the exit code."""
    logging.getLogger("shipkit").addHandler(logging.NullHandler())  # what went wrong is said with the results
    try:
        bound = _parsed(name, arguments)
        return USAGE if bound is None else bound()
    except ShipkitError as error:
        sys.stderr.write(f"shipkit {name}: {error}\n")
        return USAGE
    except ModuleNotFoundError as missing:
        extra = _EXTRAS.get((missing.name or "").partition(".")[0])
        if extra is None:
            raise
        sys.stderr.write(f'shipkit {name}: {missing.name} is not installed: pip install "shipkit-sdk[{extra}]"\n')
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED


def _parsed(name: str, arguments: Sequence[str]) -> Any:
    """The call of the command with its arguments; None where they are wrong, which has been said."""
    from cyclopts import App, CycloptsError

    group, _, of_group = name.partition(" ")
    room = group if of_group else _ROOMS.get(name, "orders")
    function = getattr(import_module(f".commands.{room}", __package__), name.replace(" ", "_").replace("-", "_"))
    app = App(name=f"shipkit {name}", help_format="plaintext", help_formatter="plain", version_flags=())
    app.default(function)
    try:
        command, bound, _ = app.parse_args(_without_dash(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        sys.stderr.write(f"shipkit {name}: {_said(error)}\nshipkit {name} --help says more.\n")
        return None
    return lambda: command(*bound.args, **bound.kwargs) or 0


def _without_dash(arguments: Sequence[str]) -> list[str]:
    """A dash stands for standard input, which is read anyway; the parser takes it for an option."""
    before = ("", *arguments)
    return [each for each, previous in zip(arguments, before, strict=False) if each != "-" or previous[:2] == "--"]


def _said(error: Exception) -> str:
    return " ".join(str(error).split())
