"""Driving a generator beside an app: nobody outside decides whether the app has its turns."""

import asyncio

from suit import wait


def test_a_socket_that_always_has_something_leaves_the_app_its_turns():
    turns = []

    def busy():
        for _ in range(50):
            yield [None, wait.READ, 1000]

    async def app():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def both():
        beside = asyncio.create_task(app())
        await wait.drive(busy())
        beside.cancel()

    saved, wait._ready = wait._ready, lambda want, ms: True
    try:
        asyncio.run(both())
    finally:
        wait._ready = saved
    assert len(turns) >= 50
