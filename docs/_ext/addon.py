"""Tables about the Odoo addon, read from its files; Odoo itself is not needed for that."""

from __future__ import annotations

import ast
import csv
import inspect
import xml.etree.ElementTree as ElementTree
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from shipkit.model import Milestone

ADDON = Path(__file__).parents[2] / "examples" / "odoo" / "delivery_shipkit"
GROUPS = {
    "stock.group_stock_user": "Inventory / User",
    "stock.group_stock_manager": "Inventory / Administrator",
    "sales_team.group_sale_salesman": "Sales / User",
    "account.group_account_invoice": "Invoicing",
    "base.group_system": "Settings",
}
RIGHTS = {"perm_read": "read", "perm_write": "write", "perm_create": "create", "perm_unlink": "delete"}


def crons() -> list[tuple[str, str, str]]:
    """Every scheduled action: its name, its period, and the first sentence of the method that it calls."""
    told = docstrings()
    found = []
    for record in ElementTree.parse(ADDON / "data" / "crons.xml").getroot():
        given = {field.get("name"): field for field in record}
        model = (given["model_id"].get("ref") or "").removeprefix("model_").replace("_", ".")
        method = (given["code"].text or "").removeprefix("model.").removesuffix("()")
        number, unit = given["interval_number"].text or "", given["interval_type"].text or ""
        period = f"{number} {unit}" if number != "1" else f"1 {unit.removesuffix('s')}"
        found.append((given["name"].text or "", period, told[model, method]))
    return found


def docstrings() -> dict[tuple[str, str], str]:
    """The first line of each method's docstring, by model and name."""
    found = {}
    for path in (ADDON / "models").glob("*.py"):
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(cls, ast.ClassDef):
                continue
            for method in cls.body:
                if isinstance(method, ast.FunctionDef) and (told := ast.get_docstring(method)):
                    for model in models_of(cls):
                        found[model, method.name] = inspect.cleandoc(told).partition("\n")[0]
    return found


def models_of(cls: ast.ClassDef) -> list[str]:
    """The names that *cls* gives its model, or extends."""
    found = []
    for line in cls.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) in ("_name", "_inherit"):
            value = ast.literal_eval(line.value)
            found += [value] if isinstance(value, str) else value
    return found


def access() -> list[tuple[str, ...]]:
    """Every model of the addon, and what each group may do with its records."""
    rights: dict[str, dict[str, str]] = {}
    with (ADDON / "security" / "ir.model.access.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            name = row["model_id:id"]
            if not name.startswith("model_shipkit_"):
                continue  # a model of core's
            may = ", ".join(word for column, word in RIGHTS.items() if row[column] == "1")
            rights.setdefault(name.removeprefix("model_").replace("_", "."), {})[row["group_id:id"]] = may
    unknown = {group for given in rights.values() for group in given} - GROUPS.keys()
    if unknown:
        raise ValueError(f"groups without a name in the docs: {unknown}")
    return [(f"`{model}`", *(given.get(group, "") for group in GROUPS)) for model, given in sorted(rights.items())]


def delivery_states() -> list[tuple[str, str]]:
    """What OCA's field says at each milestone, where no reason speaks against it."""
    spec = spec_from_file_location("delivery_states", ADDON / "delivery_states.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(ADDON / "delivery_states.py")
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(f"`{each.value}`", f"`{module.delivery_state(each, None)}`") for each in Milestone]


def screens(folder: Path) -> str:
    """The pictures of a person's way through the addon, in order, each under what its file is called."""
    found = sorted((folder / "odoo").glob("[0-9]*-*.png"))
    told = [(path.name, path.stem.partition("-")[2].replace("-", " ").capitalize()) for path in found]
    return "\n\n".join(f"**{title}**\n\n![{title}]({name})" for name, title in told)
