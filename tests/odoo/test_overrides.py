"""No file of the Odoo addon takes a method from another one: of two of one name the later import would win silently."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ADDON = Path(__file__).parents[2] / "examples" / "odoo" / "delivery_shipkit"


def model_of(cls: ast.ClassDef) -> str:
    """The model that *cls* makes or adds to."""
    texts = {
        target.id: statement.value.value
        for statement in cls.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return str(texts.get("_name") or texts.get("_inherit") or "")


def calls_super(method: ast.FunctionDef) -> bool:
    """Whether *method* goes on to the method of its name that was there before."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == method.name
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "super"
        for node in ast.walk(method)
    )


def methods(sources: dict[str, str]) -> Iterator[tuple[str, str, str, bool]]:
    """Model, method, file, and whether it calls ``super()``, of every method of a model."""
    for name, source in sources.items():
        for cls in ast.parse(source).body:
            if isinstance(cls, ast.ClassDef) and (model := model_of(cls)):
                for node in cls.body:
                    if isinstance(node, ast.FunctionDef):
                        yield model, node.name, name, calls_super(node)


def collisions(sources: dict[str, str]) -> list[str]:
    """Methods of which more than one file says that it is the first."""
    first: dict[tuple[str, str], list[str]] = defaultdict(list)
    for model, method, name, goes_on in methods(sources):
        if not goes_on:
            first[model, method].append(name)
    return [
        f"{model}.{method}: {', '.join(names)}" for (model, method), names in sorted(first.items()) if len(names) > 1
    ]


def test_no_method_of_a_model_is_defined_twice_without_going_on_to_the_other() -> None:
    sources = {
        str(path.relative_to(ADDON)): path.read_text()
        for path in sorted(ADDON.rglob("*.py"))
        if "tests" not in path.relative_to(ADDON).parts
    }
    assert len(list(methods(sources))) > 100
    assert collisions(sources) == []


def test_a_collision_is_seen_and_an_override_is_none() -> None:
    one = "class A:\n    _inherit = 'm'\n    def f(self): return 1\n"
    two = "class B:\n    _inherit = 'm'\n    def f(self): return 2\n"
    over = "class B:\n    _inherit = 'm'\n    def f(self): return super().f() + 1\n"
    assert collisions({"one.py": one, "two.py": two}) == ["m.f: one.py, two.py"]
    assert collisions({"one.py": one, "two.py": over}) == []
