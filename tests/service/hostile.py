"""Hostile deliveries over real HTTP: ``python -m tests.service.hostile --profile full|ci [--seed N]``.

Mutated, oversized, slow, mis-encoded, forged and replayed ones among good ones, on many connections at once. What must
hold: no 5xx but declared overload, nothing forged taken, every 2xx on the disk, memory bounded, nothing of it in logs.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from shipkit.store import SqliteStore
from tests.service.hosting import Hosted
from tests.service.pusher import SECRET, push, signed

REQUESTS = {"ci": 2_000, "full": 100_000}
BOUNDS = {
    "body_s": 1.0, "head_s": 0.5, "at_once": 24, "bytes_at_once": 16_000_000, "per_s": 100_000.0,
    "strangers_per_s": 300.0, "connections": 300,
}  # fmt: skip
TASKS = 32
CANARY = "canary-of-bodies"
GROWTH_MAX_KB = 96_000
PLAIN = "POST {path} HTTP/1.1\r\nHost: x\r\n"


@attrs.define
class Found:
    """What came back, by what was sent."""

    by_kind: dict[str, Counter[str]] = attrs.field(factory=dict)
    taken: set[bytes] = attrs.field(factory=set)
    """Bodies that got a 2xx."""
    forged: list[str] = attrs.field(factory=list)
    """Kinds of what must not be taken, and was."""
    undeclared: list[str] = attrs.field(factory=list)

    def note(self, kind: str, answer: str, retry: bool) -> None:
        self.by_kind.setdefault(kind, Counter())[answer] += 1
        if answer.startswith("5") and not (answer == "503" and retry):
            self.undeclared.append(f"{kind}: {answer}")


class Sender:
    """One connection after another to the endpoint, and what to send on it."""

    def __init__(self, host: Hosted, found: Found, seed: int) -> None:
        self.host, self.found, self.random = host, found, random.Random(seed)
        self.path = str(host.paths["shop"])
        self.stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.kinds: list[tuple[str, int, Callable[[], Awaitable[None]]]] = [
            ("good", 30, self.good),
            ("replayed", 8, self.replayed),
            ("forged", 10, self.forged),
            ("mutated", 10, self.mutated),
            ("stranger", 8, self.stranger),
            ("method", 3, self.method),
            ("oversized", 3, self.oversized),
            ("compressed", 2, self.compressed),
            ("headers", 3, self.headers),
            ("encoded", 8, self.mis_encoded),
            ("garbage", 5, self.garbage),
            ("cut", 5, self.cut),
            ("twice", 3, self.twice),
            ("slow", 1, self.slow),
        ]

    async def send(self, count: int) -> None:
        """*count* requests of all kinds."""
        kinds = self.random.choices(self.kinds, [weight for _, weight, _ in self.kinds], k=count)
        for _, _, kind in kinds:
            with suppress(OSError, asyncio.IncompleteReadError):
                await kind()
        await self.leave()

    # Kinds

    async def good(self) -> None:
        body = self.body()
        await self.asked("good", self.posted(body, signed(body)), body, may_be_taken=True)

    async def replayed(self) -> None:
        if not self.found.taken:
            return await self.good()
        body = self.random.choice(tuple(self.found.taken)[:50])
        return await self.asked("replayed", self.posted(body, signed(body)), body, may_be_taken=True)

    async def forged(self) -> None:
        body = self.body()
        headers = self.random.choice([
            {}, signed(body, "guessed"), signed(body, ""), signed(body, "another"), {"x-pusher-signature": "0" * 64},
            {"x-pusher-signature": signed(body)["x-pusher-signature"][:-2]}, signed(body + b" "),
            {"authorization": "Basic eDp4"}, {"x-pusher-signature": "," + signed(body)["x-pusher-signature"] + ",00"},
        ])  # fmt: skip
        await self.asked("forged", self.posted(body, headers), body)

    async def mutated(self) -> None:
        body = self.body()
        headers, changed = signed(body), bytearray(body)
        for _ in range(self.random.randint(1, 8)):
            changed[self.random.randrange(len(changed))] = self.random.randrange(256)
        if changed != body:
            await self.asked("mutated", self.posted(bytes(changed), headers), bytes(changed))

    async def stranger(self) -> None:
        body = self.body()
        path = self.random.choice([
            "/webhooks/shop/" + self.letters(32), "/webhooks/nobody/" + self.letters(32), "/", "/webhooks/", "/admin",
            self.path + "/", self.path[:-1], "/webhooks/shop/../shop", "/metrics", "//" + self.path,
            "/webhooks/" + "a" * 3000 + "/x", self.path.replace("shop", "mute"),
        ])  # fmt: skip
        await self.asked("stranger", self.posted(body, signed(body), path), body)

    async def method(self) -> None:
        name = self.random.choice(["PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "FOO", "CONNECT"])
        body = self.body()
        await self.asked(
            "method", self.posted(body, signed(body)).replace(b"POST", name.encode(), 1), body, name == "HEAD"
        )

    async def oversized(self) -> None:
        size = self.random.choice([1_000_001, 1_500_000, 4_000_000])
        body = bytes(size)
        if self.random.random() < 0.5:
            data = self.posted(body, signed(b""))
        else:
            chunks = b"".join(b"ffff\r\n" + body[:65_535] + b"\r\n" for _ in range(size // 65_535 + 1))
            data = (
                (PLAIN.format(path=self.path) + "Transfer-Encoding: chunked\r\n\r\n").encode() + chunks + b"0\r\n\r\n"
            )
        await self.leave()
        await self.asked("oversized", data, body)
        await self.leave()

    async def compressed(self) -> None:
        body = gzip.compress(bytes(self.random.choice([10, 5_000_000])))
        headers = {**signed(body), "Content-Encoding": self.random.choice(["gzip", "br", "deflate, gzip", "zstd"])}
        await self.asked("compressed", self.posted(body, headers), body)

    async def headers(self) -> None:
        body = self.body()
        more = self.random.choice([
            {f"x-{n}": "y" for n in range(200)}, {"x-long": "y" * 40_000}, {"x-longer": "y" * 200_000},
            {"cookie": "; ".join(f"a{n}=b" for n in range(9000))},
        ])  # fmt: skip
        await self.leave()
        await self.asked("headers", self.posted(body, {**signed(body), **more}), body)
        await self.leave()

    async def mis_encoded(self) -> None:
        body = self.body()
        signature = f"x-pusher-signature: {signed(body)['x-pusher-signature']}\r\n"
        head = PLAIN.format(path=self.path) + signature
        whole = self.random.choice([
            head.encode() + b"Content-Length: abc\r\n\r\n" + body,
            head.encode() + b"Content-Length: -5\r\n\r\n" + body,
            head.encode() + b"Content-Length: 5\r\nContent-Length: 500\r\n\r\n" + body,
            head.encode() + b"Content-Length: 99999999999999999999999\r\n\r\n",
            head.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body,
            head.encode() + b"Transfer-Encoding: chunked, identity\r\n\r\n" + body,
            head.encode() + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            head.encode() + b"X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n",
            head.encode() + b"X-\xff\xfe: \x80\x81\r\nContent-Length: 0\r\n\r\n",
            head.encode() + b" folded: x\r\nContent-Length: 0\r\n\r\n",
            head.encode() + b"\xc3\x28: x\r\n\r\n",
            PLAIN.format(path=self.path + "?" + "%ff%00" * 50).encode() + b"Content-Length: 0\r\n\r\n",
            b"POST /webhooks/%ff%fe%00/%c0%af HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            b"POST /webhooks/\xff\xfe/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            b"POST http://[::1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            head.replace("HTTP/1.1", "HTTP/9.9").encode() + b"\r\n",
            head.replace("HTTP/1.1", "HTTP/1.0").encode() + b"X-Pusher-Signature: \xe9\r\nContent-Length: 0\r\n\r\n",
            head.encode() + b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n",
            head.encode() + b"Expect: 100-continue\r\nContent-Length: 7\r\n\r\n1234567",
        ])  # fmt: skip
        await self.leave()
        await self.asked("encoded", whole, b"")
        await self.leave()

    async def garbage(self) -> None:
        data = self.random.randbytes(self.random.choice([1, 50, 2000])) + self.random.choice([b"", b"\r\n\r\n"])
        await self.leave()
        await self.asked("garbage", data, b"")
        await self.leave()

    async def cut(self) -> None:
        body = self.body()
        data = self.posted(body, signed(body))
        await self.leave()
        _, writer = await self.connected()
        writer.write(data[: self.random.randrange(len(data))])
        with suppress(OSError):
            await writer.drain()
        if self.random.random() < 0.5:
            writer.transport.abort()
        await self.leave()
        self.found.note("cut", "left", retry=False)

    async def twice(self) -> None:
        """Two at once on one connection: a good one, and a forged one right behind it."""
        body, other = self.body(), self.body()
        await self.leave()
        reader, writer = await self.connected()
        writer.write(self.posted(body, signed(body)) + self.posted(other, signed(body)))
        await self.heard("good", reader, body, may_be_taken=True)
        await self.heard("forged", reader, other)
        await self.leave()

    async def slow(self) -> None:
        body = self.body()
        data = self.posted(body, signed(body))
        at = self.random.choice([3, data.index(b"\r\n\r\n") + 4, len(data) - 2])
        await self.leave()
        reader, writer = await self.connected()
        writer.write(data[:at])
        await self.heard("slow", reader, body)
        await self.leave()

    # Parts

    def body(self) -> bytes:
        at = f"2026-03-02T09:00:{self.random.randrange(60):02}"
        return push(f"{CANARY}-{self.letters(12)}", self.random.choice(["PU", "IT", "DL"]), at)

    def letters(self, count: int) -> str:
        return "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=count))

    def posted(self, body: bytes, headers: dict[str, str], path: str = "") -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return (PLAIN.format(path=path or self.path) + f"{lines}Content-Length: {len(body)}\r\n\r\n").encode() + body

    async def asked(
        self, kind: str, data: bytes, body: bytes, without_body: bool = False, *, may_be_taken: bool = False
    ) -> None:
        reader, writer = await self.connected()
        writer.write(data)
        await self.heard(kind, reader, body, without_body, may_be_taken=may_be_taken)

    async def heard(
        self,
        kind: str,
        reader: asyncio.StreamReader,
        body: bytes,
        without_body: bool = False,
        *,
        may_be_taken: bool = False,
    ) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            while head.startswith(b"HTTP/1.1 100"):
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        except (OSError, asyncio.IncompleteReadError):
            await self.leave()
            return self.found.note(kind, "closed", retry=False)
        lines = head.decode("latin-1").lower().split("\r\n")
        named = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        status = lines[0].split()[1]
        length = 0 if without_body else int(named.get("content-length", 0))
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readexactly(length)
        self.found.note(kind, status, "retry-after" in named)
        if status.startswith("2") and not (kind == "method" and not body):
            self.found.taken.add(body) if may_be_taken else self.found.forged.append(kind)
        if named.get("connection") == "close" or "content-length" not in named:
            await self.leave()
        return None

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.stream is None:
            self.stream = await asyncio.open_connection("127.0.0.1", self.host.port, limit=1 << 20)
        return self.stream

    async def leave(self) -> None:
        if self.stream is not None:
            _, writer = self.stream
            self.stream = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def attack(host: Hosted, requests: int, seed: int) -> Found:
    """*requests* of all kinds, on many connections at once."""
    found = Found()
    await asyncio.gather(
        *[Sender(host, found, seed * 1000 + number).send(requests // TASKS) for number in range(TASKS)]
    )
    return found


async def well(host: Hosted) -> bool:
    """Whether it is alive, and takes a good push."""
    found = Found()
    sender = Sender(host, found, 0)
    reader, writer = await sender.connected()
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    await sender.heard("ready", reader, b"", may_be_taken=True)
    await sender.good()
    await sender.leave()
    return found.by_kind["ready"] == {"200": 1} and found.by_kind["good"] == {"200": 1}


def run(requests: int, seed: int, folder: Path) -> tuple[list[str], dict[str, object]]:
    """What did not hold, and the figures of the run."""
    log = folder / "endpoint.log"
    host = Hosted("sqlite", str(folder / "hostile.db"), "--loud", log=log, bounds=BOUNDS)
    began = time.monotonic()
    try:
        asyncio.run(attack(host, TASKS * 20, seed + 1))  # so that caches and pools have their size
        before = host.memory_kb()
        found = asyncio.run(attack(host, requests, seed))
        time.sleep(1.5)  # the last slow ones end
        after, most = host.memory_kb(), host.memory_kb("VmHWM")
        is_well = asyncio.run(well(host))
    finally:
        code = host.end()
    with closing(SqliteStore(folder / "hostile.db")) as store:
        stored: set[bytes] = set()
        last = 0
        while page := store.events.letters(after=last, limit=1000, bodies=True):
            stored |= {letter.delivery.body for letter in page}
            last = page[-1].id
    text = log.read_text(errors="replace")
    token = urlsplit(host.paths["shop"]).path.rpartition("/")[2]
    wrong = [f"a 5xx that declares no overload: {one}" for one in found.undeclared[:5]]
    wrong += [f"taken, and must not be: {one}" for one in found.forged[:5]]
    lost = found.taken - stored
    wrong += [f"{len(lost)} got a 2xx and are not on the disk"] if lost else []
    if after - before > GROWTH_MAX_KB or most - before > GROWTH_MAX_KB:
        wrong.append(f"memory grew from {before} kB to {after} kB, {most} kB at most")
    wrong += [] if is_well else ["afterwards it is not well"]
    wrong += [] if code == 0 else [f"it ended with {code}: {text[-500:]}"]
    wrong += [f"the log holds {name}" for name in (SECRET, CANARY, token) if name in text]
    wrong += [f"the log holds {text[text.index(name) :][:3000]}" for name in ("Traceback",) if name in text]
    figures: dict[str, object] = {
        "requests": sum(sum(counts.values()) for counts in found.by_kind.values()),
        "taken": len(found.taken),
        "stored": len(stored),
        "memory_kb": {"before": before, "after": after, "most": most},
        "seconds": round(time.monotonic() - began, 1),
        "log_bytes": len(text),
        "answers": {kind: dict(sorted(counts.items())) for kind, counts in sorted(found.by_kind.items())},
    }
    return wrong, figures


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", choices=REQUESTS, default="ci")
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong, figures = run(REQUESTS[given.profile], given.seed, Path(folder))
    print(json.dumps(figures, indent=2))
    print("\n".join(wrong) or "everything held")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
