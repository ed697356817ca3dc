# Scalars to digits, digits to field-VM programs; in plain Python.
# MIT licence.
"""Engine of scalar arithmetic where there is no native emitter. `scalar_viper.py` is made of this
text (`python -m generate scalar_viper` in firmware/), so each function keeps to what viper can do:
integers below 2^30, buffers, while loops.

A *digit* is one byte: 0 none, else 1 + (index << 1 | negative). An array holds one per doubling."""


def regular(k, n, columns, step, tooth, teeth, out, scratch):
    """Digits of the secret or public scalar `k` (32 bytes, little-endian) of a group of odd order `n`
    (the same), all of them odd, by the same steps whatever k is: an even k becomes n - k, with the
    signs turned. Digit i has the bits tooth apart from bit i * step on, each standing for +1 or -1,
    and goes to out[i * step]. A comb has step 1; a window has tooth 1. `scratch` takes 32 bytes."""
    turn = (k[0] & 1) ^ 1
    c = 0
    i = 0
    while i < 32:
        v = n[i] - k[i] - c
        c = (v >> 8) & 1
        scratch[i] = (k[i] & (turn - 1)) | (v & (0 - turn) & 255)
        i += 1
    last = (columns - 1) * step + (teeth - 1) * tooth
    i = 0
    while i < columns:
        d = 0
        v = 0
        j = i * step
        c = 0
        while c < teeth:
            # the bit above bit j, of (k - 1) / 2 + 2^last
            v = 1
            if j < last:
                v = 0
                if j < 255:
                    v = (scratch[(j + 1) >> 3] >> ((j + 1) & 7)) & 1
            d |= v << c
            j += tooth
            c += 1
        v ^= 1  # the highest tooth is negative: all are turned
        d = (d ^ (0 - v)) & ((1 << (teeth - 1)) - 1)
        out[i * step] = 1 + ((d << 1) | (v ^ turn))
        i += 1


def wnaf(k, width, out):
    """Digits of the public scalar `k` (32 bytes, little-endian): odd, below 2^(width - 1), at least
    `width` places apart. `out` has 257 places."""
    i = 0
    while i < 257:
        out[i] = 0
        i += 1
    i = 0
    c = 0
    while i < 257:
        v = c
        if i < 256:
            v = k[i >> 3]
            if i < 248:
                v |= k[(i >> 3) + 1] << 8
            v >>= i & 7
        if i < 256 and (v & 1) == c:
            i += 1
            v >>= 1
            while i & 7 and (v & 1) == c:  # more of them in this byte
                i += 1
                v >>= 1
        elif i == 256:
            if c:
                out[i] = 1
            i += 1
        else:
            v = (v & ((1 << width) - 1)) + c
            c = v >> (width - 1)
            if c:
                v = (1 << width) - v
            out[i] = 1 + (((v >> 1) << 1) | c)
            i += width
    return c


def trace(digits, n, shape, streams, state, code, at, room):
    """Write a program for the sum over i < n of 2^i times the points that the digits name, highest
    first: `streams` arrays of n digits, each with a shape of nine bytes (stride; then start and
    length, in operations of `code`, of the templates: first +, first -, later +, later -). Starts
    at code[at], uses at most `room` bytes, ends with RETURN. `state` is three ints, [n, 0, 0] to
    begin with; state[0] is 0 when all is written. Doubling is operation 0."""
    i = state[0]
    doublings = state[1]
    started = state[2]
    end = at + room - 72  # one place takes at most 17 operations, RETURN and doublings included
    while i:
        if at > end:
            break
        i -= 1
        doublings += 1
        s = 0
        j = i
        while s < streams:
            d = digits[j]
            if d:
                d -= 1
                if started:
                    if doublings:
                        code[at] = 5
                        code[at + 1] = 0
                        code[at + 2] = doublings
                        code[at + 3] = 0
                        at += 4
                doublings = 0
                t = s * 9 + 1 + ((started << 1) | (d & 1)) * 2
                move = (d >> 1) * shape[s * 9]
                p = shape[t] << 2
                e = p + (shape[t + 1] << 2)
                while p < e:
                    c = code[p]
                    code[at] = c
                    code[at + 1] = code[p + 1]
                    code[at + 3] = code[p + 3]
                    d = code[p + 2]
                    if c == 4:
                        d += move
                    elif c == 3 and code[p + 3]:
                        d += move
                    code[at + 2] = d
                    p += 4
                    at += 4
                started = 1
            s += 1
            j += n
    if i == 0 and doublings and started:
        code[at] = 5
        code[at + 1] = 0
        code[at + 2] = doublings
        code[at + 3] = 0
        at += 4
        doublings = 0
    code[at] = 6
    state[0] = i
    state[1] = doublings
    state[2] = started
    return at + 4


def ladder(k, bits, step, code, at):
    """Write a program of `bits` calls from code[at] on, for the bits of the secret scalar `k`
    (little-endian) from the highest on: subprogram 0 for a 0, subprogram `step` for a 1."""
    while bits:
        bits -= 1
        code[at] = 5
        code[at + 1] = step * ((k[bits >> 3] >> (bits & 7)) & 1)
        code[at + 2] = 1
        code[at + 3] = 0
        at += 4
    code[at] = 6


def lehmer(x, y, out):
    """Euclid on the leading bits x >= y of two numbers, as far as the quotients are sure (Knuth,
    volume 2, 4.5.2, algorithm L). out = A, B, C, D: u, v become A u + B v, C u + D v. Returns the
    number of steps."""
    a = 1
    b = 0
    c = 0
    d = 1
    n = 0
    while (y + c) and (y + d):
        q = (x + a) // (y + c)
        if q != (x + b) // (y + d):
            break
        t = a - q * c
        a = c
        c = t
        t = b - q * d
        b = d
        d = t
        t = x - q * y
        x = y
        y = t
        n += 1
    out[0] = a
    out[1] = b
    out[2] = c
    out[3] = d
    return n


def inverse(a, m):
    """1 / a mod m, m an odd prime below 2^256; 0 for a multiple of m. Its time depends on `a`: a
    secret is multiplied by a random factor before and the result after."""
    u, v, x, y = m, a % m, 0, 1
    shift = 227
    ratio = [0, 0, 0, 0]
    while v:
        # 25 to 29 leading bits of u
        top = u >> shift
        while top < 0x1000000 and shift:
            top <<= 4
            shift = max(shift - 4, 0)
        if shift and lehmer(u >> shift, v >> shift, ratio):
            a, b, c, d = ratio
            u, v = a * u + b * v, c * u + d * v
            x, y = a * x + b * y, c * x + d * y
        else:
            q = u // v
            u, v = v, u - q * v
            x, y = y, x - q * y
    return x % m if u == 1 else 0
