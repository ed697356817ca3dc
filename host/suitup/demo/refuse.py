"""`make refuse`: what a board does with bad updates.

One virtual board is provisioned and offered, over CoAP, every forged update of `forged.EVERY`, an update while a trial
runs, apps that fail, and at last a good update with both of its slots damaged. One line each: `refused NAME: REASON`,
`gone back from NAME: REASON`. After each, the running version must be the one that was confirmed. Exit code 1 if
anything was accepted, if a reason is not the one it should be, or if the running version changed."""

import argparse
import asyncio
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from suitup import author, desk, keys, project, watch
from suitup import numbers as n
from suitup.boards.device import Busy, Device, Silent
from suitup.boards.provision import Flash, provision
from suitup.boards.virtual import VirtualBoard
from suitup.cli import print_failure
from suitup.demo import forged
from suitup.errors import Failure
from suitup.push import Verdict, push, read_offer
from suitup.release import Release
from suitup.serve.server import ReleaseServer

ROOM = 96 * 1024  # bytes of a slot: enough for the example, too little for the large update
TRIAL_S = 6  # short, but enough on a loaded machine
WATCHDOG_MS = 4000  # the board feeds it once a second
FIRST = 10  # sequence number of the first app: there must be something below it

# what each forged update has to be refused for; more than one where the order of checks may differ
EXPECTED = {
    "unsigned": (n.R_UNAUTHORISED,),
    "wrong key": (n.R_UNAUTHORISED,),
    "bit flipped in the signature": (n.R_UNAUTHORISED,),
    "bit flipped in the manifest": (n.R_UNAUTHORISED,),
    "bit flipped in the payload": (n.R_CONDITION_FAILED,),
    "lower sequence number": (n.R_ROLLBACK,),
    "wrong vendor": (n.R_CONDITION_FAILED,),
    "wrong class": (n.R_CONDITION_FAILED,),
    "truncated": (n.R_CBOR_PARSE,),
    "too large": (n.R_TOO_LARGE,),
    "severed element swapped": (n.R_SEVERED_DIGEST,),
    "unknown command": (n.R_COMMAND_UNSUPPORTED,),
    "payload missing": (n.R_SERVER,),
    "another image in its place": (n.R_CONDITION_FAILED, n.R_CONTENT_CHANGED),
    "digest never checked": (n.R_NOT_MATCHED,),
    "bytes behind the envelope": (n.R_CBOR_PARSE, n.R_STRUCTURE),
    "two manifests": (n.R_CBOR_PARSE, n.R_STRUCTURE),
}

FAILING = (
    (
        "a self-test that fails",
        "import suit\n\n\ndef self_test():\n    raise AssertionError('the sensor does not answer')\n\n\n"
        "self_test()\nsuit.confirm()\n",
        n.R_BACK_EXCEPTION,
    ),
    ("an app that raises at import", "import no_such_module\n", n.R_BACK_EXCEPTION),
    ("an app that hangs", "while True:\n    pass\n", n.R_BACK_WATCHDOG),
    ("an app that ends", "print('done')\n", n.R_BACK_ENDED),
)
# listens, but leaves confirming to nobody
_UNDECIDED = "import asyncio\n\nimport suit\n\nasyncio.run(suit.listen())\n"


class Show:
    """The board, what it is offered, and the score."""

    def __init__(self, app, folder: Path):
        self._app = app
        self._folder = folder
        self._release = folder / "release"
        self._sequence = FIRST
        self._wrong = 0
        self.refused = 0
        self.board = VirtualBoard(folder / "board")

    def prepare(self):
        """A fresh board with the example app as version 1.0.0."""
        if self.board.exists:
            self.board.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        self.board.create()
        first = desk.make(self._app, "1.0.0", self._release, FIRST)
        provision(
            Flash(self.board),
            desk.board_settings(
                self._app, self.board, first, slot=ROOM, trial=TRIAL_S, wdt=WATCHDOG_MS
            ),
        )
        print(
            f"a virtual board runs {self._app.name} 1.0.0, sequence {FIRST}; it is offered:",
            flush=True,
        )

    async def run(self) -> int:
        """Everything; returns the exit code."""
        async with ReleaseServer(self._release, "127.0.0.1", None, 0) as server:
            self._server = server
            async with Device("127.0.0.1", self.board.coap_port) as device:
                self._device = device
                self._running = await self._confirmed()
                await self._forged()
                await self._during_a_trial()
                await self._failing()
                await self._recovery()
        print(f"{self.refused} updates refused or gone back from, {self._wrong} wrongly treated")
        return 1 if self._wrong else 0

    # -- the acts

    async def _forged(self):
        for name, build in forged.EVERY:
            shop = forged.Workshop(
                self._app, self._release, self._sequence + 1, ROOM, keys.generate("ESP256")
            )
            path = build(shop)
            verdict = await self._push(path)
            await self._judge(name, verdict, "refused", EXPECTED[name])

    async def _during_a_trial(self):
        path = self._failing_app("undecided", _UNDECIDED)
        url = self._server.url("coap", path.name)
        await self._nudge(url)
        await self._until(lambda status: status["running"] == status["trial"] and status["trial"])
        good = self._make("3.0.0")
        _waits("an app that never confirms")
        try:
            await self._device.nudge(self._server.url("coap", good.name))
            self._line("update during a trial", "was accepted", False)
        except Busy:
            self._line(
                "update during a trial", "an update or a trial is under way", True, "refused"
            )
        status = await self._until(lambda status: status["trial"] is None and status["running"])
        back = status.get("back") or {}
        right = back.get("reason") == n.R_BACK_WATCHDOG and watch.runs(status, self._running)
        self._line("an app that never confirms", watch.why(back)[0], right, "gone back from")

    async def _failing(self):
        for name, source, reason in FAILING:
            path = self._failing_app(name, source)
            if reason == n.R_BACK_WATCHDOG:
                _waits(name)
            verdict = await self._push(path)
            await self._judge(name, verdict, "rolled back", (reason,))
            verdict = await self._push(path)
            await self._judge(name + ", offered again", verdict, "refused", (n.R_KNOWN_BAD,))

    async def _recovery(self):
        """Two good versions installed, then a bit flipped in each image while the board is off."""
        verdict = await self._push(self._make("4.0.0"))
        if verdict.word != "confirmed":
            self._line("a good update", verdict.line, False)
            return
        print("accepted a good update: 4.0.0 is confirmed")
        self.board.stop()
        there = self.board.list_files("/suit")
        images = [path for path in ("/suit/a/app.img", "/suit/b/app.img") if path in there]
        for path, data in self.board.read_files(images).items():
            middle = len(data) // 2
            self.board.write_files(
                {path: data[:middle] + bytes((data[middle] ^ 4,)) + data[middle + 1 :]}
            )
        self.board.start()
        status = await self._until(lambda status: True)
        right = status["running"] is None and len(images) == 2
        self._line("damaged images in both slots", "the board waits in recovery", right, "refused")
        verdict = await self._push(self._make("5.0.0"))
        right = verdict.word == "confirmed"
        print(
            ("recovered with a good update: " if right else "WRONG, not recovered: ")
            + verdict.line
        )
        self._wrong += not right

    # -- the means

    def _make(self, number):
        path = desk.make(self._app, number, self._release, self._sequence + 1)
        self._sequence += 1
        return path

    def _failing_app(self, name, source) -> Path:
        """A signed update of the same vendor and class whose main.py is `source`."""
        folder = self._folder / "apps" / name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.py").write_text(source)
        self._sequence += 1
        app = replace(self._app, app=folder, name="v3", version=f"3.{self._sequence}.0", files={},
                      release=self._release)  # fmt: skip
        release = Release(self._release)
        draft = author.draft(app, release, self._sequence)
        author.sign(draft.envelope, author.load_signers(app))
        return author.publish(app, release, draft)

    async def _push(self, path) -> Verdict:
        return await push(self._device, self._server.url("coap", path.name), read_offer(path))

    async def _nudge(self, url):
        for _ in range(50):
            try:
                return await self._device.nudge(url)
            except (Silent, Busy):
                await asyncio.sleep(0.2)
        raise Failure(
            "the board does not take a nudge",
            hint=f"its console: {self.board.directory / 'board.log'}",
        )

    async def _until(self, true, seconds=60):
        end = time.monotonic() + seconds
        while True:
            try:
                status = await self._device.status(timeout=2)
                if true(status):
                    return status
            except Silent:
                pass
            if time.monotonic() > end:
                raise Failure(
                    f"the board did not get there within {seconds} s",
                    hint=f"its console: {self.board.directory / 'board.log'}",
                )
            await asyncio.sleep(0.1)

    async def _confirmed(self):
        """The manifest digest that runs confirmed."""
        status = await self._until(lambda status: status["trial"] is None and status["running"])
        return watch.slot(status, status["running"])["digest"]

    async def _judge(self, name, verdict, word, expected):
        unchanged = await self._confirmed() == self._running
        right = verdict.word == word and verdict.reason in expected and unchanged
        shown = {"refused": "refused", "rolled back": "gone back from"}[word]
        text = verdict.text if verdict.word == word else verdict.line
        if not unchanged:
            text += "; the running version changed"
        self._line(name, text, right, shown)

    def _line(self, name, text, right, shown="refused"):
        self.refused += right
        self._wrong += not right
        print(f"{shown if right else 'WRONG, not ' + shown} {name}: {text}", flush=True)


def _waits(name):
    print(f"{name}: the board's watchdog ends its trial in about ten seconds ...", flush=True)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="make refuse", description=__doc__.split("\n\n")[1])
    parser.add_argument("--app", default="examples/thermostat")
    parser.add_argument("--key", default="keys/dev.pem")
    parser.add_argument("--folder", default="build/refuse", type=Path)
    options = parser.parse_args(arguments)
    try:
        show = Show(project.load(options.app, keys=[options.key]), options.folder)
        show.prepare()
        with desk.powered(show.board):
            return asyncio.run(show.run())
    except Failure as failure:
        print_failure(failure)
        return failure.code


if __name__ == "__main__":
    sys.exit(main())
