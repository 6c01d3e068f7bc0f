"""The command as a shell meets it: its help, its exit codes, what it looks at."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from shipkit.cli import COMMANDS, GROUPS
from shipkit.config import loaded
from shipkit.simulator import Simulator
from tests.cli.conftest import PLUGIN, ROOT, Ran, Run, install
from tests.cli.orders import order, table

Start = Callable[..., Ran]
ENTRY = "import sys; from shipkit.cli import main; sys.exit(main())"
CARRIERS = ("dpd_fr", "easypost", "mondialrelay", "ups")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_the_overview_names_every_command(run: Run, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments)

    assert shown.code == 0 and shown.err == ""
    assert all(f"  {name} " in shown.out for name in (*COMMANDS, *GROUPS))


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_names_its_commands(run: Run, group: str) -> None:
    alone, asked, unknown = run(group), run(group, "--help"), run(group, "nothing")

    assert alone == asked and alone.code == 0
    assert all(f"  {name} " in alone.out for name in GROUPS[group][1])
    assert unknown.code == 2 and f"shipkit {group}: no command is called nothing" in unknown.err


def test_a_command_is_found_without_its_group(run: Run) -> None:
    assert "did you mean ledger recover?" in run("recover").err


@pytest.mark.parametrize(
    "name", [*COMMANDS, *(f"{group} {name}" for group, (_, names) in GROUPS.items() for name in names)]
)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    shown = run(*name.split(), "--help")

    assert shown.code == 0
    assert f"Usage: shipkit {name}" in shown.out


def test_the_overview_loads_nothing_of_the_house(start: Start) -> None:
    code = "import sys; from shipkit.cli import main; main(['--help']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded_modules = done.stdout.splitlines()[-1]
    assert not any(f"'{name}'" in loaded_modules for name in ("cyclopts", "rich", "attr", "httpx", "shipkit.model"))


def test_help_costs_at_most_one_and_a_half_times_importing_cyclopts() -> None:
    def cost(code: str, *arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code, *arguments], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(cost(ENTRY, "--help"), cost("import cyclopts")) for _ in range(7)]

    assert min(ours for ours, _ in pairs) <= 1.5 * min(theirs for _, theirs in pairs)


@pytest.mark.process
def test_exit_codes_tell_a_script_what_happened(start: Start, shop: Path, acme_plugin: Path) -> None:
    env = {"PYTHONPATH": os.pathsep.join([str(acme_plugin), str(ROOT)])}

    def code(*arguments: str, stdin: str = "") -> int:
        done = start(*arguments, stdin=stdin, env=env)
        assert "Traceback" not in done.err, done.err
        return done.code

    assert code("ship", "--account", "shop", stdin=table(order("A1"))) == 0
    assert code("ship", "--account", "shop", stdin=table(order("A1"), order("A2", weight="0"))) == 1
    assert code("ship", "--account", "nobody", stdin=table(order("A1"))) == 2
    assert code("ship", "absent.csv") == 2
    assert code("--version") == 0


@pytest.mark.process
def test_an_output_that_nobody_reads_any_more_is_no_crash(shop: Path, acme_plugin: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(acme_plugin), str(ROOT)])}
    command = [sys.executable, "-c", ENTRY, "ship", "--account", "shop", "--json"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=env, text=True
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdout.close()
    process.stdin.write(table(*(order(f"A{n}") for n in range(1, 40))))
    process.stdin.close()

    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) != 0
    assert "Traceback" not in errors


@pytest.mark.process
def test_an_interrupted_run_ends_what_it_began_and_the_next_one_does_the_rest(
    run: Run, start: Start, shop: Path, acme: Simulator, acme_plugin: Path, tmp_path: Path
) -> None:
    fault = acme.add_fault("slow", times=None, after_s=0.15)
    orders = tmp_path / "orders.csv"
    orders.write_text(table(*(order(f"A{n}") for n in range(1, 31))))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(acme_plugin), str(ROOT)])}
    command = [sys.executable, "-c", ENTRY, "ship", str(orders), "--account", "shop", "--json", "--jobs", "3"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=env, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    # Not communicate(): it would pass over the lines that came in together with the first one.
    assert process.stderr is not None
    with process.stdout, process.stderr:
        rest, errors = process.stdout.read(), process.stderr.read()
    process.wait(timeout=30)
    told = [json.loads(line) for line in (first + rest).splitlines()]

    assert process.returncode == 130 and "Traceback" not in errors
    assert 0 < len(told) < 30 and "not begun" in errors
    assert len(acme.bookings()) == len(told)
    acme.faults.remove(fault)
    assert run("ship", str(orders), "--account", "shop").code == 0
    assert len(acme.bookings()) == 30


@pytest.mark.process
def test_a_progress_bar_is_drawn_where_a_person_watches(shop: Path, acme_plugin: Path, tmp_path: Path) -> None:
    import pty

    orders = tmp_path / "orders.csv"
    orders.write_text(table(*(order(f"A{n}") for n in range(1, 6))))
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "PYTHONPATH": os.pathsep.join([str(acme_plugin), str(ROOT)])}
    command = [sys.executable, "-c", ENTRY, "ship", str(orders), "--account", "shop", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, cwd=tmp_path, env=env) as process:
        os.close(slave)
        watched = b""
        try:
            while piece := os.read(master, 4096):
                watched += piece
        except OSError:  # the other end was closed
            pass
        out = process.stdout.read() if process.stdout is not None else b""
    os.close(master)

    assert process.returncode == 0
    assert b"5/5" in watched
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["booked"] * 5


@pytest.mark.parametrize("command", ["ship", "rates", "track", "pickup", "documents"])
def test_every_column_that_is_listed_is_taken(run: Run, shop: Path, command: str) -> None:
    names = run("columns", command).lines
    done = run(command, "--account", "shop", stdin=",".join(names) + "\n")

    assert len(names) > 5
    assert done.code == 0, done.err


# Plugins and the doctor -------------------------------------------------------------------------------------------


def test_plugins_are_shown_with_what_each_operation_is_worth(run: Run, acme_plugin: Path) -> None:
    shown, data = run("plugins"), json.loads(run("plugins", "--json").out)

    assert shown.code == 0
    by_name = {plugin["name"]: plugin for plugin in data}
    assert {*CARRIERS, "acme"} <= set(by_name)
    (acme,) = by_name["acme"]["carriers"]
    assert acme["operations"]["rates"] == {"support": "yes"}
    rates = next(line.split() for line in shown.lines if line.startswith("rates"))
    columns = next(line.split() for line in shown.lines if line.startswith("operation"))
    assert dict(zip(columns, rates, strict=True))["acme"] == "yes"
    assert dict(zip(columns, rates, strict=True))["dpd_fr"] == "no"


def test_a_broken_plugin_is_shown_with_its_error_and_the_others_go_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site", "shipkit-torn", "shipkit_torn", files={"shipkit_torn.py": "1 / 0\n"})
    install(
        tmp_path / "site", "shipkit-old", "shipkit_old", files={"shipkit_old.py": PLUGIN.replace("API = 1", "API = 99")}
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    shown = run("plugins")
    by_name = {plugin["name"]: plugin for plugin in json.loads(run("plugins", "--json").out)}

    assert shown.code == 1
    assert "broken: torn" in shown.out and "ZeroDivisionError" in by_name["torn"]["error"]
    assert "interface 99" in by_name["old"]["error"]
    assert set(CARRIERS) <= set(by_name) and "carriers" in by_name["ups"]
    assert run("doctor").code == 1


def test_the_doctor_says_what_it_found(run: Run, shop: Path) -> None:
    done = run("doctor")
    found = {each["what"]: each for each in json.loads(run("doctor", "--json").out)}

    assert done.code == 0
    assert found["configuration"]["accounts"] == {"shop": {"carrier": "acme", "environment": "test"}}
    assert found["configuration"]["path"] == "shipkit.toml"
    assert found["store"]["state"] == "note" and "ledger.db" in found["store"]["text"]
    assert found["settings"]["settings"]["settle_s"] == 900
    assert found["versions"]["versions"]["shipkit-sdk"]
    assert "name resolution" in found["deadlines"]["text"]
    assert all(f"plugin {name}" in found for name in CARRIERS)
    assert "hush" not in done.out


def test_the_doctor_names_open_keys_and_a_store_that_does_not_open(
    run: Run, shop: Path, acme: Simulator, tmp_path: Path
) -> None:
    acme.add_fault("drop_after_commit")
    acme.add_fault("503", operation="find_shipments", times=None, when="before")
    run("ship", stdin=table(order("A1")))
    waiting = run("doctor")
    (tmp_path / "ledger.db").unlink()
    for rest in tmp_path.glob("ledger.db-*"):
        rest.unlink()
    (tmp_path / "ledger.db").mkdir()
    broken = run("doctor")

    assert waiting.code == 0 and "1 keys open; shipkit ledger recover looks at them" in waiting.out
    assert broken.code == 1 and "cannot be opened" in broken.out


def test_the_doctor_names_every_problem_of_a_configuration(run: Run, shop: Path) -> None:
    shop.write_text('[accounts.shop]\ncarrier = "acme"\n[settings]\nattempt = "hush"\n')
    done = run("doctor")

    assert done.code == 1
    assert "/accounts/shop/client_id line 1" in done.out and "/settings/attempt line 4" in done.out
    assert "hush" not in done.out


def test_the_doctor_finds_another_distributions_files_in_our_package(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    install(site, "shipkit", "", files={"shipkit/__init__.py": "", "shipkit/other.py": ""})
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    done = run("doctor")

    assert done.code == 1
    assert "shipkit 1.0 has a package shipkit of its own: uninstall it" in done.out
    assert f"{site / 'shipkit'} is another package of the same name" in done.out


def test_files_that_are_not_as_they_were_installed_are_found(tmp_path: Path) -> None:
    from base64 import urlsafe_b64encode
    from hashlib import sha256
    from importlib.metadata import distributions

    from shipkit.cli.health import altered, strangers

    package = tmp_path / "shipkit"
    install(tmp_path, "shipkit-sdk", "", files={"shipkit/__init__.py": "ours", "shipkit/model.py": "ours"})
    digest = urlsafe_b64encode(sha256(b"ours").digest()).decode().rstrip("=")
    record = tmp_path / "shipkit_sdk-1.0.dist-info" / "RECORD"
    record.write_text(f"shipkit/__init__.py,sha256={digest},4\nshipkit/model.py,sha256={digest},4\n")

    def found() -> list[str]:
        return [*altered(distributions(path=[str(tmp_path)]), package)]

    assert found() == []
    (package / "__init__.py").write_text("theirs")
    assert "shipkit/__init__.py" in found()[0] and "model" not in found()[0]
    install(tmp_path, "Shipkit", "", files={"shipkit/theirs.py": ""})
    (stranger,) = strangers(distributions(path=[str(tmp_path)]), package)
    assert stranger.startswith(f"shipkit 1.0 has 1 files in {package}")


# Simulators -------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_a_simulated_carrier_answers_until_it_is_interrupted(acme_plugin: Path, tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text('[[faults]]\nfault = "slow"\nafter_s = 0.1\n')
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(acme_plugin), str(ROOT)])}
    command = [sys.executable, "-c", ENTRY, "simulate", "acme", "--faults", str(faults)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None and process.stderr is not None
    out = ""
    while "Ctrl-C" not in out:
        out += process.stdout.readline()
    url = out.split()[3]
    opener = build_opener(ProxyHandler({}))
    with opener.open(f"{url}/_sim/faults", timeout=10) as answer:
        pending = json.load(answer)
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=20)

    assert process.returncode == 0, err
    assert [fault["fault"] for fault in pending] == ["slow"]
    assert "[accounts.acme]" in out and f'base_url = "{url}"' in out
    assert "0 requests, 0 bookings" in rest
    assert "Traceback" not in err


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_account_that_is_shown_for_a_simulator_is_a_configuration(tmp_path: Path, carrier: str) -> None:
    from shipkit.cli.demo.stage import account_lines

    path = tmp_path / "shown.toml"
    path.write_text("\n".join(account_lines(carrier, "http://127.0.0.1:1")))
    config = loaded(path, environ={})

    assert config.accounts[carrier].code == carrier
    assert config.accounts[carrier].base_url == "http://127.0.0.1:1"


def test_a_port_that_is_taken_and_faults_that_do_not_exist_end_with_2(
    run: Run, acme: Simulator, tmp_path: Path
) -> None:
    taken = run("simulate", "acme", "--port", acme.url.rpartition(":")[2])
    (tmp_path / "faults.json").write_text('[{"fault": "earthquake"}]')
    unknown = run("simulate", "acme", "--faults", "faults.json")
    absent = run("simulate", "acme", "--faults", "absent.json")

    assert [done.code for done in (taken, unknown, absent)] == [2, 2, 2]
    assert "in use" in taken.err and "earthquake" in unknown.err and "absent.json" in absent.err
