"""The service, from a shell."""

from __future__ import annotations

import logging
import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from .arguments import ConfigFile, repeated

__all__ = ["serve"]


def serve(
    *,
    only: Annotated[
        tuple[Literal["endpoint", "worker", "relay", "poller"], ...], repeated("--only", "Run just this part")
    ] = (),
    host: Annotated[str | None, Parameter(help="Where it listens; else [service] of the configuration.")] = None,
    port: Annotated[int | None, Parameter(help="0 takes a free one.")] = None,
    config: ConfigFile = None,
) -> int:
    """Take pushes, read them, publish what follows, ask carriers; until SIGTERM or Ctrl-C.

    All of it in this process, which is right for SQLite; on PostgreSQL there may be several processes, each with its
    part. The paths that carriers push to are printed by: shipkit events paths.
    """
    import attrs

    from ...config import loaded
    from ...service import serve as run

    found = loaded(config)
    service = found.service
    service = attrs.evolve(
        service, host=service.host if host is None else host, port=service.port if port is None else port
    )
    found = attrs.evolve(found, service=service)
    for warning in found.warnings:
        sys.stderr.write(f"shipkit serve: {warning}\n")
    # Not the root's logger: a library at its side may print addresses with numbers and keys in them. Of uvicorn's no
    # warnings: a stranger can make it warn as often as he likes.
    told = logging.StreamHandler(sys.stderr)
    told.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name, level in (("shipkit", logging.INFO), ("uvicorn", logging.ERROR)):
        logging.getLogger(name).addHandler(told)
        logging.getLogger(name).setLevel(level)
    return run(found, only)
