# Made by generate/sha512_viper.py: change that file, not this one.
# MIT licence.
"""SHA-512 compression, native code (engine of `sha512.py`)."""

import micropython
from micropython import const

SCRATCH = const(472)  # 32 words of the schedule, 24 of the sliding window, 3 temporary

IV512 = (
    b"\x08\xc9\xbc\xf3\x67\xe6\x09\x6a\x3b\xa7\xca\x84\x85\xae\x67\xbb"
    b"\x2b\xf8\x94\xfe\x72\xf3\x6e\x3c\xf1\x36\x1d\x5f\x3a\xf5\x4f\xa5"
    b"\xd1\x82\xe6\xad\x7f\x52\x0e\x51\x1f\x6c\x3e\x2b\x8c\x68\x05\x9b"
    b"\x6b\xbd\x41\xfb\xab\xd9\x83\x1f\x79\x21\x7e\x13\x19\xcd\xe0\x5b"
)
IV384 = (
    b"\xd8\x9e\x05\xc1\x5d\x9d\xbb\xcb\x07\xd5\x7c\x36\x2a\x29\x9a\x62"
    b"\x17\xdd\x70\x30\x5a\x01\x59\x91\x39\x59\x0e\xf7\xd8\xec\x2f\x15"
    b"\x31\x0b\xc0\xff\x67\x26\x33\x67\x11\x15\x58\x68\x87\x4a\xb4\x8e"
    b"\xa7\x8f\xf9\x64\x0d\x2e\x0c\xdb\xa4\x4f\xfa\xbe\x1d\x48\xb5\x47"
)
_K = (
    b"\x22\xae\x28\xd7\x98\x2f\x8a\x42\xcd\x65\xef\x23\x91\x44\x37\x71"
    b"\x2f\x3b\x4d\xec\xcf\xfb\xc0\xb5\xbc\xdb\x89\x81\xa5\xdb\xb5\xe9"
    b"\x38\xb5\x48\xf3\x5b\xc2\x56\x39\x19\xd0\x05\xb6\xf1\x11\xf1\x59"
    b"\x9b\x4f\x19\xaf\xa4\x82\x3f\x92\x18\x81\x6d\xda\xd5\x5e\x1c\xab"
    b"\x42\x02\x03\xa3\x98\xaa\x07\xd8\xbe\x6f\x70\x45\x01\x5b\x83\x12"
    b"\x8c\xb2\xe4\x4e\xbe\x85\x31\x24\xe2\xb4\xff\xd5\xc3\x7d\x0c\x55"
    b"\x6f\x89\x7b\xf2\x74\x5d\xbe\x72\xb1\x96\x16\x3b\xfe\xb1\xde\x80"
    b"\x35\x12\xc7\x25\xa7\x06\xdc\x9b\x94\x26\x69\xcf\x74\xf1\x9b\xc1"
    b"\xd2\x4a\xf1\x9e\xc1\x69\x9b\xe4\xe3\x25\x4f\x38\x86\x47\xbe\xef"
    b"\xb5\xd5\x8c\x8b\xc6\x9d\xc1\x0f\x65\x9c\xac\x77\xcc\xa1\x0c\x24"
    b"\x75\x02\x2b\x59\x6f\x2c\xe9\x2d\x83\xe4\xa6\x6e\xaa\x84\x74\x4a"
    b"\xd4\xfb\x41\xbd\xdc\xa9\xb0\x5c\xb5\x53\x11\x83\xda\x88\xf9\x76"
    b"\xab\xdf\x66\xee\x52\x51\x3e\x98\x10\x32\xb4\x2d\x6d\xc6\x31\xa8"
    b"\x3f\x21\xfb\x98\xc8\x27\x03\xb0\xe4\x0e\xef\xbe\xc7\x7f\x59\xbf"
    b"\xc2\x8f\xa8\x3d\xf3\x0b\xe0\xc6\x25\xa7\x0a\x93\x47\x91\xa7\xd5"
    b"\x6f\x82\x03\xe0\x51\x63\xca\x06\x70\x6e\x0e\x0a\x67\x29\x29\x14"
    b"\xfc\x2f\xd2\x46\x85\x0a\xb7\x27\x26\xc9\x26\x5c\x38\x21\x1b\x2e"
    b"\xed\x2a\xc4\x5a\xfc\x6d\x2c\x4d\xdf\xb3\x95\x9d\x13\x0d\x38\x53"
    b"\xde\x63\xaf\x8b\x54\x73\x0a\x65\xa8\xb2\x77\x3c\xbb\x0a\x6a\x76"
    b"\xe6\xae\xed\x47\x2e\xc9\xc2\x81\x3b\x35\x82\x14\x85\x2c\x72\x92"
    b"\x64\x03\xf1\x4c\xa1\xe8\xbf\xa2\x01\x30\x42\xbc\x4b\x66\x1a\xa8"
    b"\x91\x97\xf8\xd0\x70\x8b\x4b\xc2\x30\xbe\x54\x06\xa3\x51\x6c\xc7"
    b"\x18\x52\xef\xd6\x19\xe8\x92\xd1\x10\xa9\x65\x55\x24\x06\x99\xd6"
    b"\x2a\x20\x71\x57\x85\x35\x0e\xf4\xb8\xd1\xbb\x32\x70\xa0\x6a\x10"
    b"\xc8\xd0\xd2\xb8\x16\xc1\xa4\x19\x53\xab\x41\x51\x08\x6c\x37\x1e"
    b"\x99\xeb\x8e\xdf\x4c\x77\x48\x27\xa8\x48\x9b\xe1\xb5\xbc\xb0\x34"
    b"\x63\x5a\xc9\xc5\xb3\x0c\x1c\x39\xcb\x8a\x41\xe3\x4a\xaa\xd8\x4e"
    b"\x73\xe3\x63\x77\x4f\xca\x9c\x5b\xa3\xb8\xb2\xd6\xf3\x6f\x2e\x68"
    b"\xfc\xb2\xef\x5d\xee\x82\x8f\x74\x60\x2f\x17\x43\x6f\x63\xa5\x78"
    b"\x72\xab\xf0\xa1\x14\x78\xc8\x84\xec\x39\x64\x1a\x08\x02\xc7\x8c"
    b"\x28\x1e\x63\x23\xfa\xff\xbe\x90\xe9\xbd\x82\xde\xeb\x6c\x50\xa4"
    b"\x15\x79\xc6\xb2\xf7\xa3\xf9\xbe\x2b\x53\x72\xe3\xf2\x78\x71\xc6"
    b"\x9c\x61\x26\xea\xce\x3e\x27\xca\x07\xc2\xc0\x21\xc7\xb8\x86\xd1"
    b"\x1e\xeb\xe0\xcd\xd6\x7d\xda\xea\x78\xd1\x6e\xee\x7f\x4f\x7d\xf5"
    b"\xba\x6f\x17\x72\xaa\x67\xf0\x06\xa6\x98\xc8\xa2\xc5\x7d\x63\x0a"
    b"\xae\x0d\xf9\xbe\x04\x98\x3f\x11\x1b\x47\x1c\x13\x35\x0b\x71\x1b"
    b"\x84\x7d\x04\x23\xf5\x77\xdb\x28\x93\x24\xc7\x40\x7b\xab\xca\x32"
    b"\xbc\xbe\xc9\x15\x0a\xbe\x9e\x3c\x4c\x0d\x10\x9c\xc4\x67\x1d\x43"
    b"\xb6\x42\x3e\xcb\xbe\xd4\xc5\x4c\x2a\x7e\x65\xfc\x9c\x29\x7f\x59"
    b"\xec\xfa\xd6\x3a\xab\x6f\xcb\x5f\x17\x58\x47\x4a\x8c\x19\x44\x6c"
)


def compress(scratch, state, data, at):
    """Work the block of 128 bytes at data[at] into `state` (eight 64-bit words, little-endian)."""
    if at < 0 or at + 128 > len(data) or len(scratch) < SCRATCH or len(state) != 64:
        raise ValueError("block")
    _compress(scratch, scratch, state, data, _K, at)


# p and q come first because the first two locals live in registers
@micropython.viper
def _compress(p: ptr32, q: ptr16, state: ptr32, block: ptr8, k: ptr16, at: int):
    base = int(p)
    block = ptr8(int(block) + at)
    window = base + 256
    t = ptr32(base + 448)
    tq = ptr16(base + 448)
    i = 16
    while i:
        p[1] = block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3]
        p[0] = block[4] << 24 | block[5] << 16 | block[6] << 8 | block[7]
        block = ptr8(int(block) + 8)
        p = ptr32(int(p) + 8)
        i -= 1
    # a..h are words of a window that slides down by one word in each round
    p = ptr32(window + 128)
    i = 16
    while i:
        i -= 1
        p[i] = state[i]
    groups = 5
    while True:
        wp = base
        i = 16
        while i:
            l = uint(p[8])
            h = uint(p[9])
            t[0] = l >> 14 ^ h << 18 ^ l >> 18 ^ h << 14 ^ h >> 9 ^ l << 23
            t[1] = h >> 14 ^ l << 18 ^ h >> 18 ^ l << 14 ^ l >> 9 ^ h << 23
            t[2] = p[12] ^ p[8] & (p[10] ^ p[12])
            t[3] = p[13] ^ p[9] & (p[11] ^ p[13])
            q = ptr16(int(p))
            w = ptr16(wp)
            v = q[28] + tq[0] + tq[4] + k[0] + w[0]
            tq[8] = v
            v = q[29] + tq[1] + tq[5] + k[1] + w[1] + (v >> 16)
            tq[9] = v
            v = q[30] + tq[2] + tq[6] + k[2] + w[2] + (v >> 16)
            tq[10] = v
            v = q[31] + tq[3] + tq[7] + k[3] + w[3] + (v >> 16)
            tq[11] = v
            v = q[12] + tq[8]
            q[12] = v
            v = q[13] + tq[9] + (v >> 16)
            q[13] = v
            v = q[14] + tq[10] + (v >> 16)
            q[14] = v
            v = q[15] + tq[11] + (v >> 16)
            q[15] = v
            l = uint(p[0])
            h = uint(p[1])
            t[0] = l >> 28 ^ h << 4 ^ h >> 2 ^ l << 30 ^ h >> 7 ^ l << 25
            t[1] = h >> 28 ^ l << 4 ^ l >> 2 ^ h << 30 ^ l >> 7 ^ h << 25
            t[2] = p[0] & p[2] ^ p[4] & (p[0] ^ p[2])
            t[3] = p[1] & p[3] ^ p[5] & (p[1] ^ p[3])
            p = ptr32(int(p) - 8)
            q = ptr16(int(p))
            v = tq[8] + tq[0] + tq[4]
            q[0] = v
            v = tq[9] + tq[1] + tq[5] + (v >> 16)
            q[1] = v
            v = tq[10] + tq[2] + tq[6] + (v >> 16)
            q[2] = v
            v = tq[11] + tq[3] + tq[7] + (v >> 16)
            q[3] = v
            wp += 8
            k = ptr16(int(k) + 8)
            i -= 1
        i = 16
        while i:
            i -= 1
            p[i + 32] = p[i]
        groups -= 1
        if groups == 0:
            break
        # words 16..31 of the schedule from words 0..15, then back to the front
        p = ptr32(base)
        i = 16
        while i:
            l = uint(p[2])
            h = uint(p[3])
            t[0] = l >> 1 ^ h << 31 ^ l >> 8 ^ h << 24 ^ l >> 7 ^ h << 25
            t[1] = h >> 1 ^ l << 31 ^ h >> 8 ^ l << 24 ^ h >> 7
            l = uint(p[28])
            h = uint(p[29])
            t[2] = l >> 19 ^ h << 13 ^ h >> 29 ^ l << 3 ^ l >> 6 ^ h << 26
            t[3] = h >> 19 ^ l << 13 ^ l >> 29 ^ h << 3 ^ h >> 6
            q = ptr16(int(p))
            v = q[0] + q[36] + tq[0] + tq[4]
            q[64] = v
            v = q[1] + q[37] + tq[1] + tq[5] + (v >> 16)
            q[65] = v
            v = q[2] + q[38] + tq[2] + tq[6] + (v >> 16)
            q[66] = v
            v = q[3] + q[39] + tq[3] + tq[7] + (v >> 16)
            q[67] = v
            p = ptr32(int(p) + 8)
            i -= 1
        p = ptr32(base)
        i = 32
        while i:
            i -= 1
            p[i] = p[i + 32]
        p = ptr32(window + 128)
    p = ptr32(window)
    q = ptr16(int(p))
    w = ptr16(int(state))
    i = 8
    while i:
        v = w[0] + q[0]
        w[0] = v
        v = w[1] + q[1] + (v >> 16)
        w[1] = v
        v = w[2] + q[2] + (v >> 16)
        w[2] = v
        v = w[3] + q[3] + (v >> 16)
        w[3] = v
        q = ptr16(int(q) + 8)
        w = ptr16(int(w) + 8)
        i -= 1
