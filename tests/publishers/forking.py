"""A publisher before a fork, in the child, and in the parent after it: ``… forking KIND JSON``."""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from typing import Any

from shipkit import publishers
from tests.publishers.outbox import batch

SCOPE = "acme:a"


def main(kind: str, words: dict[str, Any]) -> int:
    warnings.simplefilter("ignore")  # a fork beside threads is what is tried here
    publisher = getattr(publishers, kind)(**words)
    first, second, third = batch(SCOPE, SCOPE, SCOPE)
    assert publisher.publish([first]) == ()
    child = os.fork()
    if not child:
        signal.alarm(60)
        assert publisher.publish([second]) == ()
        publisher.close()
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "the child did not end well"
    assert publisher.publish([third]) == ()
    publisher.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
