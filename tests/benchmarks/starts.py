"""What importing costs, and how soon the first request is ready, each in fresh processes."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .timing import Figure, asked, asked_once

__all__ = ["first_client", "imports", "many_plugins"]

_TIMED = "import time; began = time.process_time()\n{work}\nprint(time.process_time() - began)"
_VALUE = "Package(ref='1', weight=Weight('1.5', WeightUnit.KG))"
_CLIENT = """
import os
from shipkit.registry import Registry
from shipkit import Client, ShipmentRequest, Package, Party, Address, Contact, Weight, WeightUnit

class Ready(BaseException):
    pass

class Stub:
    def send(self, effect):
        raise Ready
    def close(self):
        pass

def party(name, region, code):
    return Party(address=Address(lines=("1 Main Street",), city="Town", region=region, postal_code=code, country="US"),
                 contact=Contact(name=name, company=name, phone="5555555555"))

Ups = Registry().carrier("ups")
account = Ups(client_id="id", client_secret="secret", shipper_number="A1B2C3", base_url=os.environ.get("BENCH_URL", ""))
client = Client({"ups": account})
"""
_ASK = """
request = ShipmentRequest(ship_from=party("Sender", "CA", "90210"), ship_to=party("Receiver", "NY", "10001"),
    packages=(Package(ref="1", weight=Weight("2", WeightUnit.LB)),), reference="SO042")
"""
_READY = (
    _CLIENT
    + "client._transport, client._transport_pid = Stub(), os.getpid()\n"
    + _ASK
    + """
try:
    client.rates(request)
except Ready:
    pass
else:
    raise SystemExit("not what is to be measured: no request was made")
"""
)
_SENT = (
    _CLIENT
    + _ASK
    + """
answer = client.rates(request, deadline_s=5)
if getattr(answer.errors.get("ups"), "carrier_code", None) != "250001":
    raise SystemExit(f"not what is to be measured: {answer.errors}")
"""
)
_KARRIO = """
import karrio.sdk as karrio
gateway = karrio.gateway["ups"].create(
    {"client_id": "id", "client_secret": "secret", "account_number": "A1B2C3", "test_mode": True})
if gateway.settings.carrier_name != "ups":
    raise SystemExit("not what is to be measured")
"""


def imports() -> list[Figure]:
    """Importing shipkit, and the names that a host starts with."""
    here = Path(sys.executable)
    attrs_only = _TIMED.format(work="import attrs")
    both = _TIMED.format(work="import attrs, cattrs")
    whole = f"from shipkit import Client, ShipmentRequest, Package, Weight\nfrom shipkit import WeightUnit\n{_VALUE}"
    return [
        asked(
            "import shipkit",
            (here, _TIMED.format(work="import shipkit")),
            (here, attrs_only),
            bar=1.25,
            against="attrs",
        ),
        asked(
            "Client, ShipmentRequest, Package, Weight and a value",
            (here, _TIMED.format(work=whole)),
            (here, both),
            bar=1.6,
            against="attrs and cattrs",
        ),
    ]


def first_client(ours: Path, karrio: Path) -> list[Figure]:
    """The first UPS client with its first request ready, and with the first one sent, beside karrio's first gateway."""
    with _answering() as url:
        env = {**os.environ, "BENCH_URL": url}
        secured = _SENT + "import httpx\nhttpx.create_ssl_context()\n"  # what the first https address asks for
        return [
            asked(
                "first UPS client, request ready",
                (ours, _TIMED.format(work=_READY)),
                (karrio, _TIMED.format(work=_KARRIO)),
                bar=0.33,
                against="karrio's first gateway",
                env=env,
            ),
            asked(
                "first UPS client, first send",
                (ours, _TIMED.format(work=_SENT)),
                (karrio, _TIMED.format(work=_KARRIO)),
                bar=0.45,
                against="karrio's first gateway",
                env=env,
                note="over http",
            ),
            asked(
                "the same with what TLS trusts read",
                (ours, _TIMED.format(work=secured)),
                (karrio, _TIMED.format(work=_KARRIO)),
                bar=None,
                against="karrio's first gateway",
                env=env,
            ),
        ]


def many_plugins(ours: Path) -> list[Figure]:
    """The same first client with 4 and with 40 plugins installed beside it, against none."""
    figures = []
    for count in (4, 40):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(count):
                _install(Path(folder), f"fake{number}")
            env = {**os.environ, "PYTHONPATH": folder}
            found = "from shipkit.registry import Registry\nprint(len(Registry().names()))"
            if asked_once(ours, found, env) != count + 1:
                raise RuntimeError("not what is to be measured: the plugins are not seen")
            script = (ours, _TIMED.format(work=_READY))
            bare = (ours, "import sys; sys.path.remove(" + repr(folder) + ")\n" + _TIMED.format(work=_READY))
            figures.append(
                asked(f"first UPS client with {count} plugins", script, bare, bar=1.05, against="with none", env=env)
            )
    return figures


def _install(folder: Path, name: str) -> None:
    (folder / f"shipkit_{name}.py").write_text("raise RuntimeError('nobody asked for this one')\n")
    info = folder / f"shipkit_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: shipkit-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[shipkit]\n{name} = shipkit_{name}\n")


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        body = b'{"response": {"errors": [{"code": "250001", "message": "no"}]}}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def _answering() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
