# The one exception that a refusal is made of.
# MIT licence.
"""`SuitError(reason, detail, offset)`: what is wrong (a number of `numbers.py`, the reason codes of
suit-report section 4 and our extensions), with which value, and at which byte of the item.

Storage and network keep raising `OSError` with its errno; the updater turns it into a reason at its edge.
"""


class SuitError(Exception):
    """A refusal. `reason`: int of `numbers.R_*`; `detail`: str, int or None; `offset`: bytes or None."""

    def __init__(self, reason, detail=None, offset=None):
        super().__init__(reason, detail, offset)
        self.reason = reason
        self.detail = detail
        self.offset = offset
