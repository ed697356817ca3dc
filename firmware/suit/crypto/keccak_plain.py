# Keccak-f[1600] in plain Python, and its constants from their definition.
# MIT licence.
"""Engine of `keccak.py` where there is no native code; the generators of the others take the
constants from here. FIPS 202, section 3.2."""

import struct

STATE = 200  # bytes of a state

_MASK = (1 << 64) - 1


def constants():
    """(round constants, moves): rho and pi in the order in which one lane moves to the next,
    (lane, rotation) each."""
    rounds = []
    register = 1
    for _ in range(24):
        value = 0
        for j in range(7):
            if register & 1:
                value |= 1 << ((1 << j) - 1)
            register <<= 1
            if register & 0x100:
                register ^= 0x171
        rounds.append(value)
    moves = []
    x, y = 1, 0
    for t in range(24):
        moves.append((x + 5 * y, (t + 1) * (t + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return rounds, moves


_ROUNDS, _MOVES = constants()


def absorb(state, at, data, start, n):
    """state[at:at+n] ^= data[start:start+n]"""
    for i in range(n):
        state[at + i] ^= data[start + i]


def permute(state):
    a = list(struct.unpack_from("<25Q", state, 0))
    for constant in _ROUNDS:
        # theta
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        for x in range(5):
            z = c[(x + 1) % 5]
            d = c[(x + 4) % 5] ^ (z << 1 & _MASK) ^ z >> 63
            for y in range(0, 25, 5):
                a[x + y] ^= d
        # rho and pi: lane 1 goes to where lane 10 stands, that one to 7, ...
        carried = a[1]
        for i in range(24):
            to = _MOVES[(i + 1) % 24][0]
            rotation = _MOVES[i][1]
            moved = (carried << rotation & _MASK) | carried >> (64 - rotation)
            carried, a[to] = a[to], moved
        # chi
        for y in range(0, 25, 5):
            row = a[y : y + 5]
            for x in range(5):
                a[y + x] = row[x] ^ ~row[(x + 1) % 5] & row[(x + 2) % 5]
        # iota
        a[0] ^= constant
    struct.pack_into("<25Q", state, 0, *a)
