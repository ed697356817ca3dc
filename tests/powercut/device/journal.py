# What one life does to the flash, operation by operation.
# MIT licence.
"""`Journal(world)` lets the world live to its end and writes down every erase and program with what the world knew before it.
Then, after `rewind(image)`, for each operation `at` in turn: `cut(at, kind, fraction)` puts the chip into `world.image` as a
cut there leaves it, `story(at)` is what to `tell` the world, `forward(at)` goes over to the next operation."""

import nor


def story_of(world):
    """What the outside remembers of a life: it only grows, but for what the plan keeps."""
    plan = dict(world.plan.__dict__)
    return (world.confirmed, world.settled, len(world.history), len(world.refusals), dict(world.notes), plan)


class Recorder(nor.RamNor):
    """A chip that writes down what is done to it, in `journal` (Journal)."""

    journal = None

    def _program_op(self, address, data):
        self.journal.add(address, bytes(data))
        return nor.RamNor._program_op(self, address, data)

    def _erase_op(self, block):
        self.journal.add(block * nor.BLOCK, None)
        return nor.RamNor._erase_op(self, block)


class Journal:
    def __init__(self, world):
        self._world = world
        self.operations = []  # (address, bytes programmed or None for an erase, story)
        world.journal = self
        world.ops = 0
        try:
            world.live(24)
        finally:
            world.journal = None
        self._history = list(world.history)
        self._refusals = list(world.refusals)
        self._end = bytes(world.image)
        self._image = bytearray(len(world.image))
        self._chip = nor.RamNor(self._image, world.page)

    def chip(self, image, page):
        """A chip whose operations go into this journal."""
        chip = Recorder(image, page)
        chip.journal = self
        return chip

    def add(self, address, data):
        self.operations.append((address, data, story_of(self._world)))

    def is_erase(self, at):
        return self.operations[at][1] is None

    def story(self, at):
        confirmed, settled, history, refusals, notes, plan = self.operations[at][2]
        return confirmed, settled, self._history[:history], self._refusals[:refusals], notes, plan

    def rewind(self, image):
        self._image[:] = image

    def cut(self, at, kind, fraction):
        image = self._world.image
        image[:] = self._image
        chip = nor.RamNor(image, self._world.page)
        chip.polite = True
        chip.ops = at
        chip.cut(at, kind, fraction)
        self._do(chip, at)

    def forward(self, at):
        self._do(self._chip, at)
        if at == len(self.operations) - 1 and self._image != self._end:
            self._world.fail("the journal does not lead to where the life ended")

    def _do(self, chip, at):
        address, data, _ = self.operations[at]
        if data is None:
            chip._erase_op(address // nor.BLOCK)
        else:
            chip._program_op(address, data)


def tell(world, story, cause):
    """The world is where `story` had come to, and without power until `cause`."""
    world.confirmed, world.settled = story[:2]
    world.history = list(story[2])
    world.refusals = list(story[3])
    world.notes = dict(story[4])
    for name, value in story[5].items():
        setattr(world.plan, name, value)
    world.cause = cause
    world.ops = world.reads = 0
    world.cuts = []
    world.fault = None
    world.said.clear()
