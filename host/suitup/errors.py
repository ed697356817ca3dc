"""`Failure(what, why, hint)`: the one exception the command line turns into words and an exit code."""

DONE, REFUSED, USAGE = 0, 1, 2


class Failure(Exception):
    """Something was refused or failed.

    `what`: one sentence, what happened; `why`: what made it so, or None; `hint`: what to do next, or None;
    `code`: exit code, 1 refused or failed, 2 used wrongly. `reason`: number of the device's table, or None."""

    def __init__(self, what, why=None, hint=None, code=REFUSED, reason=None):
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self.code = code
        self.reason = reason

    def __str__(self):
        return f"{self.what}: {self.why}" if self.why else self.what
