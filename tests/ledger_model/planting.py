"""A bug, planted: one function of the real code rewritten while a search runs, and put back afterwards."""

from __future__ import annotations
import __future__

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import FunctionType
from typing import Any

import attrs

__all__ = ["Patch", "planted"]


@attrs.frozen
class Patch:
    """In the function ``where`` (module:name), its ``def`` at the margin, ``old`` stands once and becomes ``new``."""

    where: str
    old: str
    new: str

    def function(self) -> FunctionType:
        """The function itself, not its name: whoever imported it runs the patched code."""
        module, _, name = self.where.partition(":")
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        assert isinstance(found, FunctionType), f"{self.where} is no function"
        return found


@contextmanager
def planted(*patches: Patch) -> Iterator[None]:
    """Run the patched code inside; each patch fails loudly where the code that it rewrites is not there any more."""
    with ExitStack() as stack:
        for patch in patches:
            function = patch.function()
            stack.callback(setattr, function, "__code__", function.__code__)
            function.__code__ = _rewritten(function, patch)
        yield


def _rewritten(function: FunctionType, patch: Patch) -> Any:
    source = textwrap.dedent(inspect.getsource(function))
    old, new = patch.old.strip("\n"), patch.new.strip("\n")
    if source.count(old) != 1:
        raise LookupError(f"{patch.where} does not say once:\n{old}\nit says:\n{source}")
    text = source.replace(old, new)
    flags = __future__.annotations.compiler_flag
    namespace: dict[str, Any] = dict(function.__globals__)
    exec(compile(text, function.__code__.co_filename, "exec", flags=flags, dont_inherit=True), namespace)
    code = namespace[function.__name__].__code__
    assert code.co_freevars == function.__code__.co_freevars, patch.where
    return code
