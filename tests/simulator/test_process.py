"""A simulator in a process of its own ends with the process that it was started for."""

from __future__ import annotations

import subprocess
import sys
import urllib.request

import pytest

from shipkit.simulator.__main__ import main

pytestmark = pytest.mark.process


def test_it_answers_until_its_host_has_ended() -> None:
    host = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = [sys.executable, "-m", "shipkit.simulator", "ups", "--host-pid", str(host.pid)]
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        url = simulator.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/_sim/bookings", timeout=5) as response:
            assert response.status == 200
        host.communicate(b"\n", timeout=10)

        assert simulator.wait(timeout=10) == 0


def test_what_cannot_be_simulated_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gone"]) == 1
    assert "no plugin for gone is installed" in capsys.readouterr().err
