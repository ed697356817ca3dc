"""A release server in a thread, for tests that talk to it with anything."""

import asyncio
import contextlib
import threading

from suitup.serve.server import ReleaseServer


@contextlib.contextmanager
def serving(folder, **options):
    """Yields (server, log): a running ReleaseServer on free loopback ports, and its log as a list of texts."""
    log = []
    options.setdefault("log", lambda protocol, peer, text: log.append(f"{protocol} {text}"))
    server = ReleaseServer(folder, **options)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    failed = []

    async def run():
        nonlocal stop
        stop = asyncio.Event()
        try:
            async with server:
                ready.set()
                await stop.wait()
        except BaseException as error:
            failed.append(error)
            ready.set()

    stop = None
    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    ready.wait(10)
    try:
        if failed:
            raise failed[0]
        yield server, log
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive(), "the server does not stop"
        loop.close()
