"""One update, from a release folder to a verdict: publish, serve, nudge, follow the board through its resets.

    verdict = await push(device, server, envelope_path, transport="coap", show=print_progress)

The verdict has `.word` ("confirmed", "rolled back", "refused"), `.text` (the version or the reason), `.hint` and, when
the app left one, `.traceback`."""

import asyncio
import time
from dataclasses import dataclass

from suitup import numbers as n
from suitup import version, watch
from suitup.boards.device import Busy, Device, Silent
from suitup.errors import Failure
from suitup.manifest import Envelope
from suitup.terminal import last_line

POLL_S = 0.1  # at first; later
POLL_LATER_S = 0.5
SETTLE_S = 4  # a board that was nudged has begun by then
START_S = 20  # for a board that is starting
SILENT_S = 60  # without any sign of life
STUCK_S = 120  # answering, but nothing moves (on top of the trial)
TRIAL_S = 600  # the longest trial that is waited for


@dataclass
class Verdict:
    word: str
    text: str
    hint: str | None = None
    traceback: str | None = None
    reason: int | None = None  # the device's number

    @property
    def line(self) -> str:
        """The last line of `push`, which scripts read."""
        return (
            f"confirmed {self.text}" if self.word == "confirmed" else f"{self.word}: {self.text}"
        )


@dataclass
class Offer:
    """What is pushed."""

    name: str  # file name of the envelope in the release folder
    digest: bytes
    sequence: int
    version: str
    size: int


def read_offer(path) -> Offer:
    """The offer that an envelope is. One that cannot be read is offered all the same: refusing it is the board's job."""
    data = path.read_bytes()
    try:
        envelope = Envelope.decode(data)
        manifest = envelope.manifest
        numbers = manifest.set_version
        shown = version.show(numbers) if numbers else f"sequence {manifest.sequence_number}"
        return Offer(path.name, envelope.digest.value, manifest.sequence_number, shown, len(data))
    except (ValueError, KeyError, TypeError):
        return Offer(path.name, b"", 0, path.name, len(data))


class Show:
    """What push tells while it works; the command line overrides it."""

    def step(self, text):
        """Something happened."""

    def progress(self, done, total, what):
        """Bytes of what is being fetched."""


async def push(device: Device, url: str, offer: Offer, show=None) -> Verdict:
    """Nudge the board towards `url` and follow it. Raises Failure when it cannot be told how it ended."""
    show = show or Show()
    before = await first_status(device, show)
    if offer.digest and watch.confirmed(before, offer.digest):
        show.step("this very version is running and confirmed already")
        return Verdict("confirmed", offer.version)
    await _nudge(device, url, show)
    return await _Follower(device, offer, before, show, url).follow()


async def first_status(device, show) -> dict:
    """The status, waiting a little for a board that is starting. Raises Failure."""
    end = time.monotonic() + START_S
    while True:
        try:
            return await device.status()
        except Silent:
            if time.monotonic() > end:
                raise Failure(
                    f"no board answers at {device.host} UDP port {device.port}",
                    hint="is it on, on this network, and does its app call suit.listen()?",
                ) from None
            await asyncio.sleep(0.2)


async def _nudge(device, url, show):
    end = time.monotonic() + TRIAL_S
    told = False
    while True:
        try:
            return await device.nudge(url)
        except Busy:
            if not told:
                show.step("the board is busy (an update or a trial): waiting")
                told = True
        except Silent:
            pass
        if time.monotonic() > end:
            raise Failure(
                "the board takes no update now",
                "an update or a trial has been running for ten minutes, or it went silent",
                "`suitup status` shows which; by cable: `suitup confirm` or `suitup rollback`",
            )
        await asyncio.sleep(1)


class _Follower:
    """Watches one update until it is decided."""

    def __init__(self, device, offer, before, show, url=None):
        self._device = device
        self._offer = offer
        self._before = before
        self._url = url
        self._show = show
        self._began = time.monotonic()
        self._heard = self._began  # last answer
        self._moved = self._began  # last change
        self._last = None  # what decides whether something moved
        self._phase = None
        self._boot = before.get("boot")

    async def follow(self) -> Verdict:
        while True:
            try:
                status = await self._device.status(timeout=3)
                self._heard = time.monotonic()
            except Silent:
                status = None
            if status is not None:
                verdict = self._judge(status)
                if verdict:
                    return verdict
                self._tell(status)
            self._check(time.monotonic(), status)
            early = time.monotonic() - self._began < 10
            await asyncio.sleep(POLL_S if early else POLL_LATER_S)

    def _judge(self, status):
        offer, before = self._offer, self._before
        if watch.confirmed(status, offer.digest):
            # a quick board was on trial between two looks at it
            which = status["running"]
            self._phase_is("trial", f"restarted: slot {which} ran {offer.version} on trial")
            self._show.step(
                f"its app confirmed it: slot {which} is active, floor {status.get('floor')}"
            )
            return Verdict("confirmed", offer.version)
        settled = time.monotonic() - self._began > SETTLE_S
        turned = watch.refused(status, before, offer.digest, settled, self._url)
        if turned:
            if watch.up_to_date(turned):
                return Verdict("confirmed", offer.version)
            what, hint = watch.why(turned)
            return Verdict("refused", what, hint, reason=turned.get("reason"))
        if watch.went_back(status, before, offer.digest):
            back = status["back"]
            what, hint = watch.why(back)
            trace = None
            if back.get("reason") == n.R_BACK_EXCEPTION and status.get("traceback"):
                trace = status["traceback"]
                what += ": " + last_line(trace)
            return Verdict("rolled back", what, hint, trace, back.get("reason"))
        return None

    def _tell(self, status):
        update = status.get("update") or {}
        boot = status.get("boot")
        state = update.get("state")
        if boot != self._boot:
            self._boot = boot
            if watch.runs(status, self._offer.digest):
                which = status.get("running")
                self._phase_is(
                    "trial", f"restarted: slot {which} runs {self._offer.version} on trial"
                )
            else:
                self._show.step("the board restarted")
        elif state == "fetching" or (state == "installing" and update.get("total")):
            what = f"component {update['component']}" if "component" in update else "the payload"
            self._show.progress(update.get("done", 0), update.get("total", 0), what)
        if state in ("checking", "installing"):
            self._phase_is(
                state, {"checking": "checking the manifest", "installing": "installing"}[state]
            )
        elif state == "armed":
            self._phase_is("armed", "installed and read back; the next start is the trial")
        mark = (
            boot,
            state,
            update.get("done"),
            update.get("component"),
            status.get("running"),
            status.get("trial"),
        )
        if mark != self._last:
            self._last = mark
            self._moved = time.monotonic()

    def _phase_is(self, phase, text):
        if phase != self._phase:
            self._phase = phase
            self._show.step(text)

    def _check(self, now, status):
        if now - self._heard > SILENT_S:
            raise Failure(
                f"the board has not answered for {SILENT_S} seconds",
                "it was last seen "
                + (f"in the state {self._phase!r}" if self._phase else "before the update began"),
                "look at its console; it goes back by itself when the new version does not confirm",
            )
        patience = TRIAL_S if self._phase in ("armed", "trial") else STUCK_S
        if now - self._moved > patience:
            raise Failure(
                f"nothing has happened for {patience} seconds",
                f"the board answers, but the update stays in {self._phase or 'its beginning'!r}",
                "`suitup status` shows the whole state",
            )
