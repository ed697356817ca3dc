"""What lint finds: `Report.add(...)` collects each Finding once."""

from dataclasses import dataclass

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """`level`: ERROR (a device refuses it, or takes it that should not) or WARNING (perhaps not what was meant)."""

    level: str
    where: str
    what: str
    why: str = ""
    hint: str = ""


class Report(list):
    """Findings in the order they were made."""

    def add(self, level, where, what, why="", hint=""):
        finding = Finding(level, where, what, why, hint)
        if finding not in self:
            self.append(finding)
