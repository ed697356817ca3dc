"""Clients that nobody here wrote fetch from our servers: libcoap, aiocoap, curl, wget."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "host"))
from serving import serving  # noqa: E402
from suitup.serve.store import publish  # noqa: E402

BODY = bytes(range(256)) * 700 + b"the end"  # 179 207 bytes


@pytest.fixture
def folder(tmp_path):
    publish(tmp_path / "release", "app.img", BODY)
    publish(tmp_path / "release", "latest.suit", b"envelope")
    return tmp_path / "release"


def tool(*names):
    """Path of the first of these programs; skips the test where there is none."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no {names[0]} here (Debian: libcoap3-bin, curl, wget)")


def run(*command, code=0):
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.mark.parametrize("echo", ["never", "always"])
def test_libcoap_fetches_blockwise(folder, tmp_path, echo):
    client = tool("coap-client", "coap-client-notls", "coap-client-openssl", "coap-client-gnutls")
    with serving(folder, http_port=None, echo=echo) as (server, log):
        url = server.url("coap", "app.img")
        for size in ("1024", "256"):
            out = tmp_path / f"out-{size}"
            run(client, "-m", "get", "-b", size, "-o", str(out), url)
            assert out.read_bytes() == BODY
    assert any("(block 175 of 1024)" in line for line in log)


def test_libcoap_reads_the_listing(folder):
    client = tool("coap-client", "coap-client-notls", "coap-client-openssl", "coap-client-gnutls")
    with serving(folder, http_port=None) as (server, _):
        assert b"</latest.suit>" in run(
            client, "-m", "get", server.url("coap", ".well-known/core")
        )


def test_libcoap_observes_a_release(folder, tmp_path):
    client = tool("coap-client", "coap-client-notls", "coap-client-openssl", "coap-client-gnutls")
    with serving(folder, http_port=None) as (server, _):
        watching = subprocess.Popen(
            [client, "-m", "get", "-s", "4", "-o", tmp_path / "seen", server.url("coap")],
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(100):
                if server._coap.observers:
                    break
                asyncio.run(asyncio.sleep(0.05))
            publish(folder, "latest.suit", b"a new release")
            assert watching.wait(20) == 0
        finally:
            watching.kill()
    assert (tmp_path / "seen").read_bytes().endswith(b"a new release")


def test_aiocoap_fetches_and_observes(folder):
    import aiocoap

    async def fetch(server):
        context = await aiocoap.Context.create_client_context()
        try:
            whole = await context.request(
                aiocoap.Message(code=aiocoap.GET, uri=server.url("coap", "app.img"))
            ).response
            watched = context.request(
                aiocoap.Message(code=aiocoap.GET, uri=server.url("coap"), observe=0)
            )
            assert (await watched.response).payload == b"envelope"
            publish(folder, "latest.suit", b"a new release")
            async with asyncio.timeout(5):
                async for told in watched.observation:
                    return whole.payload, told.payload
        finally:
            await context.shutdown()

    with serving(folder, http_port=None) as (server, _):
        assert asyncio.run(fetch(server)) == (BODY, b"a new release")


def test_curl_fetches_resumes_and_revalidates(folder, tmp_path):
    curl = tool("curl")
    out = tmp_path / "out"
    with serving(folder, coap_port=None) as (server, _):
        url = server.url("http", "app.img")
        out.write_bytes(BODY[:100_000])
        run(curl, "-sS", "--fail", "-C", "-", "-o", str(out), url)
        assert out.read_bytes() == BODY
        assert run(curl, "-sS", "--fail", "-r", "500-999", url) == BODY[500:1000]
        # curl's own traversal protection off
        assert (
            run(
                curl,
                "-sS",
                "--path-as-is",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                url + "/../../x",
            )
            == b"404"
        )
        tags = str(tmp_path / "etag")
        run(curl, "-sS", "--etag-save", tags, "-o", str(out), url)
        code = run(curl, "-sS", "--etag-compare", tags, "-o", str(out), "-w", "%{http_code}", url)
        assert code == b"304"


def test_wget_continues_a_download(folder, tmp_path):
    wget = tool("wget")
    with serving(folder, coap_port=None) as (server, _):
        (tmp_path / "app.img").write_bytes(BODY[:77_777])
        run(wget, "-q", "-c", "-P", str(tmp_path), server.url("http", "app.img"))
    assert (tmp_path / "app.img").read_bytes() == BODY
