"""The addon's wheel at work: pip puts it beside Odoo, and Odoo finds and installs it without ``--addons-path``.

python -m tests.odoo.wheel
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from . import interpreter
from .places import ADDONS, run, say
from .stand import ADDON, Stand
from .verdict import verdict

# Runs in Odoo's shell. The description of a module is its README, which Odoo renders when somebody looks at it.
LOOK = """
import importlib.metadata
import odoo.addons.delivery_shipkit as addon
module = env["ir.module.module"].search([("name", "=", "delivery_shipkit")])
print(addon.__file__)
print(module.state, module.installed_version, importlib.metadata.version("odoo-addon-delivery-shipkit"))
assert module.description_html
assert "shipkit" in dict(env["delivery.carrier"]._fields["delivery_type"].selection)
assert env["shipkit.account"]._plugins()
"""


def main() -> int:
    """Build the wheel, install it, let Odoo install the addon, and look where it found it."""
    with Stand.or_skipped() as stand, tempfile.TemporaryDirectory() as folder:
        say("building the addon's wheel, and an environment for it")
        run(stand.odoo.python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ADDONS / ADDON)
        (addon,) = Path(folder).glob("odoo_addon_*.whl")
        python = interpreter.fill(Path(folder, "environment"), interpreter.chosen(), *interpreter.TREE)
        # Alone: else pip also brings what Odoo's own metadata names, psycopg2 to be compiled among it.
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", addon)
        checked = subprocess.run(
            [str(python), "-m", "pip", "check"], capture_output=True, text=True, check=False
        ).stdout
        other = stand.with_python(python)
        name = other.databases.clone(other.databases.template())
        try:
            log = other.databases.install(name, (ADDON,))
            looked = other.script(name, LOOK)
        finally:
            other.databases.drop(name)
        print(looked.stdout, end="")
        where, state = looked.stdout.splitlines()[:2] if not looked.returncode else ("", looked.stderr)
        inside = where.startswith(folder) and where.endswith("site-packages/odoo/addons/delivery_shipkit/__init__.py")
        told = [*verdict(log + looked.stderr).log]
        told += [line for line in checked.splitlines() if line.startswith("odoo-addon")]
        good = inside and state.startswith("installed") and not told
        print(
            *told,
            f"{addon.name}: {'installed from the environment' if good else f'not as it should be: {where} {state}'}",
            sep="\n",
        )
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
