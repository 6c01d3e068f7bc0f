"""Databases: templates, made once for what they hold, and clones of them that somebody may spoil."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from . import debian
from .cluster import Cluster
from .places import ADDONS, CACHE, PLUGINS, ROOT, digest, files_of, last_lines, locked, say
from .process import Odoo

__all__ = ["Databases"]

CORE = ("stock_delivery",)
RECIPE = 1
"""To be raised when the same template is to be made in another way."""
KEPT_S = 12 * 3600
"""Templates of the addon that nobody used for so long are dropped."""
# Else the first test that opens a page makes them in each clone, 20 s long.
ASSETS = "env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()"


class Databases:
    """The databases of *cluster*, with Odoo's files of each."""

    def __init__(self, cluster: Cluster, odoo: Odoo) -> None:
        self._cluster = cluster
        self._odoo = odoo
        self._files = odoo.folder / "filestore"
        self._used = CACHE / "used"
        self._used.mkdir(exist_ok=True)

    def exists(self, name: str) -> bool:
        return bool(self._cluster.query("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def template(self, modules: tuple[str, ...] = (), *, demo: bool = False) -> str:
        """The name of a database with Odoo's delivery modules, and with *modules* of this tree, installed in it."""
        core = f"odoo_{digest(debian.version(), CORE, demo, RECIPE)}"
        self._once(core, lambda name: self._from_nothing(name, demo))
        if not modules:
            return core
        ours = [files_of(ADDONS / module, without=("tests",)) for module in modules]
        tree = [files_of(project / "src") for project in (ROOT, *PLUGINS)]
        name = f"ours_{digest(core, modules, ours, tree)}"
        self._once(name, lambda name: self._from_core(name, core, modules, demo))
        return name

    def clone(self, template: str, name: str = "") -> str:
        """A database like *template*; without a *name* it gets one that tells whose it is."""
        name = name or f"run_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        self.drop(name)
        with locked("clone"):  # two at once may meet in what PostgreSQL does to the template
            self._cluster.query("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        if (self._files / template).exists():
            # Odoo never writes into a file of its store, it makes another one.
            shutil.copytree(self._files / template, self._files / name, copy_function=os.link)
        return name

    def drop(self, name: str) -> None:
        """The database and its files, whoever is connected."""
        self._cluster.query("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(self._files / name, ignore_errors=True)

    def sweep(self) -> None:
        """Drop the clones of processes that died, and templates of trees that are gone."""
        for (name,) in self._cluster.query("postgres", "SELECT datname FROM pg_database"):
            kind, _, rest = name.partition("_")
            dead = kind == "run" and not Path("/proc", rest.partition("_")[0]).exists()
            mark = self._used / name
            forgotten = kind == "ours" and (not mark.exists() or time.time() - mark.stat().st_mtime > KEPT_S)
            if dead or forgotten:
                self.drop(name)

    def _once(self, name: str, make: Callable[[str], None]) -> None:
        (self._used / name).touch()
        with locked(f"template-{name}"):
            if self.exists(name):
                return
            new = f"new_{name}"
            self.drop(new)
            make(new)
            shutil.rmtree(self._files / name, ignore_errors=True)
            if (self._files / new).exists():
                (self._files / new).rename(self._files / name)
            self._cluster.query("postgres", f'ALTER DATABASE "{new}" RENAME TO "{name}"')

    def _from_nothing(self, name: str, demo: bool) -> None:
        say(f"making the template database: {', '.join(CORE)}{' with demo data' if demo else ''}")
        self.install(name, CORE, demo=demo)
        self._finish(self._odoo.shell(name, ASSETS, level="critical", env=None, **PIPED))

    def _from_core(self, name: str, core: str, modules: tuple[str, ...], demo: bool) -> None:
        say(f"installing {', '.join(modules)} into a template")
        self.clone(core, name)
        self.install(name, modules, demo=demo)
        self._finish(self._odoo.shell(name, ASSETS, level="critical", env=None, **PIPED))

    def install(self, name: str, modules: tuple[str, ...], *, demo: bool = False) -> str:
        """Install *modules* in database *name*, which is made where it is not there; what Odoo had to warn of."""
        options = ["--with-demo" if demo else "--without-demo", "--stop-after-init", "--no-http", "--log-level=warn"]
        return self._finish(self._odoo.start("server", "-d", name, "-i", ",".join(modules), *options, **PIPED))

    @staticmethod
    def _finish(process: subprocess.Popen[str]) -> str:
        printed, _ = process.communicate(timeout=900)
        if process.returncode:
            raise RuntimeError(f"Odoo ended with {process.returncode}:\n{last_lines(printed, 60)}")
        return printed


PIPED = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
