"""The field VM in viper, for two primes.

An element is 20 limbs of 13 bits in ptr16. A column of the product of two such numbers is below
20 * 2^26 < 2^31: no carry inside the product and no sign bit, so a 32-bit and a 64-bit board compute
the same. viper keeps its first two names in registers (in .mpy files): `t`, the column pointer, and
`x`, the factor of the row. Values with junk above bit 31 never arise.
"""

LIMBS = 20

_HEAD = """
@micropython.viper
def run(t: ptr32, x: int, code: ptr8, start: int, table0: ptr8, table1: ptr8) -> int:
    t0 = int(t)
    M = 8191
    registers = t0 + 164
    pc = int(code) + start
    back = 0
    first = 0
    times = 1
    while True:
        op = ptr8(pc)[0]
        d = registers + ptr8(pc)[1] * 40
        a = registers + ptr8(pc)[2] * 40
        b = registers + ptr8(pc)[3] * 40
        pc += 4
        if op == 0:
            t = ptr32(t0)
{multiply}
        elif op == 1:
{add}
        elif op == 2:
{subtract}
        elif op == 3:
            i = 10
            while i:
                ptr32(d)[0] = ptr32(a)[0]
                d += 4
                a += 4
                i -= 1
        elif op == 4:
            b = int(table0)
            if ptr8(pc - 4)[3]:
                b = int(table1)
            b += ptr8(pc - 4)[2] * 32
            x = 0
            a = {shift}
            i = 32
            while i:
                x |= ptr8(b)[0] << a
                b += 1
                a += 8
                if a >= 13:
                    ptr16(d)[0] = x & M
                    d += 2
                    x >>= 13
                    a -= 13
                i -= 1
{last}        elif op == 5:
            first = int(code) + ptr8(pc - 4)[1] * 4
            times = ptr8(pc - 4)[2]
            back = pc
            pc = first
        elif op == 6:
            times -= 1
            if times:
                pc = first
            elif back:
                pc = back
                back = 0
                times = 1
            else:
                return 0
        else:
{check}
{tail}
"""


def _lines(lines, indent):
    return "\n".join(" " * indent + line for line in lines)


def _mac(k):
    return "t[%d] = ptr16(b)[%d] * x + t[%d]" % (k, k, k)


def _product(fill):
    """Columns of a * b into t[0 .. 39], each with `fill` added."""
    lines = ["t[%d] = %s" % (k, fill) for k in range(LIMBS)]
    lines += ["if a == b:"] + ["    " + line for line in _square(fill)]
    lines += ["else:", "    i = 20", "    while i:", "        x = ptr16(a)[0]"]
    lines += ["        " + _mac(k) for k in range(LIMBS)]
    lines += ["        t[20] = %s" % fill, "        t = ptr32(int(t) + 4)", "        a += 2"]
    return lines + ["        i -= 1"]


def _square(fill):
    """Each product of two limbs once, doubled: four triangles of 5 limbs along the diagonal, and
    what lies outside them by rows. 210 products in place of 400."""
    lines = ["t = ptr32(t0 + 80)"] + ["t[%d] = %s" % (k, fill) for k in range(LIMBS)]
    lines += ["t = ptr32(t0)", "i = 15", "while i:", "    x = ptr16(a)[0] << 1"]
    lines += ["    " + _mac(k) for k in range(15, 20)]
    lines += ["    if i > 5:"] + ["        " + _mac(k) for k in range(10, 15)]
    lines += ["        if i > 10:"] + ["            " + _mac(k) for k in range(5, 10)]
    lines += ["    t = ptr32(int(t) + 4)", "    a += 2", "    i -= 1"]
    lines += ["t = ptr32(t0)", "i = 4", "while i:"]
    for j in range(5):
        lines += ["    x = ptr16(b)[%d]" % j, "    t[%d] = x * x + t[%d]" % (2 * j, 2 * j)]
        if j < 4:
            lines.append("    x = x << 1")
        for k in range(j + 1, 5):
            lines.append("    t[%d] = ptr16(b)[%d] * x + t[%d]" % (j + k, k, j + k))
    return lines + ["    t = ptr32(int(t) + 40)", "    b += 10", "    i -= 1"]


def _chain(sign, extra, bias=None):
    """d = a sign b limb by limb; x carries. `extra` is added to single limbs."""
    lines = []
    for k in range(LIMBS):
        term = "ptr16(a)[%d] %s ptr16(b)[%d]%s" % (k, sign, k, extra.get(k, ""))
        if bias:
            term += " + " + bias[bool(k)]
        lines.append("x = %s" % ("(x >> 13) + " + term if k else "x + " + term))
        lines.append("ptr16(d)[%d] = x & M" % k)
    return lines


def p256():
    """Montgomery form, R = 2^260. p = 2^256 - 2^224 + 2^192 + 2^96 - 1 is -1 modulo 2^13, so the
    multiple of p that clears a limb is the limb itself. 65536 = 8 * 2^13 is added to every column,
    so that the subtracted term leaves it positive, and taken out with the carry.

    Sizes: a product of factors below 2^260 and 2^258 is below 2^259; sums and differences are
    below 2^257.1, being reduced by the multiple of p that their top limbs give; a loaded element
    (16 times a table's) is below 2^260 and is only multiplied by or added to smaller ones."""
    multiply = _product("z")
    multiply += ["t = ptr32(t0)", "c = 0", "i = 10", "while i:"]
    for u in range(2):
        multiply += [
            "    x = t[%d] + c" % u,
            "    c = (x >> 13) - 8",
            "    x = x & M",
            "    t[%d] = (x << 5) + t[%d]" % (7 + u, 7 + u),
            "    t[%d] = (x << 10) + t[%d]" % (14 + u, 14 + u),
            "    t[%d] = t[%d] - (x << 3)" % (17 + u, 17 + u),
            "    t[%d] = (x << 9) + t[%d]" % (19 + u, 19 + u),
        ]
    multiply += ["    t = ptr32(int(t) + 8)", "    i -= 1"]
    for k in range(LIMBS):
        multiply.append("x = %s" % ("(x >> 13) + t[%d] - 8" % k if k else "t[0] + c"))
        multiply.append("ptr16(d)[%d] = x & M" % k)
    # - c p, limb by limb
    less = {7: " - (c << 5)", 14: " - (c << 10)", 17: " + (c << 3)", 19: " - (c << 9)"}
    return _HEAD.format(
        multiply=_lines(multiply, 12),
        add=_lines(["c = (ptr16(a)[19] + ptr16(b)[19]) >> 9", "x = c"] + _chain("+", less), 12),
        subtract=_lines(
            ["c = ((ptr16(a)[19] - ptr16(b)[19]) >> 9) - 1", "x = c"] + _chain("-", less), 12
        ),
        shift=4,  # 260 bits: the last limb is full
        last="",
        check=_lines([
            "# a difference is 0, p, 2p or 3p when it is zero",
            "c = ptr16(a)[0]",
            "if c == 0 or c > 8188:",
            "    c = ptr16(a)[1]",
            "    if c == 0 or c == M:",
            "        return 1",
        ], 12),
        tail="",
    ).replace("    M = 8191\n", "    M = 8191\n    z = 65536\n")


def c25519():
    """2^260 is 32 * 19 = 608 modulo p = 2^255 - 19. Elements are below 2^260 + 2^14, not reduced;
    a difference has 64 p = 2 (2^260 - 608) added."""
    multiply = _product("z") + ["t = ptr32(t0)", "x = 0", "i = 5", "while i:"]
    for u in range(4):
        multiply += [
            "    x = t[%d] + (x >> 13)" % (20 + u),
            "    t[%d] = (x & M) * 608 + t[%d]" % (u, u),
        ]
    multiply += [
        "    t = ptr32(int(t) + 16)",
        "    i -= 1",
        "t = ptr32(t0)",
        "t[0] = (x >> 13) * 369664 + t[0]",  # 608 * 608
    ]
    for k in range(LIMBS):
        multiply.append("x = %s" % ("(x >> 13) + t[%d]" % k if k else "t[0]"))
        multiply.append("ptr16(d)[%d] = x & M" % k)
    tail = ["if op < 3:", "    x = (x >> 13) * 608 + ptr16(d)[0]", "    ptr16(d)[0] = x & M"]
    for k in (1, 2):
        tail += ["    x = (x >> 13) + ptr16(d)[%d]" % k, "    ptr16(d)[%d] = x & M" % k]
    tail += ["    ptr16(d)[3] = (x >> 13) + ptr16(d)[3]"]
    return _HEAD.format(
        multiply=_lines(multiply, 12),
        add=_lines(["x = 0"] + _chain("+", {}), 12),
        subtract=_lines(
            ["x = 0", "y = 15168", "v = 16382"] + _chain("-", {}, ("y", "v")), 12
        ),
        shift=0,
        last="            ptr16(d)[0] = x\n",
        check=_lines(["return 1"], 12),
        tail=_lines(tail, 8),
    ).replace("    M = 8191\n", "    M = 8191\n    z = 0\n")
