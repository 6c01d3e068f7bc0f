"""Keys are found where they stand, in any way that TOML lets them be written."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shipkit.config.positions import places

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = '''# a comment with [accounts.none] in it
[accounts.ups-eu]   # behind a header
carrier = "ups" # "quoted" = here
"client id" = 'x = y'
secret = { env = "A", other = [1, {deep = true}] }
dotted . key = """
not = here
"""

[[many]]
one = [
  "a", # ]
  {b = 1},
]
[[many]]
one = 2
[many.under]
two = 3
'''


def test_every_key_is_found_at_its_line_and_column() -> None:
    assert places(TEXT) == {
        ("accounts", "ups-eu"): (2, 2),
        ("accounts", "ups-eu", "carrier"): (3, 1),
        ("accounts", "ups-eu", "client id"): (4, 1),
        ("accounts", "ups-eu", "secret"): (5, 1),
        ("accounts", "ups-eu", "secret", "env"): (5, 12),
        ("accounts", "ups-eu", "secret", "other"): (5, 23),
        ("accounts", "ups-eu", "secret", "other", 0): (5, 32),
        ("accounts", "ups-eu", "secret", "other", 1): (5, 35),
        ("accounts", "ups-eu", "secret", "other", 1, "deep"): (5, 36),
        ("accounts", "ups-eu", "dotted"): (6, 1),
        ("accounts", "ups-eu", "dotted", "key"): (6, 1),
        ("many", 0): (10, 3),
        ("many", 0, "one"): (11, 1),
        ("many", 0, "one", 0): (12, 3),
        ("many", 0, "one", 1): (13, 3),
        ("many", 0, "one", 1, "b"): (13, 4),
        ("many", 1): (15, 3),
        ("many", 1, "one"): (16, 1),
        ("many", 1, "under"): (17, 2),
        ("many", 1, "under", "two"): (18, 1),
    }


def test_the_places_are_those_of_what_the_parser_read() -> None:
    known = {path for path, _ in walked(tomllib.loads(TEXT), ())}

    assert known - {("accounts",), ("many",)} == set(places(TEXT))


def walked(value: Any, path: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], Any]]:
    found = [(path, value)] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        found += walked(item, (*path, name))
    return found


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\u{ord(c):04x}" if c in '"\\' else c for c in text) + '"'


@given(st.dictionaries(WORDS, st.one_of(WORDS, st.integers(), st.lists(WORDS, max_size=2)), max_size=6))
def test_a_table_of_any_keys_and_values_is_walked_to_its_end(table: dict[str, Any]) -> None:
    def written(value: Any) -> str:
        if isinstance(value, list):
            return "[" + ", ".join(map(written, value)) + "]"
        return str(value) if isinstance(value, int) else quoted(value)

    lines = [f"{quoted(key)} = {written(value)}" for key, value in table.items()]
    text = "\n".join(["[t]", *lines])
    found = places(text)

    assert tomllib.loads(text) == {"t": table}
    assert [found["t", key] for key in table] == [(number, 1) for number in range(2, len(table) + 2)]
