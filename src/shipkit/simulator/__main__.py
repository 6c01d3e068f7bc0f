"""One simulated carrier in a process of its own, for a host: ``python -m shipkit.simulator CARRIER --port 8021``."""

from __future__ import annotations

import argparse
import os
import sys
import time

from ..errors import PluginError
from ..registry import Registry
from .clock import Clock
from .simulator import Simulator
from .world import World

_LOOK_S = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Answer on loopback until it is interrupted, or until the process that it was started for has ended."""
    parser = argparse.ArgumentParser(prog="python -m shipkit.simulator", description=main.__doc__)
    parser.add_argument("carrier", help="the code of a plugin")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host-pid", type=int, default=0, help="end when this process has")
    given = parser.parse_args(arguments)
    try:
        dialect = Registry().simulator(given.carrier)
        # Another run is another series of numbers: the host remembers parcels that these books do not have.
        simulator = Simulator(
            dialect(World(Clock(), count_from=int(time.time()) % 1_000_000)), port=given.port, push_every_s=1
        )
        sys.stdout.write(f"{simulator.start()}\n")
        sys.stdout.flush()
    except (PluginError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        while not given.host_pid or _runs(given.host_pid):
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        pass
    simulator.stop()
    return 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as somebody else
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
