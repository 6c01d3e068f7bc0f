"""How the pages are built; the tables in them come out of the code while they are built."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "shipkit"
author = "The shipkit maintainers"
release = version = installed("shipkit-sdk")
extensions = ["myst_parser", "generated"]
html_theme = "furo"
html_title = f"shipkit {release}"
html_show_copyright = False
exclude_patterns = ["_build", "_ext", "_generated"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
