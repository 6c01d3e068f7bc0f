"""What a plugin's source must not do: found by reading it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from shipkit.carrier import Carrier
from shipkit.constraints.codes import words

__all__ = ["faults_of"]

# A flow sends nothing, waits for nothing and draws nothing: what it needs of these comes in.
_FORBIDDEN = words(
    "httpx requests urllib3 aiohttp httpcore socket ssl http ftplib smtplib asyncio threading multiprocessing "
    "concurrent time random secrets uuid subprocess"
)
_CLOCKS = frozenset({"now", "utcnow", "today"})


def faults_of(carrier: Carrier) -> list[str]:
    """The faults in the package of *carrier*, each with file and line; simulators may do what a server does."""
    own = Path(inspect.getfile(type(carrier)))
    package = sys.modules.get(type(carrier).__module__.partition(".")[0])
    home = Path(package.__file__) if package is not None and package.__file__ else own
    files = sorted(home.parent.rglob("*.py")) if home.name == "__init__.py" else [own]
    members = [item for cls in type(carrier).__mro__ for item in vars(cls).items()]
    flows = {name for name, value in members if inspect.isgeneratorfunction(value)}
    return [
        f"{path.name if path == own else path.relative_to(home.parent)}:{line}: {fault}"
        for path in files
        if "simulat" not in str(path.relative_to(home.parent))
        for line, fault in _faults(ast.parse(path.read_text("utf-8")), flows)
    ]


def _faults(tree: ast.Module, flows: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in _imported(node) & _FORBIDDEN:
                yield node.lineno, f"imports {name}: the client sends, waits and draws"
        elif isinstance(node, ast.Call) and _reads_clock(node):
            yield node.lineno, "reads the clock: time comes in with the request and the reply"
        elif isinstance(node, ast.Expr) and (name := _own_method(node.value)) in flows:
            yield node.lineno, f"calls self.{name}() and drops it: write yield from"


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    return {(node.module or "").partition(".")[0]} if not node.level else set()


def _reads_clock(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _CLOCKS and len(call.args) <= 1


def _own_method(node: ast.expr) -> str:
    """The name of the method of its own that an expression calls, else nothing."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    owner = node.func.value
    return node.func.attr if isinstance(owner, ast.Name) and owner.id == "self" else ""
