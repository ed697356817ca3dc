"""A board as far as `push` sees one: the CoAP server of `firmware/suit/listening.py` in aiocoap, with a script instead of an
updater.

It copies these behaviours of listening.py and api.status: the nudge asks for an Echo first and answers 2.04, 4.03 or 5.03; the
status is a CBOR map that may need more than one block; a reset makes the board deaf for a moment and changes `boot`."""

import asyncio
import contextlib
import threading

import aiocoap
from aiocoap import resource
from suitup import cbor

OLD, NEW = b"\x01" * 32, b"\x02" * 32


def status(**changes):
    """What a board says that runs OLD in slot a."""
    base = {
        "name": "fake", "machine": "fake", "running": "a", "active": "a", "trial": None, "tries": 0, "floor": 1,
        "slots": {
            "a": {"seq": 1, "digest": OLD, "state": "ok", "version": "1.0.0"},
            "b": {"seq": 0, "digest": b"", "state": "empty"},
        },
        "update": {"n": 0, "state": "idle", "done": 0, "total": 0}, "boot": 1, "free": 100000, "uptime": 1,
    }  # fmt: skip
    return {**base, **changes}


def line(digest, state, seq=2, version="2.0.0"):
    return {"seq": seq, "digest": digest, "state": state, "version": version}


class FakeDevice:
    """`script`: what each status after the nudge is; None: no answer. The last one stays."""

    def __init__(self, script, before=None, nudges=(), padding=0):
        self.script = list(script)
        self.before = before or status()
        self.nudges = list(nudges)  # answer codes to give before the nudge is taken
        self.nudged = []
        self.padding = padding

    def next_status(self):
        if not self.nudged:
            return self.before
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    @contextlib.contextmanager
    def running(self):
        """Yields the UDP port."""
        loop = asyncio.new_event_loop()
        ready = threading.Event()
        stop = None
        port = None

        async def run():
            nonlocal stop, port
            stop = asyncio.Event()
            site = resource.Site()
            site.add_resource(["suit", "status"], _Status(self))
            site.add_resource(["suit", "nudge"], _Nudge(self))
            port = _free_port()
            context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
            ready.set()
            await stop.wait()
            await context.shutdown()

        thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
        thread.start()
        assert ready.wait(10)
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()


def _free_port():
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Status(resource.Resource):
    def __init__(self, device):
        super().__init__()
        self._device = device

    async def render_get(self, request):
        told = self._device.next_status()
        if told is None:
            await asyncio.sleep(3600)
        if self._device.padding:
            told = {**told, "traceback": "x" * self._device.padding}
        return aiocoap.Message(payload=cbor.encode(told), content_format=60)


class _Nudge(resource.Resource):
    def __init__(self, device):
        super().__init__()
        self._device = device

    async def render_post(self, request):
        device = self._device
        if request.opt.echo != b"fresh":
            return aiocoap.Message(code=aiocoap.UNAUTHORIZED, echo=b"fresh")
        if device.nudges:
            return aiocoap.Message(code=device.nudges.pop(0))
        device.nudged.append(request.payload.decode())
        return aiocoap.Message(code=aiocoap.CHANGED)
