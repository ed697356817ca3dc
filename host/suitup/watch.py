"""What a board's status means for an update that was offered to it: pure functions, used by push and its tests."""

from binascii import crc32

from suitup import numbers as n
from suitup import reasons, version

PREFIX = 8  # bytes of a manifest digest that the board keeps of what it went back from


def same(one, other) -> bool:
    """Do two digests, either of them perhaps cut to PREFIX bytes, name the same manifest?"""
    if not one or not other:
        return False
    length = min(len(one), len(other))
    return length >= PREFIX and one[:length] == other[:length]


def slot(status, which) -> dict:
    """What the status says of slot "a" or "b"; empty for none."""
    return (status.get("slots") or {}).get(which) or {}


def runs(status, digest) -> bool:
    """Is this manifest running now?"""
    return same(slot(status, status.get("running")).get("digest"), digest)


def confirmed(status, digest) -> bool:
    """Is this manifest running and confirmed?"""
    return (
        status.get("trial") is None
        and status.get("active") == status.get("running")
        and runs(status, digest)
    )


def went_back(status, before, digest) -> bool:
    """Did the board go back from this manifest since `before`?"""
    back = status.get("back") or {}
    if not same(back.get("digest"), digest):
        return False
    known = (before.get("back") or {}).get("digest")
    return not same(known, digest) and not runs(status, digest) and status.get("trial") is None


def refused(status, before, digest, settled, url=None) -> dict | None:
    """The `update` entry when the board turned this manifest down since `before`.

    `settled`: it has had the time to begin, so that an entry like the one before is a new answer."""
    update = status.get("update") or {}
    if update.get("state") not in ("refused", "failed", "waiting"):
        return None
    if url is not None and update.get("for", crc32(url.encode())) != crc32(url.encode()):
        return None  # somebody else's, at another place
    # what cannot be read here has no digest, and the board may have read as far as the manifest
    if digest and update.get("digest") and not same(update["digest"], digest):
        return None
    old = before.get("update") or {}
    if status.get("boot") == before.get("boot"):
        if "n" in update:  # counts the updates since boot
            return update if update["n"] != old.get("n") else None
        if update == old and not settled:
            return None
    return update


def shown_version(line: dict) -> str:
    """The version of a slot, else its sequence number."""
    numbers = line.get("version")
    if numbers:
        return version.show(numbers) if isinstance(numbers, list) else str(numbers)
    return f"sequence {line['seq']}" if "seq" in line else "nothing"


def why(entry: dict) -> tuple:
    """(sentence, hint) for an entry with a reason and a detail."""
    reason, detail = entry.get("reason"), entry.get("detail")
    if reason is None:
        return "no reason given", None
    if reason == n.R_BACK_INVALID and detail:
        # the record keeps the reason for which it did not verify
        detail = reasons.explain(detail)[0]
    elif reason >= n.R_BACK_EXCEPTION:
        detail = None
    return reasons.explain(reason, detail)


def up_to_date(entry: dict) -> bool:
    return entry.get("reason") == n.R_UP_TO_DATE


def describe(status: dict, stopped=False) -> list:
    """Lines for people: what runs, what the slots hold, how the last update went. `stopped`: asked at the console, for
    which the app had to end."""
    name = status.get("name", "board")
    machine = status.get("machine")
    lines = [f"board     {name}" + (f", {machine}" if machine else "")]
    running = status.get("running")
    following = status.get("trial") or status.get("active")
    if running is None and stopped and following:
        told = shown_version(slot(status, following))
        lines.append(f"runs      nothing while it is asked by cable; slot {following}, {told}, starts again now")
    elif running is None:
        lines.append("runs      recovery: no slot boots; it waits for an update")
    else:
        state = "on trial" if status.get("trial") == running else "confirmed"
        lines.append(f"runs      slot {running}, {shown_version(slot(status, running))}, {state}")
    for which in ("a", "b"):
        line = slot(status, which)
        if not line or line.get("state") == "empty":
            lines.append(f"slot {which}    empty")
            continue
        numbered = f", sequence {line.get('seq')}" if line.get("version") else ""
        text = f"slot {which}    {shown_version(line)}{numbered}, {line.get('state')}"
        if line.get("digest"):
            text += f", manifest {bytes(line['digest']).hex()[:16]}"
        if status.get("trial") == which and running != which:
            text += f", starts at the next reset ({status.get('tries')} tries)"
        lines.append(text)
    if status.get("firmware"):
        lines.append(f"firmware  runs from {status['firmware']}")
    if status.get("updater"):
        lines.append(f"updater   runs from slot {status['updater']}")
    if "floor" in status:
        lines.append(f"floor     sequence {status['floor']}: nothing below is taken")
    update = status.get("update") or {}
    if update.get("state") not in (None, "idle"):
        text = f"update    {update['state']}"
        if update.get("total"):
            text += f", {update.get('done', 0)} of {update['total']} bytes"
        if update.get("reason") is not None:
            text += f": {why(update)[0]}"
        lines.append(text)
    back = status.get("back")
    if back:
        lines.append(f"went back from sequence {back.get('seq')}: {why(back)[0]}")
    if status.get("traceback"):
        lines += ["          " + line for line in status["traceback"].rstrip().splitlines()]
    if status.get("dev"):
        lines.append("note      trusts a development key")
    if "free" in status:
        lines.append(
            f"heap      {status['free'] // 1024} KiB free, up {status.get('uptime', 0) // 1000} s"
        )
    return lines
