"""Point formulas as formulas, and the compiler that turns them into code for the field VM.

A program is text, one operation per line:

    H = x * D          multiply            X = g[0]     load from table 0 (g) or 1 (k), relative
    H = H - X          add or subtract     x = q[0]     copy from the register table, relative
    x = H              copy                call TAIL    call a subprogram; `call DOUBLE 5` five times
    check H            stop when H may be zero

`Curve.ops(text)` gives four bytes per operation: code, d, a, b. *Relative* operands are moved by
index * stride when an addition is written into the trace (`scalar_plain.trace`).
"""

import re

MUL, ADD, SUB, COPY, LOAD, CALL, RETURN, CHECK = range(8)

_BINARY = {"*": MUL, "+": ADD, "-": SUB}


class Curve:
    """A register file, subprograms, and the templates of its additions."""

    def __init__(self, name, prime, scale, registers, points, coordinates):
        self.name = name
        self.prime = prime
        self.scale = scale  # tables and `put` hold value * scale mod prime
        self.names = registers.split()
        self.q = len(self.names)  # first register of the table of points
        self.registers = self.q + points * coordinates
        self.stride = coordinates
        self.library = bytearray()
        self.entries = {}  # name -> (first operation, number of operations)
        self.functions = {}  # name -> (text, outputs), what the big-integer engine is made of

    def register(self, name):
        match = re.fullmatch(r"q\[(\d+)\]", name)
        return self.q + int(match[1]) if match else self.names.index(name)

    def operation(self, line):
        words = line.split()
        if words[0] == "check":
            return CHECK, 0, self.register(words[1]), 0
        if words[0] == "call":
            times = int(words[2]) if len(words) > 2 else 1
            return CALL, self.entries[words[1]][0], times, 0
        d, equals, a = words[:3]
        assert equals == "=", line
        d = self.register(d)
        if len(words) == 5:
            return _BINARY[words[3]], d, self.register(a), self.register(words[4])
        table = re.fullmatch(r"([gk])\[(\d)\]", a)
        if table:
            return LOAD, d, int(table[2]), "gk".index(table[1])
        return COPY, d, self.register(a), 0

    def ops(self, text):
        lines = [line.strip() for line in text.strip().split("\n")]
        return b"".join(bytes(self.operation(line)) for line in lines)

    def _append(self, name, code):
        self.entries[name] = len(self.library) // 4, len(code) // 4
        self.library += code
        assert len(self.library) <= 1024

    def subprogram(self, name, outputs, text):
        """Ends with RETURN; the big-integer engine has it as a function that sets `outputs`."""
        self.functions[name] = text, outputs.split()
        self._append(name, self.ops(text) + bytes((RETURN, 0, 0, 0)))

    def template(self, name, text):
        """Operations that `trace` copies; a copy from q[...] becomes relative."""
        code = bytearray(self.ops(text))
        for i in range(0, len(code), 4):
            if code[i] == COPY and code[i + 2] >= self.q:
                code[i + 3] = 1
        self._append(name, bytes(code))

    def stream(self, name, stride, first, first_negative, plus, minus):
        """Templates of one stream of digits, and its shape: nine bytes that `trace` reads."""
        shape = [stride]
        for suffix, text in zip(("F", "FN", "P", "M"), (first, first_negative, plus, minus)):
            self.template(name + suffix, text)
            shape += self.entries[name + suffix]
        return bytes(shape)


def python(curve, leave_out=()):
    """Source of one Python function per subprogram, `name(r, n)`: registers are a list of ints, n
    repetitions, True when a check stopped it.

    A product is reduced where it is used as a factor; where it only goes into sums that are
    results, the sum is reduced instead, which saves half of the divisions of X and Y."""
    return "\n\n\n".join(
        _function(curve, name, text, outputs)
        for name, (text, outputs) in curve.functions.items()
        if name not in leave_out
    )


def _function(curve, name, text, outputs):
    lines = [line.strip().split() for line in text.strip().split("\n")]
    last = {line[0]: n for n, line in enumerate(lines) if line[0] != "check"}

    def is_result(n):
        """What is kept, and what is compared with zero: to be below the prime."""
        checked = any(lines[m][0] == "check" for m in uses(n))
        return checked or lines[n][0] in outputs and last[lines[n][0]] == n

    def uses(n):
        """Lines that read the value line n makes."""
        found = []
        for m in range(n + 1, len(lines)):
            if lines[n][0] in lines[m][1:]:
                found.append(m)
            if lines[m][0] == lines[n][0]:
                break
        return found

    def may_grow(n):
        """Whether every way of the value of line n leads through sums into a result."""
        return all(
            lines[m][0] != "check" and lines[m][3:4] != ["*"] and len(lines[m]) == 5
            and (is_result(m) or may_grow(m)) for m in uses(n)
        )

    grown = {n for n, line in enumerate(lines)
             if line[3:4] == ["*"] and not is_result(n) and may_grow(n)}
    body, wide = [], set()
    for n, line in enumerate(lines):
        if line[0] == "check":
            body.append("if not %s:" % line[1])
            body.append("    return True")
            continue
        target, expression = line[0], " ".join(line[2:])
        before = lines[n - 1] if n else []
        if len(line) == 5 and line[2:4] == [target, "+"] and before == [
            target, "=", line[4], "+", line[4]
        ]:
            body.pop()  # twice, and once more
            expression = "3 * " + line[4]
            if body[-1].endswith(" % prime") and len(uses(n - 2)) == 2:
                # a factor that is three times a product: reduced once, when it is complete
                body[-1] = body[-1][: -len(" % prime")]
                expression += " % prime"
        if line[3:4] == ["*"]:
            large = n in grown
            expression += "" if large else " % prime"
        else:
            large = bool(wide & set(line[2:]))
            if large and is_result(n):
                expression, large = "(%s) %% prime" % expression, False
        (wide.add if large else wide.discard)(target)
        body.append("%s = %s" % (target, expression))
    written, inputs = set(), []
    for line in lines:
        for word in line[1:] if line[0] == "check" else line[2:]:
            if word in curve.names and word not in written and word not in inputs:
                inputs.append(word)
        written.add(line[0])
    # what changes its inputs for the next time may be repeated
    changed = [word for word in inputs if word in written]
    loop = bool(changed) and all(word in outputs for word in changed)
    out = ["def %s(r, n):" % name.lower(), "    prime = P"]
    out += ["    %s = r[%d]" % (word, curve.register(word)) for word in inputs]
    if loop:
        out += ["    while n:", "        n -= 1"]
    out += [" " * (8 if loop else 4) + line for line in body]
    out += ["    r[%d] = %s" % (curve.register(word), word) for word in outputs]
    return "\n".join(out)


def literal(data, indent="    ", width=20):
    """A bytes literal over several lines, in parentheses."""
    rows = [data[i : i + width] for i in range(0, len(data), width)]
    return "(\n%s\n)" % "\n".join(
        indent + 'b"%s"' % "".join("\\x%02x" % byte for byte in row) for row in rows
    )
