"""A device's reason as a sentence and a hint: `explain(reason, detail) -> (what, hint)`.

The numbers are the device's own (`suitup.numbers`); a test keeps this table complete."""

import ast

from suitup import numbers as n

# {number: (what happened; `{}` takes the detail, what to do next or None)}
_SENTENCES = {
    n.R_OK: ("it worked", None),
    n.R_CBOR_PARSE: (
        "the envelope is damaged or not strictly encoded",
        "it was cut short or changed on the way; `suitup verify FILE` tells where",
    ),
    n.R_COSE_UNSUPPORTED: (
        "the authentication block is of a kind the device does not read",
        "sign with `suitup sign`, which writes COSE_Sign1 or COSE_Mac0",
    ),
    n.R_ALG_UNSUPPORTED: (
        "the device has no code for algorithm {}",
        "sign with an algorithm the device has, or install a build of suit with this one",
    ),
    n.R_UNAUTHORISED: (
        "no key the device trusts authenticates this manifest",
        "sign with the key the device was provisioned with; `suitup inspect FILE` shows the "
        "signer's key id",
    ),
    n.R_COMMAND_UNSUPPORTED: (
        "the manifest uses command {}, which the device does not know",
        "`suitup lint FILE` shows where",
    ),
    n.R_COMPONENT_UNSUPPORTED: (
        "the manifest names a component the device does not have: {}",
        'apps use ["app"], ["file", name] and ["ram", name]',
    ),
    n.R_COMPONENT_UNAUTHORISED: (
        "the signer may not write component {}",
        "its key needs another role in the trust store, or access to that component "
        "(`suitup provision --trust KEY:ROLES`, access=FILE)",
    ),
    n.R_PARAMETER_UNSUPPORTED: (
        "the manifest sets parameter {}, which the device does not know",
        "`suitup lint FILE` shows where",
    ),
    n.R_SEVERING_UNSUPPORTED: (
        "member {} may not be severed",
        "keep it in the manifest",
    ),
    n.R_CONDITION_FAILED: (
        "a condition of the manifest does not hold: {}",
        "the update is for another vendor, class or slot, or for another state of the device (battery, clock, "
        "version, consent), or a digest did not match; `suitup simulate FILE` shows which",
    ),
    n.R_OPERATION_FAILED: (
        "a step of the manifest failed: {}",
        "`suitup simulate FILE` shows which",
    ),
    n.R_INVOKE_PENDING: ("the new version starts at the next reset", None),
    n.R_STRUCTURE: (
        "this is well-formed, but not an envelope or manifest: {}",
        "`suitup verify FILE` tells where",
    ),
    n.R_LIMIT: (
        "the manifest is over a limit of the device: {}",
        "use fewer components or shorter URIs",
    ),
    n.R_VERSION: (
        "the manifest has another format version than 1",
        "the device reads suit-manifest version 1 only",
    ),
    n.R_ROLLBACK: (
        "the sequence number is lower than the floor: {}",
        "a confirmed device does not go back; publish the old app again under a higher number",
    ),
    n.R_SEVERED_DIGEST: (
        "a severed member does not match its digest in the manifest: {}",
        "the envelope was changed after signing; get it again from the release folder",
    ),
    n.R_MEMBER_MISSING: (
        "a severed member is needed but not in the envelope: {}",
        "serve the complete envelope",
    ),
    n.R_SEQUENCE: ("a command sequence is wrong: {}", "`suitup lint FILE` shows where"),
    n.R_NO_PAYLOAD: (
        "the payload cannot be had: {}",
        "the files beside the envelope in the release folder must be served with it",
    ),
    n.R_TOO_LARGE: (
        "it does not fit: {}",
        "make the app smaller, or use a board with larger slots",
    ),
    n.R_BUDGET: (
        "the manifest asks for more steps than a device spends: {}",
        "simplify its sequences",
    ),
    n.R_BUSY: ("an update is already under way", "wait for it: `suitup status`"),
    n.R_TRIAL_RUNNING: (
        "the running app is on trial",
        "wait until it confirms or goes back; by cable: `suitup confirm` or `suitup rollback`",
    ),
    n.R_UP_TO_DATE: ("the device runs this version already", None),
    n.R_KNOWN_BAD: (
        "the device went back from this very version before",
        "fix the app and publish a new version",
    ),
    n.R_NOT_MATCHED: (
        "the manifest would arm or start a component whose digest it never checks: {}",
        "add an image-match condition; `suitup lint FILE` shows where",
    ),
    n.R_STORAGE: (
        "the device could not store it: {}",
        "free space on the device, or replace its flash",
    ),
    n.R_NETWORK: (
        "the server cannot be reached: {}",
        "is it running, and does the device reach it?",
    ),
    n.R_SERVER: ("the server answered with {}", "is the file in the release folder it serves?"),
    n.R_DECRYPTION: (
        "the payload cannot be decrypted: {}",
        "it was encrypted to another key, or changed on the way",
    ),
    n.R_NOT_ALLOWED: (
        "the device does not take updates like this now: {}",
        "it looks only at its configured servers and at whoever nudged it",
    ),
    n.R_CONTENT_CHANGED: (
        "the payload changed while it was fetched",
        "was something published meanwhile? push again",
    ),
    n.R_DIGEST: (
        "what is stored does not have the digest of the manifest: {}",
        "push the update again; when it comes back, the flash is worn",
    ),
    n.R_WAITING: (
        "the update waits for an event that has not happened yet: {}",
        "the device looks again by itself when it polls; a nudge makes it look now",
    ),
    n.R_IMAGE: (
        "this firmware image is not for this board: {}",
        "a firmware slot takes the application image (.app-bin) of the same chip",
    ),
    n.R_TLS: (
        "no secure connection to the server: {}",
        "the clock must be set and /suit/ca.der hold the CA of the server's certificate; plain http is "
        "as safe for updates, since the manifest is signed",
    ),
    n.R_NOT_PERMITTED: (
        "the signer's key may not do this: {}",
        "its entry in the trust store limits components, commands or parameters "
        "(`suitup provision --trust`)",
    ),
    n.R_UPDATER: (
        "the updater that came with the version did not start",
        "the board's own one runs; is it built for this interpreter and chip (arch in suitup.toml)?",
    ),
    n.R_BACK_EXCEPTION: (
        "the app ended with an exception before it confirmed: {}",
        "`suitup status` shows the traceback",
    ),
    n.R_BACK_WATCHDOG: (
        "the app did not confirm before the watchdog fired",
        "did its self-test hang, or take longer than the trial?",
    ),
    n.R_BACK_TRIES: (
        "the app was started as often as it may and never confirmed",
        "call suit.confirm() after the self-test",
    ),
    n.R_BACK_MANUAL: ("somebody asked it to go back", None),
    n.R_BACK_INVALID: (
        "what was stored did not verify at boot: {}",
        "push the update again; was the trust store changed?",
    ),
    n.R_BACK_FIRMWARE: (
        "the new firmware did not stay: the bootloader went back to the old one",
        "it was reset, or crashed, before the app confirmed; after power cuts push it again, "
        "else publish under a higher number",
    ),
    n.R_BACK_ENDED: (
        "the app returned before it confirmed",
        "call suit.confirm() after the self-test, and keep running",
    ),
}
# details that are themselves short codes are followed by a word for people
_NAMES = {value: name for name, value in vars(n).items() if name.startswith("R_")}


def explain(reason: int, detail=None) -> tuple[str, str | None]:
    """(what happened, what to do next or None) for a reason of the device."""
    what, hint = _SENTENCES.get(reason, (f"reason {reason}", "a newer suitup may know it"))
    if "{}" in what:
        if detail in (None, ""):
            # leave the place out, with the colon or blank before it
            what = what.replace(": {}", "").replace(" {}", "")
        else:
            what = what.replace("{}", _shown(reason, detail))
    elif detail not in (None, ""):
        what += f" ({_shown(reason, detail)})"
    return what, hint


def _shown(reason, detail):
    if isinstance(detail, int):
        from suitup.manifest import events, labels

        table = {
            n.R_COMMAND_UNSUPPORTED: labels.COMMANDS,
            n.R_CONDITION_FAILED: labels.COMMANDS,
            n.R_OPERATION_FAILED: labels.COMMANDS,
            n.R_PARAMETER_UNSUPPORTED: labels.PARAMETERS,
            n.R_ALG_UNSUPPORTED: labels.ALGORITHMS,
            n.R_SEVERED_DIGEST: labels.MANIFEST,
            n.R_MEMBER_MISSING: labels.MANIFEST,
            n.R_SEVERING_UNSUPPORTED: labels.MANIFEST,
            n.R_WAITING: {number: name for number, (name, _) in events.EVENTS.items()},
        }.get(reason)
        if table and detail in table:
            return f"{table[detail]} ({detail})"
    if reason == n.R_COMPONENT_UNAUTHORISED:
        return _component(str(detail))
    return str(detail)


def _component(text):
    """A component that an access file keeps out comes as Python writes its segments: `(b'app',)`."""
    from suitup.manifest import describe

    try:
        segments = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text
    whole = isinstance(segments, tuple) and all(isinstance(each, bytes) for each in segments)
    return describe.component_name(segments) if whole else text


def name(reason: int) -> str:
    """`R_ROLLBACK` -> `rollback`; a short word for tables and scripts."""
    return _NAMES.get(reason, f"R_{reason}")[2:].lower().replace("_", "-")
