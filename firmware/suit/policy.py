# Board policy: what a manifest's author forgot must not run.
# MIT licence.
"""`check(processor, manifest, board)` after a procedure that validates: the app and every file
component that is present must have passed an image-match in this very procedure, those that
dependencies name too; every dependency must have been authenticated, and the app must be there.
Updater and launcher ask the same question, so nothing is armed that would not boot. Raises
SuitError(R_NOT_MATCHED, index or name). -> identifier of the app (encoded)."""

from .components import parse
from .errors import SuitError
from .numbers import R_NOT_MATCHED


def components(manifest, board):
    """-> [component...] by index; raises R_COMPONENT_UNSUPPORTED or R_COMPONENT_UNAUTHORISED."""
    found = []
    for i in range(manifest.components):
        raw = manifest.component(i)
        found.append(board.component(raw))
        board.allowed(board.roles, raw)
    return found


def check(processor, manifest, board):
    app = None
    matched = processor.matched_identifiers
    for context in processor.root.tree():
        for i in context.everything():
            raw = context.identifier(i)
            kind = parse(raw)[0]
            if kind == "ram":
                continue
            if raw in matched:
                if kind == "app":
                    app = raw
            elif kind == "manifest" or board.component(raw).size() is not None:
                raise SuitError(R_NOT_MATCHED, i)
    if app is None:
        raise SuitError(R_NOT_MATCHED, "no app")
    return app


def floor_key(manifest):
    """-> the key of the floor that counts for this root manifest (state.FLOOR_KEY bytes)."""
    import hashlib

    from .state import FLOOR_KEY

    return hashlib.sha256(bytes(manifest.component_id or b"")).digest()[:FLOOR_KEY]
