"""A board on the network: its status and the nudge, over CoAP (aiocoap).

    async with Device("192.168.1.7") as device:
        status = await device.status()
        await device.nudge("coap://192.168.1.2/latest.suit")

The status is what the board says, a dict with text keys. `Silent` is raised when nothing answers, a Failure when
something answers but not as a device does."""

import asyncio

from suitup import cbor
from suitup.errors import Failure
from suitup.terminal import plain

PORT = 5683
ANSWER_S = (
    5  # for one request with its repetitions; a board that erases flash is deaf for a moment
)


class Silent(Exception):
    """Nothing answers there (now)."""


class Busy(Exception):
    """The board takes no update now: one is under way, or a trial."""


def split(host: str) -> tuple:
    """(host, port) of `host`, `host:port`, `[v6]:port` or a v6 address."""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        port = port.lstrip(":")
    elif host.count(":") == 1:
        name, port = host.split(":")
    else:
        name, port = host, ""
    try:
        return name, int(port) if port else PORT
    except ValueError:
        raise Failure(
            f"{port!r} is not a port", hint="HOST is an address or a name, perhaps with :PORT"
        ) from None


class Device:
    """One board; use it in `async with`."""

    def __init__(self, host: str, port: int = PORT):
        self.host, self.port = host, port
        self._context = None

    async def __aenter__(self):
        import aiocoap

        self._aiocoap = aiocoap
        if self.host.lower().endswith(".local"):
            from suitup.boards.discovery import resolve

            self.host = await resolve(self.host)
        self._context = await aiocoap.Context.create_client_context()
        return self

    async def __aexit__(self, *_):
        await self._context.shutdown()

    def _uri(self, path):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"coap://{host}:{self.port}/{path}"

    async def _ask(self, code, path, payload=b"", timeout=ANSWER_S, **options):
        message = self._aiocoap.Message(code=code, uri=self._uri(path), payload=payload, **options)
        try:
            return await asyncio.wait_for(self._context.request(message).response, timeout)
        except (TimeoutError, self._aiocoap.error.NetworkError) as error:
            raise Silent(f"{self.host}:{self.port}") from error
        except self._aiocoap.error.Error as error:
            # a board that was reset between two blocks of its status, for example
            raise Silent(f"{self.host}:{self.port}: {error}") from error

    async def status(self, timeout=ANSWER_S) -> dict:
        """What the board says of itself. Raises Silent."""
        answer = await self._ask(self._aiocoap.GET, "suit/status", timeout=timeout)
        if not answer.code.is_successful():
            raise Failure(
                f"{self.host}:{self.port} answers {answer.code} to a question for its status",
                hint="is it a board with suit on it, and does its app call suit.listen()?",
            )
        try:
            status = cbor.decode(answer.payload, sort=False)
        except cbor.NotDeterministic as error:
            raise Failure(f"{self.host}:{self.port} sends no status", str(error)) from None
        if not isinstance(status, dict):
            raise Failure(f"{self.host}:{self.port} sends no status", "it is not a map")
        return plain(status)

    async def report(self, timeout=ANSWER_S) -> bytes:
        """The report of its last attempt at an update. Raises Silent, or a Failure when there is none."""
        answer = await self._ask(self._aiocoap.GET, "suit/report", timeout=timeout)
        if not answer.code.is_successful():
            raise Failure(f"{self.host}:{self.port} has no report", f"it answers {answer.code}")
        return answer.payload

    async def nudge(self, uri: str = "", timeout=ANSWER_S):
        """Ask the board to look at `uri`, or at its own servers. Raises Silent, Busy or Failure."""
        payload = uri.encode()
        answer = await self._ask(self._aiocoap.POST, "suit/nudge", payload, timeout)
        if (
            answer.opt.echo is not None
        ):  # RFC 9175: show that we receive what is sent to our address
            answer = await self._ask(
                self._aiocoap.POST, "suit/nudge", payload, timeout, echo=answer.opt.echo
            )
        # 4.29: too many updates from here came to nothing; there is a pause, as there is for a busy one
        if answer.code in (self._aiocoap.SERVICE_UNAVAILABLE, self._aiocoap.TOO_MANY_REQUESTS):
            raise Busy()
        if answer.code == self._aiocoap.FORBIDDEN:
            raise Failure(
                f"the board does not look at {uri}",
                "it is neither one of its servers nor at the address this comes from",
                "serve from this machine, or provision the board with that server (--server)",
            )
        if not answer.code.is_successful():
            text = plain(answer.payload.decode("utf-8", "replace"))
            raise Failure(f"the board answers {answer.code} to the nudge", text or None)
