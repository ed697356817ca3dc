# suitup: signed, standard, brick-proof updates.
# MIT licence.
"""What an app needs:

    import suit
    suit.confirm()                      # the self-test passed: stay with this version
    open(suit.path("settings.json"))    # a file that came with it
    suit.update()                       # look at the configured servers; resets when there is news
    await suit.update_async(url)        # the same beside a running asyncio app
    suit.status()                       # what runs, what is armed, why the board last went back

Every module behind these is imported when it is first needed."""


def update(url=None, reset=True):
    """Fetch, check and install the update at `url` (None: at the servers of the configuration), then
    reset into its trial; with `reset` False return when it is armed. Raises SuitError with the
    reason: R_UP_TO_DATE, R_ROLLBACK, R_UNAUTHORISED... (suit.numbers). Blocks."""
    from .updater import update
    from .wait import run

    run(update(url, reset))


async def update_async(url=None, reset=True):
    """`update` under asyncio, while the app keeps running."""
    from .updater import update
    from .wait import drive

    await drive(update(url, reset))


def confirm():
    """The running version is good: it is the active one from now on, and older ones are refused.
    True when it was on trial; False, and no harm, when it had been confirmed before. Raises OSError
    when the record cannot be written; the trial then goes on."""
    from .api import confirm

    return confirm()


def rollback():
    """Give up the trial, go back to the confirmed version, reset. Raises SuitError(R_NOT_ALLOWED)
    when there is no trial: what was confirmed stays (publish the old app under a higher number)."""
    from .api import rollback

    rollback()


def status():
    """-> dict: what runs, slots, floor, the update under way, why the board last went back."""
    from .api import status

    return status()


def path(name):
    """-> path of the file component `name` ("a/b" for nested ones) of the running version. Raises
    SuitError(R_NOT_ALLOWED) when no slot is running."""
    from .api import path

    return path(name)


def hooks(**functions):
    """What only the app knows, asked while an update is judged: `battery()` -> mWh left,
    `authorize(priority)` -> True to agree (smaller is more urgent), `events()` -> names of what
    holds now: "power", "network", "time-of-day"... (suit.management). What is not given is unknown,
    and a manifest that asks for it is refused or waits."""
    from .runtime import hooks

    hooks.update(functions)


def report():
    """Bring reports that wait to the place that the configuration names; `listen` and `poll` do so by
    themselves. True when none is left. Blocks."""
    from .delivery import once
    from .noticing import notice
    from .wait import run

    notice()
    return run(once())


async def listen():
    """Answer discovery, status and nudges over CoAP, for as long as the app runs. Where the configuration
    names a Wi-Fi, that is joined first, and again when it is lost."""
    from .listening import listen

    await listen()


async def poll():
    """Look at the configured servers every `poll` seconds, for boards that cannot be reached; joins the
    Wi-Fi as `listen` does."""
    from .listening import poll

    await poll()
