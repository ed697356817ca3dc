"""Our device fetches from servers that nobody here wrote: libcoap, nginx, aiocoap, aiohttp; and
clients that nobody here wrote talk to it: libcoap, aiocoap."""

import asyncio
import contextlib
import gzip
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import cbor2
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "device"), str(HERE.parent / "board")]
from bench import Bench  # noqa: E402
from lossy import TCPRelay, content, fetch, sha256  # noqa: E402
from suit import numbers  # noqa: E402
from suitup.boards.virtual import VirtualBoard  # noqa: E402

DATA = content(100 * 1024 + 77)
COAP_CLIENT = ("coap-client", "coap-client-notls", "coap-client-openssl", "coap-client-gnutls")
COAP_SERVER = ("coap-server", "coap-server-notls", "coap-server-openssl", "coap-server-gnutls")


def tool(*names, package):
    """Path of the first of these programs; skips the test where there is none."""
    for name in names:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if path:
            return path
    pytest.skip(f"no {names[0]} here (Debian: {package})")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def process(*command, **more):
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more
    ) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()


def right(got, data=DATA):
    assert "reason" not in got, got
    assert got["sha256"] == sha256(data)


# -- libcoap


@pytest.fixture
def libcoap(tmp_path):
    """`start(option...)` runs coap-server with DATA at /image; -> its URL."""
    server = tool(*COAP_SERVER, package="libcoap3-bin")
    client = tool(*COAP_CLIENT, package="libcoap3-bin")
    with contextlib.ExitStack() as stack:

        def start(*options, data=DATA):
            (tmp_path / "image").write_bytes(data)
            port = free_port(socket.SOCK_DGRAM)
            url = f"coap://127.0.0.1:{port}"
            stack.enter_context(
                process(server, "-A", "127.0.0.1", "-p", str(port), "-d", "4", *options)
            )
            time.sleep(0.3)
            # a server that loses what it sends may also keep the last block only of what it was sent: its own client
            # has to find it whole first
            for _ in range(10):
                subprocess.run(
                    [client, "-m", "put", "-b", "1024", "-f", str(tmp_path / "image"), url + "/image"],
                    check=True, timeout=60,
                )  # fmt: skip
                back = tmp_path / "back"
                subprocess.run([client, "-m", "get", "-b", "1024", "-o", str(back), url + "/image"], timeout=60)
                if back.exists() and back.read_bytes() == data:
                    return url
            pytest.fail("coap-server does not keep what it is sent")

        yield start


def test_libcoap_serves_our_device_blockwise(micropython, libcoap):
    url = libcoap()
    got = fetch(micropython, url + "/image")
    right(got)
    assert got["mark"] and got["total"] == len(DATA)


@pytest.mark.parametrize("offset", [1, 1024, 5000, 100 * 1024])
def test_libcoap_transfers_are_taken_up_in_the_middle(micropython, libcoap, offset):
    url = libcoap()
    got = fetch(micropython, url + "/image", offset)
    assert got["offset"] == offset
    right(got, DATA[offset:])
    # this server counts its ETags up from transfer to transfer, so with one there is no resuming
    got = fetch(micropython, url + "/image", offset, "00000000")
    assert got["offset"] == 0
    right(got)


def test_libcoap_answers_of_all_kinds_are_understood(micropython, libcoap):
    url = libcoap()
    got = fetch(micropython, url + "/nothing")
    assert (got["reason"], got["detail"]) == (numbers.R_SERVER, 404)
    right(fetch(micropython, url + "/async?1"), b"done")  # a separate response, a second later
    assert fetch(micropython, url + "/.well-known/core")["bytes"] > 50
    assert fetch(micropython, url + "/")["bytes"] > 50


def test_libcoap_losing_a_tenth_of_what_it_sends(micropython, libcoap):
    few = DATA[:20000]  # the loss slows down the PUT of libcoap's client as well
    url = libcoap("-l", "10%", data=few)
    for _ in range(5):
        right(fetch(micropython, url + "/image"), few)


# -- nginx

NGINX = """
daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {dir}/access.log; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;
  server {{
    listen 127.0.0.1:{port}; root {dir}/www;
    location /old/ {{ rewrite ^/old/(.*)$ /$1 permanent; }}
    location /away {{ return 302 http://127.0.0.9/x; }}
    location /chunked {{ chunked_transfer_encoding on; proxy_http_version 1.1;
      proxy_set_header Accept-Encoding gzip; gunzip on; gzip off;
      proxy_pass http://127.0.0.1:{port}/packed; }}
    location /packed {{ gzip off; default_type application/octet-stream;
      add_header Content-Encoding gzip; alias {dir}/www/image.gz; }}
    location /forbidden {{ return 403; }}
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    program = tool("nginx", package="nginx-light")
    port = free_port()
    www = tmp_path / "www"
    www.mkdir()
    (www / "image").write_bytes(DATA)
    (www / "image.gz").write_bytes(gzip.compress(DATA))
    for folder in (tmp_path, www):
        folder.chmod(0o755)
    config = tmp_path / "nginx.conf"
    text = NGINX.format(dir=tmp_path, port=port)
    if os.getuid() == 0:
        text = "user root;" + text  # the worker has to reach the test's folder
    config.write_text(text)
    log = str(tmp_path / "start.log")
    with process(program, "-e", log, "-c", str(config), "-p", str(tmp_path)) as running:
        for _ in range(100):
            if running.poll() is not None:
                pytest.fail(running.stdout.read().decode())
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port, www, tmp_path / "access.log"


def test_nginx_serves_our_device(micropython, nginx):
    port, _, _ = nginx
    got = fetch(micropython, f"http://127.0.0.1:{port}/image")
    right(got)
    assert got["total"] == len(DATA) and got["mark"].startswith('"')
    right(fetch(micropython, f"http://127.0.0.1:{port}/old/image"))  # moved permanently


def test_nginx_transfers_are_taken_up_where_they_were_cut(micropython, nginx):
    port, www, log = nginx
    url = f"http://127.0.0.1:{port}/image"
    mark = fetch(micropython, url)["mark"]
    got = fetch(micropython, url, 70000, mark)
    assert got["offset"] == 70000 and got["total"] == len(DATA)
    right(got, DATA[70000:])
    got = fetch(micropython, url, len(DATA), mark)
    assert got["offset"] == len(DATA) and got["bytes"] == 0
    assert [line.split()[8] for line in log.read_text().splitlines()] == ["200", "206", "416"]
    other = content(90000, 5)
    (www / "image").write_bytes(other)
    os.utime(www / "image", (1, 1))
    got = fetch(micropython, url, 70000, mark)
    assert got["offset"] == 0
    right(got, other)


def test_nginx_connections_that_are_cut_are_taken_up(micropython, nginx):
    port, _, log = nginx
    with TCPRelay(port, cut=30000, cuts=2) as relay:
        right(fetch(micropython, f"http://127.0.0.1:{relay.port}/image"))
    assert [line.split()[8] for line in log.read_text().splitlines()] == ["200", "206", "206"]


def test_nginx_chunked_bodies_errors_and_redirects_are_understood(micropython, nginx):
    port, _, _ = nginx
    url = f"http://127.0.0.1:{port}"
    got = fetch(micropython, url + "/chunked")
    right(got)
    assert got["total"] is None
    for path, status in (("/none", 404), ("/forbidden", 403)):
        got = fetch(micropython, url + path)
        assert (got["reason"], got["detail"]) == (numbers.R_SERVER, status)
    got = fetch(micropython, url + "/packed")
    assert (got["reason"], got["detail"]) == (numbers.R_SERVER, "content coding")
    assert fetch(micropython, url + "/away")["reason"] == numbers.R_NOT_ALLOWED


# -- aiohttp and aiocoap

AIOHTTP = """
import sys
from aiohttp import web

data = open(sys.argv[1], "rb").read()

async def stream(request):
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for at in range(0, len(data), 777):
        await response.write(data[at : at + 777])
    await response.write_eof()
    return response

app = web.Application()
app.router.add_get("/stream", stream)
app.router.add_static("/", sys.argv[3])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=None)
"""

AIOCOAP = """
import asyncio, hashlib, sys
import aiocoap, aiocoap.resource as resource

data = open(sys.argv[1], "rb").read()

class Image(resource.Resource):
    async def render_get(self, request):
        message = aiocoap.Message(payload=data)
        message.opt.etag = hashlib.sha256(data).digest()[:8]
        return message

class Slow(Image):
    async def render_get(self, request):
        await asyncio.sleep(0.5)
        return await Image.render_get(self, request)

class Latest(resource.ObservableResource):
    value = 1
    def update_observation_count(self, count):
        if count:
            asyncio.get_running_loop().call_later(0.5, self.change)
    def change(self):
        self.value += 1
        self.updated_state()
    async def render_get(self, request):
        return aiocoap.Message(payload=b"version %d" % self.value)

async def main():
    site = resource.Site()
    site.add_resource(["image"], Image())
    site.add_resource(["slow"], Slow())
    site.add_resource(["latest"], Latest())
    await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", int(sys.argv[2])))
    await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""

OBSERVE = """
import sys
sys.path.insert(0, sys.argv[1])
from suit.transports.coap_observe import Observer
from suit.wait import run
observer = Observer(sys.argv[2])
print(run(observer.wait(2000)), observer.registered)
print(run(observer.wait(5000)), observer.registered)
observer.close()
"""


def test_aiohttp_serves_our_device(micropython, tmp_path):
    (tmp_path / "image").write_bytes(DATA)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", AIOHTTP, str(tmp_path / "image"), str(port), str(tmp_path)]
    with process(*command):
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        right(fetch(micropython, url + "/stream"))
        got = fetch(micropython, url + "/image")
        right(got)
        rest = fetch(micropython, url + "/image", 50000, got["mark"])
        assert rest["offset"] == 50000
        right(rest, DATA[50000:])


@pytest.fixture
def aiocoap_port(tmp_path):
    (tmp_path / "image").write_bytes(DATA)
    port = free_port(socket.SOCK_DGRAM)
    with process(sys.executable, "-c", AIOCOAP, str(tmp_path / "image"), str(port)):
        time.sleep(1.5)
        yield port


def test_aiocoap_serves_our_device(micropython, aiocoap_port):
    url = f"coap://127.0.0.1:{aiocoap_port}"
    got = fetch(micropython, url + "/image")
    right(got)
    rest = fetch(micropython, url + "/image", 50000, got["mark"])
    assert rest["offset"] == 50000
    right(rest, DATA[50000:])
    right(fetch(micropython, url + "/slow"))  # answered separately
    assert fetch(micropython, url + "/none")["detail"] == 404


def test_aiocoap_tells_our_observer_of_a_change(micropython, aiocoap_port):
    done = subprocess.run(
        [micropython, "-c", OBSERVE, str(ROOT / "firmware"),
         f"coap://127.0.0.1:{aiocoap_port}/latest"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "True", "True", "True"], done.stdout + done.stderr


# -- the device as a server


@pytest.fixture
def listener(micropython, tmp_path):
    port = free_port(socket.SOCK_DGRAM)
    command = [micropython, str(HERE.parent / "device" / "listener.py"), str(ROOT / "firmware")]
    with process(*command, str(port), str(tmp_path / "stop")) as running:
        assert running.stdout.readline() == b"listening\n"
        yield f"coap://127.0.0.1:{port}"


def test_libcoap_reads_discovery_and_status_of_our_device(listener):
    client = tool(*COAP_CLIENT, package="libcoap3-bin")

    def get(path, *more):
        return subprocess.run(
            [client, *more, listener + path], capture_output=True, timeout=30, check=True
        ).stdout

    assert b'</suit/status>;rt="suit.status";ct=60;obs' in get("/.well-known/core")
    for more in ((), ("-b", "16"), ("-b", "1024")):
        assert cbor2.loads(get("/suit/status", *more))["name"] == "listener"


def test_libcoap_nudges_our_device_and_observes_it(listener, tmp_path):
    client = tool(*COAP_CLIENT, package="libcoap3-bin")
    out = tmp_path / "seen"
    watcher = subprocess.Popen([client, "-s", "4", "-o", str(out), listener + "/suit/status"])
    time.sleep(1)
    nudge = [client, "-m", "post", "-e", "coap://127.0.0.1/x", listener + "/suit/nudge"]
    subprocess.run(nudge, check=True, timeout=30)  # the Echo is answered by the client
    assert watcher.wait(30) == 0
    seen = out.read_bytes()
    assert seen.count(b"listener") >= 2 and b"coap://127.0.0.1/x" in seen


def test_aiocoap_reads_and_observes_our_device(listener):
    import aiocoap

    async def talk():
        context = await aiocoap.Context.create_client_context()
        try:
            get = aiocoap.Message(code=aiocoap.GET, uri=listener + "/suit/status")
            first = cbor2.loads((await context.request(get).response).payload)
            assert first["nudges"] == []
            nudge = {"code": aiocoap.POST, "uri": listener + "/suit/nudge"}
            payload = b"coap://127.0.0.1/y"
            answer = await context.request(aiocoap.Message(**nudge, payload=payload)).response
            assert answer.code == aiocoap.UNAUTHORIZED and len(answer.opt.echo) == 12
            again = aiocoap.Message(**nudge, payload=payload)
            again.opt.echo = answer.opt.echo
            assert (await context.request(again).response).code == aiocoap.CHANGED
            # the address is verified now: it may observe, and gets all of it in one block
            watch = aiocoap.Message(code=aiocoap.GET, uri=listener + "/suit/status", observe=0)
            request = context.request(watch)
            answer = await request.response
            assert cbor2.loads(answer.payload)["nudges"] == ["coap://127.0.0.1/y"]
            assert answer.opt.observe is not None
            third = aiocoap.Message(**nudge, payload=b"coap://127.0.0.1/z")
            third.opt.echo = again.opt.echo
            assert (await context.request(third).response).code == aiocoap.CHANGED
            async for notification in request.observation:
                told = cbor2.loads(notification.payload)["nudges"]
                assert told == ["coap://127.0.0.1/y", "coap://127.0.0.1/z"]
                break
        finally:
            await context.shutdown()

    asyncio.run(asyncio.wait_for(talk(), 60))


# -- whole updates

APP = """
import asyncio, suit
suit.confirm()
print("app VERSION confirmed")
asyncio.run(suit.listen())
"""


@pytest.fixture
def bench(tmp_path):
    """A virtual board that runs 1.0.0 and listens, and a release folder with 2.0.0 and 3.0.0."""
    board = VirtualBoard(tmp_path / "board").create("rp2040")
    versions = {version: APP for version in ("1.0.0", "2.0.0", "3.0.0")}
    bench = Bench(board, tmp_path / "bench", versions, first="1.0.0")
    bench.release = Path(bench.project.release)
    board.start()
    board.wait_for("app 1.0.0 confirmed")
    yield bench
    board.stop()


def test_a_board_is_nudged_by_libcoap_and_updated_from_libcoap_and_nginx(bench, libcoap, nginx):
    client = tool(*COAP_CLIENT, package="libcoap3-bin")
    files = [file for file in bench.release.iterdir() if file.is_file()]
    url = libcoap("-d", str(len(files) + 1))
    for file in files:
        put = [client, "-m", "put", "-b", "1024", "-f", str(file), f"{url}/{file.name}"]
        subprocess.run(put, check=True, timeout=60)
    port, www, _ = nginx
    shutil.copytree(bench.release, www / "release")

    def nudge(uri):
        board = f"coap://127.0.0.1:{bench.board.coap_port}/suit/nudge"
        subprocess.run([client, "-m", "post", "-e", uri, board], check=True, timeout=30)

    nudge(f"{url}/{bench.envelopes['2.0.0'].name}")
    bench.board.wait_for("app 2.0.0 confirmed", timeout=60)
    nudge(f"http://127.0.0.1:{port}/release/{bench.envelopes['3.0.0'].name}")
    bench.board.wait_for("app 3.0.0 confirmed", timeout=60)
