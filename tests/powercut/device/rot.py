# Bits that turn over at rest.
# MIT licence.
"""`files(run, ...)` turns one bit of one file over, as a decayed cell the filesystem did not notice; `raw(run, ...)` one bit
anywhere on the chip, the filesystem's own data included. What runs afterwards is verified, or recovery takes the offered
update; for the trust store and the configuration, which nothing on the board can replace, after the cable has written them
anew. A chip whose filesystem itself is beyond help is counted, not hidden: stock firmware formats it."""

import world as w

_CABLE = ("/suit/trust.cbor", "/suit/config.cbor")


def files(run, full, shard, shards):
    world = run.world
    world.image[:] = run.snapshot
    run.scenario.begin(world)
    found = world.mounted(world.files)
    todo = []
    for path in sorted(found):
        size = found[path]
        step = max(1, size // (160 if full else 24))
        todo += [(path, at) for at in range(0, size, step)]
    for index, (path, at) in enumerate(todo):
        if index % shards == shard and not run.enough():
            _file(run, path, at, 1 << (at * 5 + index) % 8)


def _file(run, path, at, bit):
    world = run.world
    run.start([])
    kept = []

    def turn():
        with open(path, "rb") as file:
            data = bytearray(file.read())
        kept.append(bytes(data))
        data[at] ^= bit
        with open(path, "wb") as file:
            file.write(data)

    def repair():
        with open(path, "wb") as file:
            file.write(kept[0])

    def play():
        world.mounted(turn)
        world.live(24)
        if path in _CABLE:
            # whoever the board now trusts or thinks it is: what ran was checked; the cable puts it right
            world.mounted(repair)
            world.cause = w.POWER
            world.live(24)
        lenient(run.scenario, world)

    _judge(run, (path, at, bit), play)


def lenient(scenario, world):
    """As Scenario.check, whatever it went back for and whatever older files are left in the other slot."""
    world.cause = w.POWER
    world.live()
    if not world.history or world.history[-1] != (scenario.final, False):
        world.fail(
            "version %d should run, this ran: %r, refused: %r"
            % (scenario.final, world.history[-4:], world.refusals[-4:])
        )


def _judge(run, point, play):
    world = run.world
    try:
        play()
        run.survived += 1
    except w.Violation as error:
        run.lost.append((point, str(error)))
        if len(run.lost) <= 5:
            w.report("LOST", run.scenario.name, point, error)
            for line in world.said[-12:]:
                w.report("   ", line)
    run.tried += 1


def raw(run, count, seed):
    """`count` bits drawn with `seed`, in the blocks that are in use."""
    import random

    random.seed(seed)
    world = run.world
    used = []
    for block in range(world.blocks):
        part = run.snapshot[block * 4096 : block * 4096 + 4096]
        last = len(part.rstrip(b"\xff"))
        if last:
            used.append((block, last))
    beyond = 0
    for _ in range(count):
        block, last = used[random.randint(0, len(used) - 1)]
        at = block * 4096 + random.randint(0, last - 1)
        bit = 1 << random.randint(0, 7)
        run.start([])
        world.image[at] ^= bit
        beyond += _raw(run, (at, bit))
    w.report("NOTE", run.scenario.name, "filesystem beyond help after %d of %d raw bits" % (beyond, count))


def _raw(run, point):
    """1 when the filesystem is lost."""
    world = run.world
    world.tolerant = True
    lost = []

    def play():
        for _ in range(12):
            outcome = world.boot()
            if outcome in ("idle", "recovery"):
                break
            if outcome == "again" and not world.chip.ops and world.ops == 0:
                lost.append(1)
                break
            world.cause = {"starved": w.WATCHDOG, "again": w.POWER}.get(outcome, w.BUTTON)

    _judge(run, point, play)
    world.tolerant = False
    return 1 if lost else 0
