# Made by generate/scalar_viper.py from scalar_plain.py: change those files, not this one.
# MIT licence.
"""Scalars to digits, digits to field-VM programs; native code. `scalar_plain.py` explains."""

import micropython


@micropython.viper
def regular(k: ptr8, n: ptr8, columns: int, step: int, tooth: int, teeth: int, out: ptr8, scratch: ptr8):
    turn = k[0] & 1 ^ 1
    c = 0
    i = 0
    while i < 32:
        v = n[i] - k[i] - c
        c = v >> 8 & 1
        scratch[i] = k[i] & turn - 1 | v & 0 - turn & 255
        i += 1
    last = (columns - 1) * step + (teeth - 1) * tooth
    i = 0
    while i < columns:
        d = 0
        v = 0
        j = i * step
        c = 0
        while c < teeth:
            v = 1
            if j < last:
                v = 0
                if j < 255:
                    v = scratch[j + 1 >> 3] >> (j + 1 & 7) & 1
            d |= v << c
            j += tooth
            c += 1
        v ^= 1
        d = (d ^ 0 - v) & (1 << teeth - 1) - 1
        out[i * step] = 1 + (d << 1 | v ^ turn)
        i += 1


@micropython.viper
def wnaf(k: ptr8, width: int, out: ptr8) -> int:
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
        if i < 256 and v & 1 == c:
            i += 1
        elif i == 256:
            if c:
                out[i] = 1
            i += 1
        else:
            v = (v & (1 << width) - 1) + c
            c = v >> width - 1
            if c:
                v = (1 << width) - v
            out[i] = 1 + (v >> 1 << 1 | c)
            i += width
    return c


@micropython.viper
def trace(digits: ptr8, n: int, shape: ptr8, streams: int, state: ptr32, code: ptr8, at: int, room: int) -> int:
    i = state[0]
    doublings = state[1]
    started = state[2]
    end = at + room - 72
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
                t = s * 9 + 1 + (started << 1 | d & 1) * 2
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


@micropython.viper
def ladder(k: ptr8, bits: int, step: int, code: ptr8, at: int):
    while bits:
        bits -= 1
        code[at] = 5
        code[at + 1] = step * (k[bits >> 3] >> (bits & 7) & 1)
        code[at + 2] = 1
        code[at + 3] = 0
        at += 4
    code[at] = 6


@micropython.viper
def lehmer(x: int, y: int, out: ptr32) -> int:
    a = 1
    b = 0
    c = 0
    d = 1
    n = 0
    while y + c and y + d:
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
