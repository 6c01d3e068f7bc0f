"""Plugins found by name, loaded when asked for, and kept with their error when they are broken."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from shipkit.errors import PluginError
from shipkit.registry import BrokenPlugin, Plugin, Registry
from tests.core.acme import Acme

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution with one plugin on the path, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installed(name: str, source: str) -> None:
        monkeypatch.delitem(sys.modules, f"shipkit_{name}", raising=False)
        (tmp_path / f"shipkit_{name}.py").write_text(textwrap.dedent(source))
        info = tmp_path / f"shipkit_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: shipkit-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[shipkit]\n{name} = shipkit_{name}\n")

    return installed


GOOD = """
    PLUGIN_API = 1
    from shipkit.hookspecs import hookimpl

    @hookimpl
    def shipkit_carriers():
        from tests.core.acme import Acme
        return [Acme]
"""


def test_a_plugin_is_found_by_name_and_loaded_when_asked_for(install: Install) -> None:
    install("acme", GOOD)
    registry = Registry()
    assert "acme" in registry.names()
    assert "shipkit_acme" not in sys.modules
    assert registry.carrier("acme").code == "acme"
    del sys.modules["shipkit_acme"]


@pytest.mark.parametrize(
    ("name", "source", "why"),
    [
        ("crashing", "raise RuntimeError('no wheel for this platform')", "no wheel for this platform"),
        ("missing", "import no_such_module", "no_such_module"),
        ("future", "PLUGIN_API = 9\ndef shipkit_carriers(): return []", "interface 9"),
        ("silent", "PLUGIN_API = 1", "shipkit_carriers"),
    ],
)
def test_a_broken_plugin_is_kept_with_its_error_and_the_others_go_on(
    install: Install, name: str, source: str, why: str
) -> None:
    install(name, source)
    install(f"acme{name}", GOOD)
    registry = Registry()

    broken = next(plugin for plugin in registry.plugins() if plugin.name == name)
    assert isinstance(broken, BrokenPlugin)
    assert why in str(broken.error)
    assert isinstance(registry.plugin(f"acme{name}"), Plugin)
    with pytest.raises(PluginError, match=name):
        registry.carrier(name)


def test_a_plugin_that_is_not_there_is_refused_with_the_names_of_those_that_are() -> None:
    with pytest.raises(PluginError, match="no plugin for nowhere"):
        Registry().carrier("nowhere")


def test_a_registry_of_given_carriers_knows_nothing_else() -> None:
    registry = Registry([Acme])
    assert registry.names() == ("acme",)
    assert registry.carrier("acme") is Acme


def test_listing_names_imports_no_plugin() -> None:
    code = (
        "import sys; from shipkit.registry import Registry; Registry().names();"
        "print([m for m in sys.modules if m.startswith('shipkit_')])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_an_account_knows_its_world_by_name_and_no_other() -> None:
    from shipkit import Environment, InputError

    assert Acme(client_id="h", client_secret="s", environment="production").environment is Environment.PRODUCTION
    assert Acme(client_id="h", client_secret="s").environment is Environment.TEST
    with pytest.raises(InputError) as caught:
        Acme(client_id="h", client_secret="s", environment="moon")
    assert [problem.path for problem in caught.value.problems] == ["/environment"]
