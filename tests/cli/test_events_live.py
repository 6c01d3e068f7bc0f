"""What the page about receiving shows, done with real processes: the service, a reader, and a carrier that pushes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import WARNINGS, Run

CODE = "import sys; from shipkit.cli import main; sys.exit(main(sys.argv[1:]))"


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    env = {**os.environ, "PYTHONWARNINGS": WARNINGS}
    command = [sys.executable, "-c", CODE, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(60)


def line_of(process: subprocess.Popen[str], wanted: str) -> str:
    """The next line that the process writes to stderr in which *wanted* stands."""
    assert process.stderr is not None
    for line in process.stderr:
        if wanted in line:
            return line
    raise AssertionError(f"it ended without {wanted}")


@pytest.mark.slow
@pytest.mark.process
def test_a_newcomer_sees_a_push_come_in(run: Run) -> None:
    config = Path("shipkit.toml")
    config.touch(mode=0o600)
    config.write_text(
        '[accounts.shop]\ncarrier = "easypost"\napi_key = "EZTK-live"\nwebhook_secret = "known to both"\n'
        'base_url = "http://127.0.0.1:9"\n\n[store]\npath = "live.db"\n\n[service]\nidle_s = 0.05\n'
    )
    (where,) = [json.loads(line) for line in run("events", "paths", "--json").lines]
    with started("serve", "--port", "0", "--only", "endpoint", "--only", "worker") as service:
        found = re.search(r"127\.0\.0\.1:(\d+)", line_of(service, "taking pushes at"))
        assert found is not None
        with started("listen", "--idle-s", "0.05", "--type", "milestone") as reader:
            line_of(reader, "listening")
            url = f"http://127.0.0.1:{found[1]}{where['path']}"
            sent = run("trigger", "delivered", "--carrier", "easypost", "--secret", "known to both", "--to", url)
            assert sent.code == 0 and all(line.endswith("200") for line in sent.lines), sent.out + sent.err
            number = sent.lines[-1].split()[0]
            assert run("events", "list").out == "", "nobody has registered it"
            assert run("events", "follow", number, "--account", "shop").code == 0
            assert reader.stdout is not None
            milestones = []
            for line in reader.stdout:
                assert number not in line and f"…{number[-4:]}" in line
                milestones.append(line.split()[5])
                if milestones[-1] == "delivered":
                    break
    assert milestones[-1] == "delivered" and len(milestones) >= 4
    assert service.returncode == 0 and reader.returncode == 130
