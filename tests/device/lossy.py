"""Bad networks on loopback: a UDP and a TCP relay that lose, repeat, reorder, damage and fall
silent, and the servers behind them. Threads, so that plain tests can use them:

    with CoAPServer(content) as server, UDPRelay(server.port, loss=0.1, seed=1) as relay:
        got = fetch(micropython, f"coap://127.0.0.1:{relay.port}/file")
        relay.bytes, relay.lost
"""

import contextlib
import hashlib
import heapq
import json
import random
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"


def fetch(interpreter, uri, *args, timeout=120, **options):
    """What a device got from `uri`: the line that tests/device/fetch.py prints, as a dict."""
    done = subprocess.run(
        [interpreter, str(HERE / "fetch.py"), str(FIRMWARE), uri, *map(str, args)]
        + [f"{key}={value}" for key, value in options.items()],
        capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class _Thread:
    """Runs `_serve` until the `with` block ends."""

    def __enter__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *why):
        self._stop.set()
        self._thread.join(10)
        self.close()


def _udp():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(0.002)
    return sock


class UDPRelay(_Thread):
    """Between a client and the server at `port`. Probabilities per datagram and direction: `loss`,
    `duplicate`, `corrupt` (one byte), `reorder` (held back for `delay` seconds more). `delay`:
    seconds each way. `silent` = (from, to): seconds after the first datagram in which nothing
    passes. The server's end has a new address after each `renumber` datagrams."""

    def __init__(self, port, loss=0.0, duplicate=0.0, corrupt=0.0, reorder=0.0, delay=0.0,
                 silent=None, renumber=0, seed=1):  # fmt: skip
        self._server = ("127.0.0.1", port)
        self._rates = loss, duplicate, corrupt, reorder
        self._delay = delay
        self._silent = silent
        self._renumber = renumber
        self._random = random.Random(seed)
        self._front = _udp()
        self._front.settimeout(0)
        self._back = _udp()
        self._back.settimeout(0)
        self._client = None
        self._first = None
        self._held = []  # (when, count, data, towards the server)
        self._count = 0
        self.port = self._front.getsockname()[1]
        self.bytes = self.datagrams = self.lost = 0

    def close(self):
        self._front.close()
        self._back.close()

    def _serve(self):
        import select

        while not self._stop.is_set():
            wait = 0.05
            if self._held:
                wait = min(wait, max(0, self._held[0][0] - time.monotonic()))
            ready = select.select([self._front, self._back], [], [], wait)[0]
            for sock in ready:
                with contextlib.suppress(OSError):  # refused: the server is away
                    data, sender = sock.recvfrom(4096)
                    if sock is self._front:
                        self._client = sender
                    self._pass(data, sock is self._front)
            while self._held and self._held[0][0] <= time.monotonic():
                _, _, data, outward = heapq.heappop(self._held)
                self._send(data, outward)

    def _pass(self, data, outward):
        now = time.monotonic()
        if self._first is None:
            self._first = now
        self.bytes += len(data)
        self.datagrams += 1
        if self._renumber and self.datagrams % self._renumber == 0:
            self._back.close()
            self._back = _udp()
            self._back.settimeout(0)
        loss, duplicate, corrupt, reorder = self._rates
        chance = self._random.random
        silent = self._silent and self._silent[0] <= now - self._first < self._silent[1]
        if silent or chance() < loss:
            self.lost += 1
            return
        if chance() < corrupt:
            at = self._random.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self._random.randrange(8)]) + data[at + 1 :]
        for _ in range(2 if chance() < duplicate else 1):
            wait = self._delay
            if chance() < reorder:
                wait += 0.02 * chance() + self._delay
            if wait:
                self._count += 1
                heapq.heappush(self._held, (now + wait, self._count, data, outward))
            else:
                self._send(data, outward)

    def _send(self, data, outward):
        with contextlib.suppress(OSError):
            if outward:
                self._back.sendto(data, self._server)
            else:
                self._front.sendto(data, self._client)


class CoAPServer(_Thread):
    """Serves `content` at any path: Block2, ETag, Size2, as a few lines of Python can. `lie(number,
    options)` may change the answer to the n-th request: a dict of content, etag, size2."""

    def __init__(self, content, lie=None):
        self.content = content
        self._lie = lie or (lambda number, answer: None)
        self._sock = _udp()
        self.port = self._sock.getsockname()[1]
        self.requests = 0

    def close(self):
        self._sock.close()

    def _serve(self):
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                data, sender = self._sock.recvfrom(4096)
                answer = self._answer(data)
                if answer:
                    self._sock.sendto(answer, sender)

    def _answer(self, data):
        if len(data) < 4 or data[0] >> 4 != 4 or data[1] != 1:
            return None
        token = data[4 : 4 + (data[0] & 15)]
        block = 6
        at, number = 4 + len(token), 0
        while at < len(data) and data[at] != 255:
            delta, size = data[at] >> 4, data[at] & 15
            at += 1
            for which in (0, 1):
                value = (delta, size)[which]
                if value == 13:
                    value = data[at] + 13
                    at += 1
                elif value == 14:
                    value = int.from_bytes(data[at : at + 2], "big") + 269
                    at += 2
                delta, size = (value, size) if which == 0 else (delta, value)
            number += delta
            if number == 23:
                block = int.from_bytes(data[at : at + size], "big")
            at += size
        self.requests += 1
        answer = {"content": self.content, "etag": None, "size2": None}
        self._lie(self.requests, answer)
        body = answer["content"]
        etag = answer["etag"] or hashlib.sha256(body).digest()[:4]
        size2 = len(body) if answer["size2"] is None else answer["size2"]
        szx = block & 7
        start = block >> 4 << szx + 4
        head = bytes([0x60 | len(token), 69, data[2], data[3]]) + token
        if start and start >= len(body):
            return head[:1] + bytes([128]) + head[2:]
        more = start + (16 << szx) < len(body)
        chosen = (block >> 4 << 4 | more << 3 | szx).to_bytes(3, "big")
        options = b"\x44" + etag + b"\xd3\x06" + chosen + b"\x54" + size2.to_bytes(4, "big")
        return head + options + b"\xff" + body[start : start + (16 << szx)]


class TCPRelay(_Thread):
    """Between a client and the server at `port`: `delay` seconds each way; each connection ends
    after `cut` bytes of answer, at most `cuts` times, by a reset when `reset`; then nobody listens for
    `away` seconds; after `stall` bytes nothing moves for `pause` seconds, once."""

    def __init__(self, port, cut=None, cuts=3, reset=False, stall=None, pause=0.0, delay=0.0, away=0.0):
        self._server = ("127.0.0.1", port)
        self._cut, self._cuts, self._reset = cut, cuts, reset
        self._stall, self._pause, self._delay = stall, pause, delay
        self._away, self._gone = away, threading.Event()
        self._listen(0)
        self.port = self._listener.getsockname()[1]
        self.connections = self.bytes = 0

    def _listen(self, port):
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.05)

    def close(self):
        self._listener.close()

    def _serve(self):
        while not self._stop.is_set():
            if self._gone.is_set():
                self._gone.clear()
                self._listener.close()
                time.sleep(self._away)
                self._listen(self.port)
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client):
        with client, contextlib.suppress(OSError):
            server = socket.create_connection(self._server, timeout=10)
            with server:
                client.settimeout(10)
                request = b""
                while b"\r\n\r\n" not in request:
                    request += client.recv(4096)
                time.sleep(self._delay)
                server.sendall(request)
                left = self._cut if self._cuts > 0 else None
                while True:
                    data = server.recv(1400 if left is None else min(1400, left))
                    if not data:
                        return
                    time.sleep(self._delay)
                    if self._stall is not None and self.bytes >= self._stall:
                        self._stall = None
                        time.sleep(self._pause)
                    self.bytes += len(data)
                    client.sendall(data)
                    if left is not None:
                        left -= len(data)
                        if left <= 0:
                            self._cuts -= 1
                            if self._away:
                                self._gone.set()
                                while self._gone.is_set():
                                    time.sleep(0.005)
                            if self._reset:
                                linger = b"\x01\0\0\0\0\0\0\0"
                                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                            return


class HTTPServer(_Thread):
    """Serves `content` at any path, with ETag and Range unless told otherwise. `lie(number,
    answer)` may change the n-th answer: a dict of status, headers, body; a path that begins with
    "/redirect/" redirects to what follows it."""

    def __init__(self, content, lie=None, ranges=True):
        outer = self
        self.content = content
        self.requests = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(dict(self.headers))
                answer = outer._answer(self.path, self.headers, ranges)
                (lie or (lambda number, answer: None))(len(outer.requests), answer)
                self.send_response_only(answer["status"])
                for name, value in answer["headers"].items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer["body"])
                self.close_connection = True

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __exit__(self, *why):
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def _serve(self):
        self._server.serve_forever(0.05)

    def _answer(self, path, headers, ranges):
        if path.startswith("/redirect/"):
            return {"status": 302, "headers": {"Location": path[10:], "Content-Length": "0"},
                    "body": b""}  # fmt: skip
        body = self.content
        etag = '"%s"' % sha256(body)[:16]
        answer = {"status": 200, "headers": {"ETag": etag}, "body": body}
        wanted = headers.get("Range")
        if ranges and wanted and headers.get("If-Range", etag) == etag:
            start = int(wanted[6:].split("-")[0])
            if start >= len(body):
                answer["status"], answer["body"] = 416, b""
                answer["headers"]["Content-Range"] = f"bytes */{len(body)}"
            else:
                answer["status"], answer["body"] = 206, body[start:]
                where = f"bytes {start}-{len(body) - 1}/{len(body)}"
                answer["headers"]["Content-Range"] = where
        answer["headers"]["Content-Length"] = str(len(answer["body"]))
        return answer
