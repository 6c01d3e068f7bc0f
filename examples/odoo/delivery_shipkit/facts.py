"""What the plugins state of their carriers, as forms show it."""

from __future__ import annotations

from collections.abc import Iterator

from shipkit.errors import PluginError
from shipkit.model import CarrierFacts, DocumentKind, LabelFormatFacts

from .models.account import REGISTRY


def label_value(label: LabelFormatFacts) -> str:
    """A label of the facts as text, such as ``zpl``, ``zpl-300`` or ``pdf-a4``."""
    size = label.size.format.value if label.size is not None and label.size.format != "custom" else ""
    return "-".join(part for part in (str(label.format), str(label.dpi or ""), size) if part)


def label_words(value: str) -> str:
    """That text for people."""
    kind, *rest = value.split("-")
    return ", ".join([kind.upper(), *(f"{part} dpi" if part.isdigit() else part for part in rest)])


def all_facts() -> Iterator[CarrierFacts]:
    """Of every plugin that works."""
    for name in REGISTRY.names():
        try:
            yield REGISTRY.carrier(name).facts()
        except PluginError:
            continue  # a broken plugin offers nothing; its own methods say so


def labels_of(facts: CarrierFacts) -> list[LabelFormatFacts]:
    """The labels of the way out."""
    return [label for label in facts.label_formats if label.kind is DocumentKind.LABEL]


def capabilities_of(facts: CarrierFacts) -> dict[str, object]:
    """The facts that views and people ask for, as plain JSON."""
    able = [str(name) for name, operation in facts.operations.items() if operation.support in ("yes", "emulated")]
    return {
        "carrier": facts.name,
        "interface": facts.interface,
        "operations": sorted(able),
        "options": sorted(str(option.code) for option in facts.options),
        "services": len(facts.services),
        "labels": sorted({label_value(label) for label in labels_of(facts)}),
        "packages_max": facts.limits.packages_max if facts.limits is not None else None,
        "billing": str(facts.recovery.billing) if facts.recovery.billing is not None else None,
        "void_hours": facts.void.window_h if facts.void is not None else None,
    }
