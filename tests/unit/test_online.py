"""The Wi-Fi of the configuration: joined before anything else, and again when it is lost."""

import asyncio

from suit import online


class Config:
    wifi = {"ssid": "home"}


class Port:
    """`luck`: what `connect` gives, time after time."""

    def __init__(self, *luck):
        self.luck = list(luck)

    def connect(self, config):
        yield 200
        found = self.luck.pop(0)
        if isinstance(found, type):
            raise found()
        return found


class network:
    def __init__(self, *luck, wifi=True):
        self.port = Port(*luck)
        self.wifi = wifi

    def __enter__(self):
        import suit.config

        self.saved = online.chip, suit.config.read
        online.chip = lambda: self.port
        config = Config()
        if not self.wifi:
            config.wifi = None
        suit.config.read = lambda root: config
        online._task, online._there = None, False
        return self.port

    def __exit__(self, *why):
        import suit.config

        online.chip, suit.config.read = self.saved
        online._task, online._there = None, False


def test_it_is_tried_until_it_is_joined_and_looked_after_from_then_on():
    with network(False, False, True, False, True) as port:
        gen = online.stay(Config)
        waits = []
        for _ in range(3):
            waits.append(next(gen))
            assert not online._there
        waits.append(next(gen))
        assert online._there and waits == [200, 200, 200, 15000]
        assert [next(gen), next(gen), next(gen)] == [200, 200, 15000] and not port.luck


def test_a_radio_that_fails_ends_nothing():
    for error in (OSError, ValueError, RuntimeError, MemoryError):
        with network(error, True):
            gen = online.stay(Config)
            assert [next(gen) for _ in range(4)] == [200, 15000, 200, 15000] and online._there


def test_where_there_is_nothing_to_join_nothing_is_waited_for():
    with network(None):
        assert list(online.stay(Config)) == [200] and online._there
    with network(wifi=False):
        asyncio.run(online.online())
        assert online._task is None


def test_whoever_needs_the_network_waits_for_the_same_attempt():
    async def both():
        await asyncio.gather(online.online(), online.online())
        return online._there

    with network(False, True, True) as port:
        assert asyncio.run(both())
        assert port.luck == [True]
