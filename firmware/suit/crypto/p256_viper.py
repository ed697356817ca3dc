# Made by generate/p256_viper.py: change that file, not this one.
# MIT licence.
"""P-256 in native code (engine of `p256.py`)."""

import micropython

from suit.crypto.field_viper import Machine as _Machine

_PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
_SCALE = 0x8000000000000000000000000000000000000000000000000000000000000000
_UNSCALE = 0xfffffffe00000003fffffffd0000000200000001fffffffe000000030000000

@micropython.viper
def run(t: ptr32, x: int, code: ptr8, start: int, table0: ptr8, table1: ptr8) -> int:
    t0 = int(t)
    M = 8191
    z = 65536
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
            t[0] = z
            t[1] = z
            t[2] = z
            t[3] = z
            t[4] = z
            t[5] = z
            t[6] = z
            t[7] = z
            t[8] = z
            t[9] = z
            t[10] = z
            t[11] = z
            t[12] = z
            t[13] = z
            t[14] = z
            t[15] = z
            t[16] = z
            t[17] = z
            t[18] = z
            t[19] = z
            if a == b:
                t = ptr32(t0 + 80)
                t[0] = z
                t[1] = z
                t[2] = z
                t[3] = z
                t[4] = z
                t[5] = z
                t[6] = z
                t[7] = z
                t[8] = z
                t[9] = z
                t[10] = z
                t[11] = z
                t[12] = z
                t[13] = z
                t[14] = z
                t[15] = z
                t[16] = z
                t[17] = z
                t[18] = z
                t[19] = z
                t = ptr32(t0)
                i = 15
                while i:
                    x = ptr16(a)[0] << 1
                    t[15] = ptr16(b)[15] * x + t[15]
                    t[16] = ptr16(b)[16] * x + t[16]
                    t[17] = ptr16(b)[17] * x + t[17]
                    t[18] = ptr16(b)[18] * x + t[18]
                    t[19] = ptr16(b)[19] * x + t[19]
                    if i > 5:
                        t[10] = ptr16(b)[10] * x + t[10]
                        t[11] = ptr16(b)[11] * x + t[11]
                        t[12] = ptr16(b)[12] * x + t[12]
                        t[13] = ptr16(b)[13] * x + t[13]
                        t[14] = ptr16(b)[14] * x + t[14]
                        if i > 10:
                            t[5] = ptr16(b)[5] * x + t[5]
                            t[6] = ptr16(b)[6] * x + t[6]
                            t[7] = ptr16(b)[7] * x + t[7]
                            t[8] = ptr16(b)[8] * x + t[8]
                            t[9] = ptr16(b)[9] * x + t[9]
                    t = ptr32(int(t) + 4)
                    a += 2
                    i -= 1
                t = ptr32(t0)
                i = 4
                while i:
                    x = ptr16(b)[0]
                    t[0] = x * x + t[0]
                    x = x << 1
                    t[1] = ptr16(b)[1] * x + t[1]
                    t[2] = ptr16(b)[2] * x + t[2]
                    t[3] = ptr16(b)[3] * x + t[3]
                    t[4] = ptr16(b)[4] * x + t[4]
                    x = ptr16(b)[1]
                    t[2] = x * x + t[2]
                    x = x << 1
                    t[3] = ptr16(b)[2] * x + t[3]
                    t[4] = ptr16(b)[3] * x + t[4]
                    t[5] = ptr16(b)[4] * x + t[5]
                    x = ptr16(b)[2]
                    t[4] = x * x + t[4]
                    x = x << 1
                    t[5] = ptr16(b)[3] * x + t[5]
                    t[6] = ptr16(b)[4] * x + t[6]
                    x = ptr16(b)[3]
                    t[6] = x * x + t[6]
                    x = x << 1
                    t[7] = ptr16(b)[4] * x + t[7]
                    x = ptr16(b)[4]
                    t[8] = x * x + t[8]
                    t = ptr32(int(t) + 40)
                    b += 10
                    i -= 1
            else:
                i = 20
                while i:
                    x = ptr16(a)[0]
                    t[0] = ptr16(b)[0] * x + t[0]
                    t[1] = ptr16(b)[1] * x + t[1]
                    t[2] = ptr16(b)[2] * x + t[2]
                    t[3] = ptr16(b)[3] * x + t[3]
                    t[4] = ptr16(b)[4] * x + t[4]
                    t[5] = ptr16(b)[5] * x + t[5]
                    t[6] = ptr16(b)[6] * x + t[6]
                    t[7] = ptr16(b)[7] * x + t[7]
                    t[8] = ptr16(b)[8] * x + t[8]
                    t[9] = ptr16(b)[9] * x + t[9]
                    t[10] = ptr16(b)[10] * x + t[10]
                    t[11] = ptr16(b)[11] * x + t[11]
                    t[12] = ptr16(b)[12] * x + t[12]
                    t[13] = ptr16(b)[13] * x + t[13]
                    t[14] = ptr16(b)[14] * x + t[14]
                    t[15] = ptr16(b)[15] * x + t[15]
                    t[16] = ptr16(b)[16] * x + t[16]
                    t[17] = ptr16(b)[17] * x + t[17]
                    t[18] = ptr16(b)[18] * x + t[18]
                    t[19] = ptr16(b)[19] * x + t[19]
                    t[20] = z
                    t = ptr32(int(t) + 4)
                    a += 2
                    i -= 1
            t = ptr32(t0)
            c = 0
            i = 10
            while i:
                x = t[0] + c
                c = (x >> 13) - 8
                x = x & M
                t[7] = (x << 5) + t[7]
                t[14] = (x << 10) + t[14]
                t[17] = t[17] - (x << 3)
                t[19] = (x << 9) + t[19]
                x = t[1] + c
                c = (x >> 13) - 8
                x = x & M
                t[8] = (x << 5) + t[8]
                t[15] = (x << 10) + t[15]
                t[18] = t[18] - (x << 3)
                t[20] = (x << 9) + t[20]
                t = ptr32(int(t) + 8)
                i -= 1
            x = t[0] + c
            ptr16(d)[0] = x & M
            x = (x >> 13) + t[1] - 8
            ptr16(d)[1] = x & M
            x = (x >> 13) + t[2] - 8
            ptr16(d)[2] = x & M
            x = (x >> 13) + t[3] - 8
            ptr16(d)[3] = x & M
            x = (x >> 13) + t[4] - 8
            ptr16(d)[4] = x & M
            x = (x >> 13) + t[5] - 8
            ptr16(d)[5] = x & M
            x = (x >> 13) + t[6] - 8
            ptr16(d)[6] = x & M
            x = (x >> 13) + t[7] - 8
            ptr16(d)[7] = x & M
            x = (x >> 13) + t[8] - 8
            ptr16(d)[8] = x & M
            x = (x >> 13) + t[9] - 8
            ptr16(d)[9] = x & M
            x = (x >> 13) + t[10] - 8
            ptr16(d)[10] = x & M
            x = (x >> 13) + t[11] - 8
            ptr16(d)[11] = x & M
            x = (x >> 13) + t[12] - 8
            ptr16(d)[12] = x & M
            x = (x >> 13) + t[13] - 8
            ptr16(d)[13] = x & M
            x = (x >> 13) + t[14] - 8
            ptr16(d)[14] = x & M
            x = (x >> 13) + t[15] - 8
            ptr16(d)[15] = x & M
            x = (x >> 13) + t[16] - 8
            ptr16(d)[16] = x & M
            x = (x >> 13) + t[17] - 8
            ptr16(d)[17] = x & M
            x = (x >> 13) + t[18] - 8
            ptr16(d)[18] = x & M
            x = (x >> 13) + t[19] - 8
            ptr16(d)[19] = x & M
        elif op == 1:
            c = (ptr16(a)[19] + ptr16(b)[19]) >> 9
            x = c
            x = x + ptr16(a)[0] + ptr16(b)[0]
            ptr16(d)[0] = x & M
            x = (x >> 13) + ptr16(a)[1] + ptr16(b)[1]
            ptr16(d)[1] = x & M
            x = (x >> 13) + ptr16(a)[2] + ptr16(b)[2]
            ptr16(d)[2] = x & M
            x = (x >> 13) + ptr16(a)[3] + ptr16(b)[3]
            ptr16(d)[3] = x & M
            x = (x >> 13) + ptr16(a)[4] + ptr16(b)[4]
            ptr16(d)[4] = x & M
            x = (x >> 13) + ptr16(a)[5] + ptr16(b)[5]
            ptr16(d)[5] = x & M
            x = (x >> 13) + ptr16(a)[6] + ptr16(b)[6]
            ptr16(d)[6] = x & M
            x = (x >> 13) + ptr16(a)[7] + ptr16(b)[7] - (c << 5)
            ptr16(d)[7] = x & M
            x = (x >> 13) + ptr16(a)[8] + ptr16(b)[8]
            ptr16(d)[8] = x & M
            x = (x >> 13) + ptr16(a)[9] + ptr16(b)[9]
            ptr16(d)[9] = x & M
            x = (x >> 13) + ptr16(a)[10] + ptr16(b)[10]
            ptr16(d)[10] = x & M
            x = (x >> 13) + ptr16(a)[11] + ptr16(b)[11]
            ptr16(d)[11] = x & M
            x = (x >> 13) + ptr16(a)[12] + ptr16(b)[12]
            ptr16(d)[12] = x & M
            x = (x >> 13) + ptr16(a)[13] + ptr16(b)[13]
            ptr16(d)[13] = x & M
            x = (x >> 13) + ptr16(a)[14] + ptr16(b)[14] - (c << 10)
            ptr16(d)[14] = x & M
            x = (x >> 13) + ptr16(a)[15] + ptr16(b)[15]
            ptr16(d)[15] = x & M
            x = (x >> 13) + ptr16(a)[16] + ptr16(b)[16]
            ptr16(d)[16] = x & M
            x = (x >> 13) + ptr16(a)[17] + ptr16(b)[17] + (c << 3)
            ptr16(d)[17] = x & M
            x = (x >> 13) + ptr16(a)[18] + ptr16(b)[18]
            ptr16(d)[18] = x & M
            x = (x >> 13) + ptr16(a)[19] + ptr16(b)[19] - (c << 9)
            ptr16(d)[19] = x & M
        elif op == 2:
            c = ((ptr16(a)[19] - ptr16(b)[19]) >> 9) - 1
            x = c
            x = x + ptr16(a)[0] - ptr16(b)[0]
            ptr16(d)[0] = x & M
            x = (x >> 13) + ptr16(a)[1] - ptr16(b)[1]
            ptr16(d)[1] = x & M
            x = (x >> 13) + ptr16(a)[2] - ptr16(b)[2]
            ptr16(d)[2] = x & M
            x = (x >> 13) + ptr16(a)[3] - ptr16(b)[3]
            ptr16(d)[3] = x & M
            x = (x >> 13) + ptr16(a)[4] - ptr16(b)[4]
            ptr16(d)[4] = x & M
            x = (x >> 13) + ptr16(a)[5] - ptr16(b)[5]
            ptr16(d)[5] = x & M
            x = (x >> 13) + ptr16(a)[6] - ptr16(b)[6]
            ptr16(d)[6] = x & M
            x = (x >> 13) + ptr16(a)[7] - ptr16(b)[7] - (c << 5)
            ptr16(d)[7] = x & M
            x = (x >> 13) + ptr16(a)[8] - ptr16(b)[8]
            ptr16(d)[8] = x & M
            x = (x >> 13) + ptr16(a)[9] - ptr16(b)[9]
            ptr16(d)[9] = x & M
            x = (x >> 13) + ptr16(a)[10] - ptr16(b)[10]
            ptr16(d)[10] = x & M
            x = (x >> 13) + ptr16(a)[11] - ptr16(b)[11]
            ptr16(d)[11] = x & M
            x = (x >> 13) + ptr16(a)[12] - ptr16(b)[12]
            ptr16(d)[12] = x & M
            x = (x >> 13) + ptr16(a)[13] - ptr16(b)[13]
            ptr16(d)[13] = x & M
            x = (x >> 13) + ptr16(a)[14] - ptr16(b)[14] - (c << 10)
            ptr16(d)[14] = x & M
            x = (x >> 13) + ptr16(a)[15] - ptr16(b)[15]
            ptr16(d)[15] = x & M
            x = (x >> 13) + ptr16(a)[16] - ptr16(b)[16]
            ptr16(d)[16] = x & M
            x = (x >> 13) + ptr16(a)[17] - ptr16(b)[17] + (c << 3)
            ptr16(d)[17] = x & M
            x = (x >> 13) + ptr16(a)[18] - ptr16(b)[18]
            ptr16(d)[18] = x & M
            x = (x >> 13) + ptr16(a)[19] - ptr16(b)[19] - (c << 9)
            ptr16(d)[19] = x & M
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
            a = 4
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
        elif op == 5:
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
            # a difference is 0, p, 2p or 3p when it is zero
            c = ptr16(a)[0]
            if c == 0 or c > 8188:
                c = ptr16(a)[1]
                if c == 0 or c == M:
                    return 1


def Machine(registers, code):
    return _Machine(run, _PRIME, _SCALE, _UNSCALE, registers, code)
