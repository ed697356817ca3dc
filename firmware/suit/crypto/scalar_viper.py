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
            v >>= 1
            while i & 7 and v & 1 == c:
                i += 1
                v >>= 1
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
def euclid(w: ptr16) -> int:
    # u, v, x, y of 16 limbs of 16 bits: u > v, u = +-x a, v = -+y a (mod m). Replaces them by later
    # ones of Euclid's sequence, 13 bits a round (Lehmer; Knuth, volume 2, 4.5.2, algorithm L), till
    # u is below 2^32 or a quotient is too large. Returns the number of divisions made.
    h = 15
    total = 0
    while True:
        while h > 1 and w[h] == 0:
            h -= 1
        if h < 2:
            return total
        # 26 leading bits of u, and the bits of v in the same places
        s = 0
        t = w[h]
        while t < 32768:
            t <<= 1
            s += 1
        q = 0
        k = h
        while k < 32:
            p = q
            q = w[k] << (10 + s)
            if s < 6:
                q |= w[k - 1] >> (6 - s)
            else:
                q |= w[k - 1] << (s - 6) | w[k - 2] >> (22 - s)
            k += 16
        a = 1
        b = 0
        c = 0
        d = 1
        n = 0
        while (q + c) and (q + d):
            k = (p + a) // (q + c)
            if k != (p + b) // (q + d) or k > 8191:
                break
            s = a - k * c
            t = b - k * d
            if s > 8191 or s < -8191 or t > 8191 or t < -8191:
                break
            a = c
            c = s
            b = d
            d = t
            t = p - k * q
            p = q
            q = t
            n += 1
        if n == 0:
            return total
        total += n
        k = 0
        while k < 64:
            s = 0
            t = 0
            while True:
                s += a * w[k] + b * w[k + 16]
                t += c * w[k] + d * w[k + 16]
                w[k] = s & 65535
                w[k + 16] = t & 65535
                s >>= 16
                t >>= 16
                k += 1
                if k & 15 == 0:
                    break
            k += 16
            # x and y have opposite signs, so that their sizes add up
            if n & 1:
                a = 0 - a
                d = 0 - d
            else:
                b = 0 - b
                c = 0 - c


def inverse(a, m):
    u, v, x, y = m, a % m, 0, 1
    divisions = 0
    w = bytearray(128)
    while True:
        at = 0
        for number in (u, v, x, y):
            w[at : at + 32] = number.to_bytes(32, "little")
            at += 32
        divisions += euclid(w)
        u, v, x, y = [int.from_bytes(w[at : at + 32], "little") for at in (0, 32, 64, 96)]
        if u >> 32 == 0 or v == 0:
            break
        q = u // v
        u, v = v, u - q * v
        x, y = y, x + q * y
        divisions += 1
    a, b, c, d = 1, 0, 0, 1
    while v:
        q = u // v
        u, v = v, u - q * v
        a, c = c, a + q * c
        b, d = d, b + q * d
        divisions += 1
    w[:] = bytes(128)
    x = a * x + b * y
    if u != 1:
        return 0
    return x if divisions & 1 else m - x
