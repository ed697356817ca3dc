# Counter blocks and xor in plain Python.
# MIT licence.
"""Engine of `ctr.py` where there is no native code."""


def fill(out, block, blocks, low):
    """`blocks` counter blocks into `out`; `block` counts on, its bytes from `low` on wrap around."""
    at = 0
    for _ in range(blocks):
        out[at : at + 16] = block
        at += 16
        i = 15
        while i >= low:
            block[i] = block[i] + 1 & 0xFF
            if block[i]:
                break
            i -= 1


def xor(data, at, stream, start, n):
    """data[at:at+n] ^= stream[start:start+n]. Big integers: faster than bytes one by one."""
    part = memoryview(data)[at : at + n]
    mask = memoryview(stream)[start : start + n]
    mixed = int.from_bytes(bytes(part), "little") ^ int.from_bytes(bytes(mask), "little")
    part[:] = mixed.to_bytes(n, "little")
