"""Pages and tables made out of the code whenever the docs are built, so that they cannot say something else."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import addon
import attrs
import milestones
import states

from shipkit import errors
from shipkit.cli import COMMANDS, GROUPS
from shipkit.events.plans import DEFAULT_PLAN
from shipkit.ports import LedgerStore, LimitStore, TokenStore
from shipkit.ports.events import EventStore
from shipkit.settings import Settings
from shipkit.simulator import FAULTS, JOURNEYS, PUSH_FAULTS
from shipkit.simulator.admin import ADMIN, PAGES
from shipkit.simulator.faults import ALL
from shipkit.telemetry import ATTRIBUTES, INSTRUMENTS
from shipkit.telemetry.prometheus import family
from shipkit.testing import CarrierConformance, EventStoreContract, StoreContract
from shipkit.webhooks import presets

# Facts of a carrier that are tables of their own, with the fields worth a column.
TABLES = (
    ("Services", "services", ("code", "name", "aliases", "transit_days", "limits")),
    ("Packagings", "packagings", ("code", "name", "kind")),
    ("Label formats", "label_formats", ("kind", "format", "dpi", "size", "wire")),
    ("Options", "options", ("code", "wire", "values", "per_package")),
    ("Field rules", "field_rules", ()),
    ("Lanes", "lanes", ("origins", "destinations", "kind")),
)
PARTS = (
    ("Limits", "limits", "For all services."),
    ("Recovery", "recovery", "How a booking is found whose answer was lost; see {doc}`/concepts/ledger`."),
    ("Cancelling", "void", "When a booking can be undone."),
    ("Webhooks", "webhooks", "What a push is worth."),
    ("Weights", "weight", "How the carrier wants them; converted exactly, once."),
    ("Lengths", "length", "How the carrier wants them; converted exactly, once."),
)
MEASURES = (["value", "unit"], ["amount", "currency"])
BOUND = 60  # rows of one table; a page is for reading, the facts are complete


def shown(value: Any) -> str:
    """*value* as a cell of a table."""
    if value is None or value == () or value == frozenset() or value == {}:
        return ""
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{shown(key)} {shown(item)}" for key, item in value.items())
    if isinstance(value, (frozenset, set)):
        return ", ".join(sorted(shown(item) for item in value))
    if isinstance(value, (tuple, list)):
        return ", ".join(shown(item) for item in value)
    if attrs.has(type(value)):
        if [field.name for field in fields(type(value))] in MEASURES:
            return " ".join(shown(getattr(value, field.name)).strip("`") for field in fields(type(value)))
        if type(value).__name__ == "Predicate":
            return " ".join(shown(getattr(value, field.name)).strip("`") for field in fields(type(value)))
        told = ((field.name, getattr(value, field.name)) for field in fields(type(value)))
        return ", ".join(f"{name} {shown(item)}" for name, item in told if shown(item) not in ("", "no"))
    return cell(str(value))


def cell(text: str) -> str:
    """*text* so that it stays in its cell; what docstrings set in double backticks is code here too."""
    one_line = " ".join(text.replace("``", "`").split())
    return one_line.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def fields(cls: type) -> list[Any]:
    return [field for field in attrs.fields(cls) if field.name != "extras"]


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; columns without a single value are left out."""
    titles, body = list(header), [list(row) for row in rows]
    kept = [i for i in range(len(titles)) if i == 0 or any(row[i] for row in body)]
    lines = [[titles[i] for i in kept], ["---"] * len(kept), *([row[i] for i in kept] for row in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listed(title: str, values: Iterable[Any], columns: tuple[str, ...]) -> str:
    """One section with a row per value."""
    rows = list(values)
    if not rows:
        return ""
    columns = columns or tuple(field.name for field in fields(type(rows[0])))
    text = table(columns, ([shown(getattr(row, column)) for column in columns] for row in rows[:BOUND]))
    more = f"\n\n{len(rows) - BOUND} more in the facts." if len(rows) > BOUND else ""
    return f"## {title}\n\n{text}{more}\n"


def described(title: str, value: Any, about: str) -> str:
    """One section with a row per field of *value* that says something."""
    if value is None:
        return ""
    rows = [(f"`{field.name}`", shown(getattr(value, field.name))) for field in fields(type(value))]
    told = [row for row in rows if row[1]]
    return f"## {title}\n\n{about}\n\n{table(('fact', 'value'), told)}\n" if told else ""


def operations(facts: Any) -> str:
    """What the plugin offers, and why it does not offer the rest."""
    columns = ("operation", "offered", "a repeat", "sandbox", "note")
    rows = []
    for operation, about in facts.operations.items():
        sandbox = "" if about.sandbox is None else shown(about.sandbox)
        rows.append([shown(operation), shown(about.support), shown(about.idempotency), sandbox, shown(about.note)])
    return f"## Operations\n\n{table(columns, rows)}\n"


def summary(cls: Any) -> str:
    return inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def account(carrier: type) -> str:
    """What a configured account of this carrier is made of."""
    rows = []
    for field in fields(carrier):
        kind = "secret" if field.metadata.get("secret") else ""
        rows.append((f"`{field.name}`", "required" if field.default is attrs.NOTHING else "", kind))
    return f"## Account\n\n`{carrier.__module__.partition('.')[0]}.{carrier.__name__}`: {summary(carrier)}\n\n" + table(
        ("field", "", ""), rows
    )


def hosts(facts: Any) -> str:
    """Where a request or a document may go, by environment."""
    documents = facts.document_hosts or {}
    worlds = [world for world in facts.hosts if facts.hosts[world] or documents.get(world)]
    rows = ([shown(world), shown(facts.hosts[world]), shown(documents.get(world))] for world in worlds)
    return f"## Hosts\n\nThe only ones it talks to.\n\n{table(('environment', 'requests', 'documents'), rows)}\n"


def page(carrier: type, distribution: str) -> str:
    """The page of one carrier."""
    facts = carrier.facts()  # type: ignore[attr-defined]
    parts = [
        f"# {facts.name}\n\nDistribution `{distribution}`, carrier code `{facts.code}`.\n",
        f"Written to: {cell(facts.interface)}.\n",
        account(carrier) + "\n",
        operations(facts),
        *(listed(title, getattr(facts, name), columns) for title, name, columns in TABLES),
        *(described(title, getattr(facts, name), about) for title, name, about in PARTS),
        hosts(facts),
    ]
    return "\n".join(part for part in parts if part)


def carriers() -> list[tuple[type, str]]:
    """Every carrier class that is installed, with its distribution."""
    found = []
    for point in sorted(entry_points(group="shipkit"), key=lambda point: point.name):
        distribution = point.dist.name if point.dist else point.value
        found += [(carrier, distribution) for carrier in import_module(point.value).shipkit_carriers()]
    return found


def matrix(facts: list[Any]) -> str:
    """Operations against carriers."""
    names = list(dict.fromkeys(operation for one in facts for operation in one.operations))
    rows = [
        [shown(name), *(shown(one.operations[name].support) if name in one.operations else "" for one in facts)]
        for name in names
    ]
    return table(("operation", *(one.name for one in facts)), rows)


def errors_table() -> str:
    """The error tree, indented as it is."""
    rows = []

    def visit(cls: type, depth: int) -> None:
        if not cls.__name__.startswith("_"):
            indent = "&nbsp;&nbsp;&nbsp;" * depth
            told = [cls.code, cls.whose_move.value, cls.default_reached.value, cls.retry.value]  # type: ignore[attr-defined]
            told = ["" if not cls.code else f"`{word}`" for word in told]  # type: ignore[attr-defined]
            rows.append([f"{indent}`{cls.__name__}`", *told, cell(summary(cls))])
        for child in cls.__subclasses__():
            if child.__module__ == errors.__name__:
                visit(child, depth + (not cls.__name__.startswith("_")))

    visit(errors.ShipkitError, 0)
    return table(("error", "`code`", "whose move", "reached the carrier", "repeating", "meaning"), rows)


def senders_table() -> str:
    """How known senders prove their pushes."""
    rows = []
    for each in presets().values():
        about = " ".join(part for part in (each.source + ".", each.note) if part)
        rows.append(
            (f"`{each.name}`", each.sender, shown(each.scheme.trust), each.confidence.value, each.secret, about)
        )
    return table(("name", "sender", "worth", "confidence", "the secret is", "source"), rows)


def commands_table() -> str:
    """What the command line can do."""
    grouped = {f"{group} {name}": what for group, (_, each) in GROUPS.items() for name, what in each.items()}
    rows = ((f"`shipkit {name}`", cell(what)) for name, what in {**COMMANDS, **grouped}.items())
    return table(("command", "what it does"), rows)


def faults_table() -> str:
    """What a simulated carrier can do wrong."""
    rows = []
    for kind in FAULTS.values():
        params = ", ".join(f"`{name}` {str(value).lower()}" for name, value in kind.params.items())
        aim = "all calls" if kind.aims_at == ALL else "purchases"
        rows.append((f"`{kind.name}`", cell(kind.meaning), f"`{kind.commits}`", aim, params))
    return table(("fault", "what happens", "carried out", "aims at", "parameters"), rows)


def push_faults_table() -> str:
    """What can go wrong with a simulated carrier's pushes."""
    return table(("fault", "what becomes of the push"), [(f"`{name}`", text) for name, text in PUSH_FAULTS.items()])


def journeys_table() -> str:
    """The ways that simulated parcels go."""
    rows = [
        (f"`{name}`", ", ".join(leg.kind.value for leg in way.legs), f"{way.legs[-1].after_h:g}")
        for name, way in JOURNEYS.items()
    ]
    return table(("journey", "what happens", "hours"), rows)


def admin_table() -> str:
    """The pages of a simulator's admin interface."""
    rows = [
        (f"`{method} {ADMIN}{name}`", summary(answer))
        for name, methods in PAGES.items()
        for method, answer in methods.items()
    ]
    return table(("request", "what it tells or does"), rows)


def checks_table() -> str:
    """The checks of the common suite, by the names that ``unsupported`` takes."""
    tests = [(name, member) for name, member in vars(CarrierConformance).items() if name.startswith("test_")]
    return table(("check", "holds when"), ((f"`{name[5:]}`", summary(member)) for name, member in tests))


def port_table(port: type) -> str:
    """The methods of a protocol that a host may implement, as its docstrings tell them."""
    rows = []
    for name, member in vars(port).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            given = [one.name for one in inspect.signature(member).parameters.values() if one.name != "self"]
            told = inspect.cleandoc(member.__doc__ or "The store's clock.")
            rows.append((f"`{name}({', '.join(given)})`", cell(re.sub(r"\*(\w+)\*", r"`\1`", told))))
    return table(("method", "what it does"), rows)


def store_checks_table(contract: type) -> str:
    """The checks that every store passes."""
    names = sorted({name for base in contract.__mro__ for name in vars(base) if name.startswith("test_")})
    rows = ((name[5:].replace("_", " "), summary(getattr(contract, name))) for name in names)
    return table(("what must hold", ""), rows)


def settings_table() -> str:
    """Every default, with its unit."""
    rows = []
    for field in fields(Settings):
        default = shown(field.default) or "(empty)"
        rows.append(
            (f"`{field.name}`", default, field.metadata.get("unit", ""), cell(field.metadata.get("meaning", "")))
        )
    return table(("setting", "default", "unit", "meaning"), rows)


def poll_plan_table() -> str:
    """How often a parcel is asked for by default, by stage and age, and after its journey has ended."""
    rows = []
    for stage, waits in DEFAULT_PLAN.waits.items():
        after = 0.0
        for wait in waits:
            until = f"to day {wait.until_age_days:g}" if wait.until_age_days is not None else "on"
            rows.append((f"`{stage.value}`", f"from day {after:g} {until}", f"{wait.hours:g} h"))
            after = wait.until_age_days or after
    for milestone, hours in DEFAULT_PLAN.after_end.items():
        told = ", then ".join(f"{one:g} h" for one in hours)
        rows.append((f"`{milestone.value}`", "the end", f"{told}, then no more"))
    return table(("stage", "age of the parcel", "asked again after"), rows)


def telemetry_table() -> str:
    """Every span, counter, histogram and gauge, with its name for Prometheus."""
    rows = []
    for row in INSTRUMENTS.values():
        told = f"`{family(row)}`" if row.kind != "span" else ""
        attributes = ", ".join(f"`{name.removeprefix('shipkit.')}`" for name in row.attributes)
        rows.append((f"`{row.name}`", row.kind, row.unit, told, attributes, cell(row.meaning)))
    return table(("name", "kind", "unit", "for Prometheus", "attributes (`shipkit.…`)", "meaning"), rows)


def attributes_table() -> str:
    """Every attribute with the values that it may have."""
    rows = []
    for one in ATTRIBUTES.values():
        values = ", ".join(f"`{value}`" for value in sorted(one.values)) or "of the installed plugins"
        rows.append((f"`{one.name}`", cell(one.meaning), values))
    return table(("attribute", "", "values"), rows)


def write(path: Path, text: str) -> None:
    """Write *text* unless it stands there: an untouched page is not built again."""
    path.parent.mkdir(exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def generate(folder: Path) -> None:
    """Write every generated page and table under *folder*."""
    write(folder / "_generated" / "errors.md", errors_table() + "\n")
    write(folder / "_generated" / "commands.md", commands_table() + "\n")
    write(folder / "_generated" / "senders.md", senders_table() + "\n")
    write(folder / "_generated" / "settings.md", settings_table() + "\n")
    write(folder / "_generated" / "poll-plan.md", poll_plan_table() + "\n")
    write(folder / "_generated" / "telemetry.md", telemetry_table() + "\n")
    write(folder / "_generated" / "telemetry-attributes.md", attributes_table() + "\n")
    write(folder / "_generated" / "faults.md", faults_table() + "\n")
    write(folder / "_generated" / "push_faults.md", push_faults_table() + "\n")
    write(folder / "_generated" / "journeys.md", journeys_table() + "\n")
    write(folder / "_generated" / "admin.md", admin_table() + "\n")
    write(folder / "_generated" / "checks.md", checks_table() + "\n")
    for port in (LedgerStore, TokenStore, LimitStore, EventStore):
        write(folder / "_generated" / f"{port.__name__.lower()}.md", port_table(port) + "\n")
    write(folder / "_generated" / "store-checks.md", store_checks_table(StoreContract) + "\n")
    write(folder / "_generated" / "event-store-checks.md", store_checks_table(EventStoreContract) + "\n")
    write(folder / "_generated" / "states.md", states.table())
    for name in states.DRAWINGS:
        write(folder / "_generated" / f"states-{name.replace(' ', '-')}.svg", states.drawing(name))
    write(
        folder / "_generated" / "odoo-crons.md",
        table(("scheduled action", "every", "what it does"), addon.crons()) + "\n",
    )
    write(folder / "_generated" / "odoo-access.md", table(("records", *addon.GROUPS.values()), addon.access()) + "\n")
    write(folder / "_generated" / "odoo-screens.md", addon.screens(folder) + "\n")
    states_of = table(("milestone", "`delivery_state`"), addon.delivery_states())
    write(folder / "_generated" / "odoo-delivery-states.md", states_of + "\n")
    write(folder / "_generated" / "milestones.svg", milestones.drawing())
    for name in ("transitions", "vocabulary", "reasons"):
        write(folder / "_generated" / f"{name}.md", getattr(milestones, name)())
    pages = {}
    found = carriers()
    for carrier, distribution in found:
        pages[f"{carrier.code}.md"] = page(carrier, distribution)  # type: ignore[attr-defined]
    facts = [carrier.facts() for carrier, _ in found]  # type: ignore[attr-defined]
    listing = "\n".join(name.removesuffix(".md") for name in pages)
    about = (
        "What each interface offers and each plugin does: `yes`, `no` (the carrier has none), `emulated` (from other "
        "calls), `not_yet` (the carrier has it, the plugin not)."
    )
    pages["index.md"] = f"# Carriers\n\n{about}\n\n{matrix(facts)}\n\n```{{toctree}}\n:maxdepth: 1\n\n{listing}\n```\n"
    for old in (folder / "plugins").glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        write(folder / "plugins" / name, text)


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this once."""
    app.connect("config-inited", lambda app, config: generate(Path(os.fspath(app.srcdir))))
    return {"parallel_read_safe": True}
