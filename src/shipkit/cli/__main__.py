"""``python -m shipkit.cli``."""

import sys

from . import main

sys.exit(main())
