"""The gateway of the example, run: nginx before ``shipkit serve``, as its files say but for ports and folders."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trustme

from shipkit import Client
from shipkit.store import SqliteStore
from tests.service.test_serving import pushed, until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "service"
SECRET = "canary-of-pushes"
SECRETS = {
    "EASYPOST_API_KEY": "EZTK-not-a-real-key",
    "EASYPOST_WEBHOOK_SECRET": SECRET,
    "EASYPOST_WEBHOOK_SECRET_BEFORE": "the one before",
    "UPS_CLIENT_ID": "id",
    "UPS_CLIENT_SECRET": "not a real secret",
    "UPS_SHIPPER_NUMBER": "A1B2C3",
    "UPS_WEBHOOK_CREDENTIAL": "c" * 32,
}
pytestmark = [
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.process,
    pytest.mark.skipif(NGINX is None, reason="there is no nginx here (Debian: apt-get install nginx-light)"),
]


class Gateway:
    """Both processes, and a client of TLS."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.inner = _free(), _free()
        self.authority, self.partners = trustme.CA(), trustme.CA()
        self._files()
        log = (folder / "serve.log").open("wb")
        environ = {**os.environ, **SECRETS}
        command = [sys.executable, "-m", "shipkit.cli", "serve", "--config", "shipkit.toml"]
        self.processes = [subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environ)]
        until(lambda: _listens(self.inner))
        as_root = "user root; " if os.geteuid() == 0 else ""
        own = f"daemon off; {as_root}pid {folder}/nginx.pid;"
        with (folder / "nginx.log").open("wb") as errors:
            command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", own]
            self.processes.append(subprocess.Popen(command, stdout=errors, stderr=errors))
        until(lambda: _listens(self.port) or self._ended())
        log.close()

    def _ended(self) -> bool:
        assert self.processes[1].poll() is None, (self.folder / "nginx.log").read_text()
        return False

    def _files(self) -> None:
        (self.folder / "tls").mkdir()
        names = [f"{name}.hooks.example.com" for name in ("easypost", "ups", "depot")]
        certificate = self.authority.issue_cert(*names)
        certificate.cert_chain_pems[0].write_to_path(self.folder / "tls/hooks.pem")
        certificate.private_key_pem.write_to_path(self.folder / "tls/hooks.key")
        self.partners.cert_pem.write_to_path(self.folder / "tls/partners.pem")
        temporary = "".join(
            f"    {kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        changes = {
            "/etc/shipkit": str(self.folder),
            "/var/log/nginx": str(self.folder),
            "listen 443": f"listen 127.0.0.1:{self.port}",
            "8470": str(self.inner),
            "203.0.113.0/24": "127.0.0.2/31",
            "http {\n": f"http {{\n{temporary}",
        }
        for name in ("nginx.conf", "partner.conf", "pass.conf", "shipkit.toml"):
            text = (EXAMPLE / name).read_text()
            for old, new in changes.items():
                text = text.replace(old, new)
            (self.folder / name).write_text(text)

    def context(self, *, certified: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if certified:
            self.partners.issue_cert("depot@example.com").configure_cert(context)
        return context

    def connected(
        self, partner: str, *, source: str = "127.0.0.1", certified: bool = False
    ) -> http.client.HTTPConnection:
        name = f"{partner}.hooks.example.com"
        raw = socket.create_connection(("127.0.0.1", self.port), 30, (source, 0))
        connection = http.client.HTTPConnection(name)
        connection.sock = self.context(certified=certified).wrap_socket(raw, server_hostname=name)
        return connection

    def ask(
        self, partner: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, **how: Any
    ) -> tuple[int, dict[str, str]]:
        with closing(self.connected(partner, **how)) as connection:
            connection.request("POST" if body else "GET", path, body or None, headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def paths(self) -> dict[str, str]:
        from shipkit.config import loaded

        config = loaded(self.folder / "shipkit.toml", environ=SECRETS)
        with closing(config.store()) as store, Client(config.accounts, store=store) as client:
            return dict(client.events.webhook_paths())

    def stored(self) -> list[tuple[str, bytes]]:
        with closing(SqliteStore(self.folder / "shipkit.db")) as store:
            found = store.events.letters(bodies=True, limit=1000)
            return [(letter.delivery.account, letter.delivery.body) for letter in found]

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway(tmp_path_factory.mktemp("gateway"))
    yield made
    made.stop()


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def test_a_signed_push_of_a_partner_arrives(gateway: Gateway) -> None:
    body, headers = pushed()
    assert gateway.ask("easypost", gateway.paths()["easypost"], body, headers)[0] == 200
    assert ("easypost", body) in gateway.stored()
    assert gateway.ask("easypost", gateway.paths()["easypost"])[0] == 200  # it looks whether the address is there


def test_a_forged_push_is_refused_by_the_service(gateway: Gateway) -> None:
    body, _ = pushed()
    status, headers = gateway.ask("easypost", gateway.paths()["easypost"], body + b" ", {"X-Hmac-Signature": "x"})
    assert (status, headers["content-type"]) == (401, "application/problem+json")


def test_there_is_nothing_without_tls_and_nothing_without_a_partners_name(gateway: Gateway) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)) as plain:
        plain.request("GET", gateway.paths()["easypost"])
        assert plain.getresponse().status == 400
    raw = socket.create_connection(("127.0.0.1", gateway.port), 30)
    with closing(raw), pytest.raises(ssl.SSLError):
        gateway.context().wrap_socket(raw, server_hostname="elsewhere.example.com")


def test_the_path_of_another_partner_is_not_there(gateway: Gateway) -> None:
    body, headers = pushed()
    paths = gateway.paths()
    before = gateway.stored()
    assert gateway.ask("easypost", paths["depot"], body, headers)[0] == 404
    assert gateway.ask("easypost", paths["ups"])[0] == 404
    for inside in ("/readyz", "/healthz", "/metrics", "/", "/webhooks/easypost/../depot/x"):
        assert gateway.ask("easypost", inside)[0] == 404
    assert gateway.stored() == before


def test_a_partner_is_let_in_from_its_addresses_only(gateway: Gateway) -> None:
    path = gateway.paths()["ups"]
    assert gateway.ask("ups", path, source="127.0.0.1")[0] == 403
    assert gateway.ask("ups", path, source="127.0.0.2")[0] == 200


def test_a_partner_with_a_certificate_is_let_in_with_it_only(gateway: Gateway) -> None:
    body, headers = pushed()
    path = gateway.paths()["depot"]
    assert gateway.ask("depot", path, body, headers)[0] == 400  # nginx: no required certificate was sent
    assert gateway.ask("depot", path, body, headers, certified=True)[0] == 200
    assert ("depot", body) in gateway.stored()


def test_a_body_that_is_too_long_is_cut_at_the_gateway(gateway: Gateway) -> None:
    status, headers = gateway.ask("easypost", gateway.paths()["easypost"], bytes(1_100_000))
    assert status == 413
    assert headers["content-type"] != "application/problem+json"  # it is the gateway that says so


def test_too_many_in_a_short_time_are_told_to_come_again(gateway: Gateway) -> None:
    path = gateway.paths()["ups"]
    with closing(gateway.connected("ups", source="127.0.0.3")) as connection:
        for _ in range(2000):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                break
    assert (answer.status, answer.getheader("retry-after")) == (429, "1")


def test_no_log_holds_a_path_or_a_secret(gateway: Gateway) -> None:
    body, headers = pushed()
    paths = gateway.paths()
    gateway.ask("easypost", paths["easypost"], body, headers)
    gateway.ask("easypost", paths["easypost"], bytes(1_100_000))
    gateway.ask("easypost", paths["depot"], body, headers)
    time.sleep(0.1)
    logs = {path.name: path.read_text() for path in gateway.folder.glob("*.log")}
    assert {"serve.log", "nginx.log", "shipkit.log"} <= logs.keys()
    assert "easypost.hooks.example.com 200" in logs["shipkit.log"]
    secrets = [SECRET, "webhooks/", *(path.rpartition("/")[2] for path in paths.values())]
    assert [(name, secret) for name, text in logs.items() for secret in secrets if secret in text] == []


def test_while_the_service_is_away_senders_are_told_to_come_again(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    try:
        path = gateway.paths()["easypost"]
        gateway.processes[0].terminate()
        assert gateway.processes[0].wait(90) == 0
        status, headers = gateway.ask("easypost", path)
    finally:
        gateway.stop()
    assert (status, headers["retry-after"]) == (503, "5")
