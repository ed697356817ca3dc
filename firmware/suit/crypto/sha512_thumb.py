# Made by generate/sha512_thumb.py: change that file, not this one.
# MIT licence.
"""SHA-512 compression in Thumb assembly (engine of `sha512.py`)."""

import micropython
from micropython import const

SCRATCH = const(448)  # 32 words of the schedule, 24 of the sliding window

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
    _load(scratch, data, at)
    _compress(scratch, state, _K)


@micropython.viper
def _load(w: ptr32, b: ptr8, at: int):
    b = ptr8(int(b) + at)
    i = 16
    while i:
        w[1] = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]
        w[0] = b[4] << 24 | b[5] << 16 | b[6] << 8 | b[7]
        w = ptr32(int(w) + 8)
        b = ptr8(int(b) + 8)
        i -= 1


@micropython.asm_thumb
def _compress(r0, r1, r2):
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    mov(r10, r0)
    mov(r12, r1)
    mov(r9, r2)
    mov(r3, 5)
    mov(r14, r3)
    mov(r2, r10)
    add(r2, 255)
    add(r2, 129)
    mov(r3, 16)
    label(STATE)
    ldr(r4, [r1, 0])
    str(r4, [r2, 0])
    add(r1, 4)
    add(r2, 4)
    sub(r3, 1)
    bne(STATE)
    label(GROUP)
    mov(r0, r10)
    mov(r8, r0)
    add(r0, 255)
    add(r0, 129)
    mov(r1, 16)
    mov(r11, r1)
    label(ROUND)
    ldr(r2, [r0, 32])
    ldr(r3, [r0, 36])
    lsr(r6, r2, 14)
    lsl(r5, r3, 18)
    eor(r6, r5)
    lsr(r5, r2, 18)
    eor(r6, r5)
    lsl(r5, r3, 14)
    eor(r6, r5)
    lsr(r5, r3, 9)
    eor(r6, r5)
    lsl(r5, r2, 23)
    eor(r6, r5)
    lsr(r7, r3, 14)
    lsl(r5, r2, 18)
    eor(r7, r5)
    lsr(r5, r3, 18)
    eor(r7, r5)
    lsl(r5, r2, 14)
    eor(r7, r5)
    lsr(r5, r2, 9)
    eor(r7, r5)
    lsl(r5, r3, 23)
    eor(r7, r5)
    ldr(r4, [r0, 40])
    ldr(r5, [r0, 48])
    eor(r4, r5)
    and_(r4, r2)
    eor(r4, r5)
    ldr(r5, [r0, 44])
    ldr(r1, [r0, 52])
    eor(r5, r1)
    and_(r5, r3)
    eor(r5, r1)
    add(r6, r6, r4)
    adc(r7, r5)
    ldr(r4, [r0, 56])
    ldr(r5, [r0, 60])
    add(r6, r6, r4)
    adc(r7, r5)
    mov(r1, r8)
    ldr(r4, [r1, 0])
    ldr(r5, [r1, 4])
    add(r6, r6, r4)
    adc(r7, r5)
    add(r1, 8)
    mov(r8, r1)
    mov(r1, r9)
    ldr(r4, [r1, 0])
    ldr(r5, [r1, 4])
    add(r6, r6, r4)
    adc(r7, r5)
    add(r1, 8)
    mov(r9, r1)
    ldr(r4, [r0, 24])
    ldr(r5, [r0, 28])
    add(r4, r4, r6)
    adc(r5, r7)
    str(r4, [r0, 24])
    str(r5, [r0, 28])
    ldr(r2, [r0, 0])
    ldr(r3, [r0, 4])
    lsr(r4, r2, 28)
    lsl(r5, r3, 4)
    eor(r4, r5)
    lsr(r5, r3, 2)
    eor(r4, r5)
    lsl(r5, r2, 30)
    eor(r4, r5)
    lsr(r5, r3, 7)
    eor(r4, r5)
    lsl(r5, r2, 25)
    eor(r4, r5)
    lsr(r1, r3, 28)
    lsl(r5, r2, 4)
    eor(r1, r5)
    lsr(r5, r2, 2)
    eor(r1, r5)
    lsl(r5, r3, 30)
    eor(r1, r5)
    lsr(r5, r2, 7)
    eor(r1, r5)
    lsl(r5, r3, 25)
    eor(r1, r5)
    add(r6, r6, r4)
    adc(r7, r1)
    ldr(r4, [r0, 8])
    ldr(r5, [r0, 16])
    mov(r1, r2)
    eor(r1, r4)
    and_(r1, r5)
    and_(r4, r2)
    eor(r4, r1)
    ldr(r5, [r0, 12])
    ldr(r2, [r0, 20])
    mov(r1, r3)
    eor(r1, r5)
    and_(r1, r2)
    and_(r5, r3)
    eor(r5, r1)
    add(r6, r6, r4)
    adc(r7, r5)
    sub(r0, 8)
    str(r6, [r0, 0])
    str(r7, [r0, 4])
    mov(r1, r11)
    sub(r1, 1)
    mov(r11, r1)
    cmp(r1, 0)
    beq(SIXTEEN)
    b(ROUND)
    label(SIXTEEN)
    mov(r2, r0)
    add(r2, 128)
    mov(r3, 16)
    label(WINDOW)
    ldr(r4, [r0, 0])
    str(r4, [r2, 0])
    add(r0, 4)
    add(r2, 4)
    sub(r3, 1)
    bne(WINDOW)
    mov(r1, r14)
    sub(r1, 1)
    mov(r14, r1)
    cmp(r1, 0)
    beq(SUM)
    mov(r0, r10)
    mov(r1, 16)
    mov(r11, r1)
    label(SCHEDULE)
    ldr(r2, [r0, 8])
    ldr(r3, [r0, 12])
    lsr(r6, r2, 1)
    lsl(r5, r3, 31)
    eor(r6, r5)
    lsr(r5, r2, 8)
    eor(r6, r5)
    lsl(r5, r3, 24)
    eor(r6, r5)
    lsr(r5, r2, 7)
    eor(r6, r5)
    lsl(r5, r3, 25)
    eor(r6, r5)
    lsr(r7, r3, 1)
    lsl(r5, r2, 31)
    eor(r7, r5)
    lsr(r5, r3, 8)
    eor(r7, r5)
    lsl(r5, r2, 24)
    eor(r7, r5)
    lsr(r5, r3, 7)
    eor(r7, r5)
    ldr(r2, [r0, 112])
    ldr(r3, [r0, 116])
    lsr(r4, r2, 19)
    lsl(r5, r3, 13)
    eor(r4, r5)
    lsr(r5, r3, 29)
    eor(r4, r5)
    lsl(r5, r2, 3)
    eor(r4, r5)
    lsr(r5, r2, 6)
    eor(r4, r5)
    lsl(r5, r3, 26)
    eor(r4, r5)
    lsr(r1, r3, 19)
    lsl(r5, r2, 13)
    eor(r1, r5)
    lsr(r5, r2, 29)
    eor(r1, r5)
    lsl(r5, r3, 3)
    eor(r1, r5)
    lsr(r5, r3, 6)
    eor(r1, r5)
    add(r6, r6, r4)
    adc(r7, r1)
    ldr(r2, [r0, 0])
    ldr(r3, [r0, 4])
    add(r6, r6, r2)
    adc(r7, r3)
    ldr(r2, [r0, 72])
    ldr(r3, [r0, 76])
    add(r6, r6, r2)
    adc(r7, r3)
    mov(r1, r0)
    add(r1, 128)
    str(r6, [r1, 0])
    str(r7, [r1, 4])
    add(r0, 8)
    mov(r1, r11)
    sub(r1, 1)
    mov(r11, r1)
    cmp(r1, 0)
    bne(SCHEDULE)
    mov(r1, r10)
    mov(r3, 32)
    label(DOWN)
    ldr(r4, [r0, 0])
    str(r4, [r1, 0])
    add(r0, 4)
    add(r1, 4)
    sub(r3, 1)
    bne(DOWN)
    b(GROUP)
    label(SUM)
    mov(r1, r12)
    sub(r0, 64)
    mov(r3, 8)
    label(ADD)
    ldr(r4, [r0, 0])
    ldr(r5, [r0, 4])
    ldr(r6, [r1, 0])
    ldr(r7, [r1, 4])
    add(r4, r4, r6)
    adc(r5, r7)
    str(r4, [r1, 0])
    str(r5, [r1, 4])
    add(r0, 8)
    add(r1, 8)
    sub(r3, 1)
    bne(ADD)
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
