"""The field VM in Thumb assembly (ARMv6-M), for two primes.

Elements are 8 words, below 2^256 and not otherwise reduced. Memory, from r10: 16 words of a product, two
table addresses, code, back, first, times, then the registers. r9 is the program counter, r11 the
destination, r12 the next word of the first factor, r8 the carry word of a row, r14 zero in a
multiplication and the way into the row in a squaring.

A 32 x 32 bit product is four `mul` of halves. A row adds word * factor to the product; a squaring
enters each row behind the row's own word, doubles what came together and adds the squares: 36
products in place of 64.
"""

WORDS = 8
_STEP = 27  # instructions of a step of a row
_CODE, _BACK, _FIRST, _TIMES, _REGISTERS = 72, 76, 80, 84, 88


def _lines(text):
    return [line.strip() for line in text.strip().split("\n")]


_START = """
mov(r4, r8)
mov(r5, r9)
mov(r6, r10)
mov(r7, r11)
push({r4, r5, r6, r7})
mov(r10, r0)
str(r1, [r0, 72])
add(r1, r1, r2)
mov(r9, r1)
mov(r3, 0)
str(r3, [r0, 76])
mov(r3, 1)
str(r3, [r0, 84])
label(NEXT)
mov(r0, r9)
ldrb(r4, [r0, 0])
ldrb(r5, [r0, 1])
ldrb(r6, [r0, 2])
ldrb(r7, [r0, 3])
add(r0, 4)
mov(r9, r0)
mov(r3, r10)
mov(r0, r3)
add(r0, 88)
lsl(r5, r5, 5)
lsl(r6, r6, 5)
lsl(r7, r7, 5)
add(r5, r5, r0)
add(r6, r6, r0)
add(r7, r7, r0)
cmp(r4, 0)
beq(TO_MULTIPLY)
cmp(r4, 2)
beq(TO_SUBTRACT)
bcc(TO_ADD)
cmp(r4, 4)
bcc(COPY)
beq(LOAD)
cmp(r4, 6)
bcc(CALL)
beq(RETURN)
ldr(r0, [r6, 0])
{check}
label(HALT)
mov(r0, 1)
b(LEAVE)
label(TO_MULTIPLY)
b(MULTIPLY)
label(TO_SUBTRACT)
b(SUBTRACT)
label(TO_ADD)
b(ADD)
label(CALL)
sub(r5, r5, r0)
lsr(r5, r5, 3)
ldr(r1, [r3, 72])
add(r5, r5, r1)
str(r5, [r3, 80])
mov(r1, r9)
str(r1, [r3, 76])
sub(r6, r6, r0)
lsr(r6, r6, 5)
str(r6, [r3, 84])
mov(r9, r5)
b(NEXT)
label(RETURN)
ldr(r1, [r3, 84])
sub(r1, 1)
beq(DONE)
str(r1, [r3, 84])
ldr(r0, [r3, 80])
mov(r9, r0)
b(NEXT)
label(DONE)
ldr(r0, [r3, 76])
cmp(r0, 0)
beq(LEAVE)
mov(r9, r0)
str(r1, [r3, 76])
mov(r1, 1)
str(r1, [r3, 84])
b(NEXT)
label(LEAVE)
pop({r4, r5, r6, r7})
mov(r8, r4)
mov(r9, r5)
mov(r10, r6)
mov(r11, r7)
b(END)
label(LOAD)
sub(r6, r6, r0)
sub(r7, r7, r0)
lsr(r7, r7, 3)
add(r7, r7, r3)
ldr(r7, [r7, 64])
add(r6, r6, r7)
label(COPY)
"""


def _sum(label, first, then):
    """d = a + b or a - b over all words; the flag says whether it left 256 bits."""
    lines = ["label(%s)" % label]
    for k in range(WORDS):
        lines += ["ldr(r0, [r6, %d])" % (4 * k), "ldr(r1, [r7, %d])" % (4 * k)]
        lines += [then if k else first, "str(r0, [r5, %d])" % (4 * k)]
    return lines


def _fold(label, again, first, then, words):
    """Add or subtract 2^256 mod p, in `words` (registers, or None for zero in r4), until it fits."""
    lines = ["label(%s)" % label, "mov(r4, 0)"] + words[0]
    for k, word in enumerate(words[1:]):
        lines += ["ldr(r0, [r5, %d])" % (4 * k), (then if k else first) % word]
        lines.append("str(r0, [r5, %d])" % (4 * k))
    return lines + ["%s(%s)" % (again, label), "b(NEXT)"]


def _step(j):
    """Word j of the second factor times the word in r0 (low half) and r1 (high half), plus the
    product so far, plus the carry word."""
    lines = """
    ldrh(r4, [r2, {0}])
    ldrh(r5, [r2, {1}])
    mov(r6, r4)
    mul(r6, r0)
    mul(r4, r1)
    mov(r7, r5)
    mul(r7, r0)
    mul(r5, r1)
    add(r4, r4, r7)
    mov(r7, 0)
    adc(r7, r7)
    lsl(r7, r7, 16)
    add(r5, r5, r7)
    lsl(r7, r4, 16)
    lsr(r4, r4, 16)
    add(r6, r6, r7)
    adc(r5, r4)
    ldr(r7, [r3, {0}])
    add(r6, r6, r7)
    mov(r7, 0)
    adc(r5, r7)
    """
    if j:
        lines += """
    mov(r4, r8)
    add(r6, r6, r4)
    adc(r5, r7)
    """
    lines += """
    str(r6, [r3, {0}])
    mov(r8, r5)
    """
    return [line for line in _lines(lines.format(4 * j, 4 * j + 2)) if line]


def _product():
    lines = _lines("""
    label(MULTIPLY)
    mov(r11, r5)
    mov(r12, r6)
    mov(r2, r7)
    mov(r4, 0)
    """)
    lines += ["str(r4, [r3, %d])" % (4 * k) for k in range(WORDS)]
    first = _step(0)
    step = _step(1)
    assert len(step) == _STEP - 1 and all(len(_step(j)) == len(step) for j in range(1, WORDS))
    # from r15 read at its instruction to the step for word 1: five instructions less two words
    way = 2 * (5 + len(first)) - 4
    lines += _lines("""
    cmp(r6, r7)
    bne(FACTORS)
    mov(r4, %d)
    label(FACTORS)
    mov(r14, r4)
    label(ROW)
    mov(r4, r12)
    ldrh(r0, [r4, 0])
    ldrh(r1, [r4, 2])
    add(r4, 4)
    mov(r12, r4)
    mov(r4, r14)
    cmp(r4, 0)
    beq(WHOLE)
    mov(r5, 0)
    mov(r8, r5)
    mov(r5, r15)
    add(r5, r5, r4)
    add(r4, %d)
    mov(r14, r4)
    mov(r15, r5)
    label(WHOLE)
    """ % (way, 2 * len(step)))
    lines += first
    for j in range(1, WORDS):
        lines += _step(j)
    lines += _lines("""
    mov(r4, r8)
    str(r4, [r3, 32])
    add(r3, 4)
    mov(r4, r10)
    add(r4, 32)
    cmp(r3, r4)
    beq(ROWS)
    b(ROW)
    label(ROWS)
    mov(r3, r10)
    mov(r4, r14)
    cmp(r4, 0)
    bne(SQUARE)
    b(REDUCE)
    label(SQUARE)
    """)
    for k in range(1, 2 * WORDS):
        lines.append("ldr(r0, [r3, %d])" % (4 * k))
        lines.append("add(r0, r0, r0)" if k == 1 else "adc(r0, r0)")
        lines.append("str(r0, [r3, %d])" % (4 * k))
    return lines + _lines("""
    mov(r7, 0)
    label(SQUARES)
    ldrh(r0, [r2, 0])
    ldrh(r1, [r2, 2])
    mov(r4, r0)
    mul(r4, r1)
    mul(r0, r0)
    mul(r1, r1)
    lsl(r5, r4, 17)
    lsr(r4, r4, 15)
    add(r0, r0, r5)
    adc(r1, r4)
    mov(r5, 0)
    add(r0, r0, r7)
    adc(r1, r5)
    ldr(r4, [r3, 0])
    add(r0, r0, r4)
    str(r0, [r3, 0])
    ldr(r4, [r3, 4])
    adc(r1, r4)
    str(r1, [r3, 4])
    mov(r7, 0)
    adc(r7, r7)
    add(r2, 4)
    add(r3, 8)
    mov(r4, r10)
    add(r4, 64)
    cmp(r3, r4)
    bne(SQUARES)
    mov(r3, r10)
    label(REDUCE)
    """)


def _copy():
    lines = []
    for k in range(WORDS):
        lines += ["ldr(r0, [r6, %d])" % (4 * k), "str(r0, [r5, %d])" % (4 * k)]
    return lines + ["b(NEXT)"]


def _run(check, words, reduce):
    add = _sum("ADD", "add(r0, r0, r1)", "adc(r0, r1)")
    subtract = _sum("SUBTRACT", "sub(r0, r0, r1)", "sbc(r0, r1)")
    lines = _lines(_START.replace("{check}", check)) + _copy()
    lines += add + ["bcs(CARRY)", "b(NEXT)"]
    lines += _fold("CARRY", "bcs", "add(r0, r0, %s)", "adc(r0, %s)", words)
    lines += subtract + ["bcc(BORROW)", "b(NEXT)"]
    lines += _fold("BORROW", "bcc", "sub(r0, r0, %s)", "sbc(r0, %s)", words)
    lines += _product() + _lines(reduce) + ["b(CARRY)", "label(END)"]
    return "@micropython.asm_thumb\ndef run(r0, r1, r2):\n" + "\n".join(
        "    " + line for line in lines
    )


def p256():
    """Montgomery form, R = 2^256. p is -1 modulo 2^96, so the multiple of p that clears a word is
    the word itself: added at words 3, 6 and 8, subtracted at word 7."""
    out = "\n".join(
        "ldr(r0, [r3, {0}])\nstr(r0, [r5, {0}])".format(4 * k) for k in range(WORDS)
    )
    return _run(
        check="cmp(r0, 0)\nbeq(HALT)\nadd(r0, 1)\nbeq(HALT)\nb(NEXT)",  # 0 or p
        # 2^256 mod p = 2^224 - 2^192 - 2^96 + 1; its word 6 is -2, words 3 to 5 are -1
        words=[
            _lines("mov(r1, 1)\nmvn(r3, r4)\nmov(r2, r3)\nsub(r2, 1)"),
            "r1", "r4", "r4", "r3", "r3", "r3", "r2", "r4",
        ],
        reduce="""
        mov(r4, 0)
        mov(r2, 0)
        mov(r7, 8)
        mov(r8, r7)
        label(WORD)
        ldr(r0, [r3, 0])
        sub(r1, r4, r0)
        mov(r5, r0)
        sbc(r5, r4)
        ldr(r6, [r3, 12])
        add(r6, r6, r0)
        str(r6, [r3, 12])
        ldr(r6, [r3, 16])
        adc(r6, r4)
        str(r6, [r3, 16])
        ldr(r6, [r3, 20])
        adc(r6, r4)
        str(r6, [r3, 20])
        ldr(r6, [r3, 24])
        adc(r6, r0)
        str(r6, [r3, 24])
        ldr(r6, [r3, 28])
        adc(r6, r1)
        str(r6, [r3, 28])
        ldr(r6, [r3, 32])
        adc(r6, r5)
        mov(r7, 0)
        adc(r7, r7)
        add(r6, r6, r2)
        adc(r7, r4)
        mov(r2, r7)
        str(r6, [r3, 32])
        add(r3, 4)
        mov(r7, r8)
        sub(r7, 1)
        mov(r8, r7)
        bne(WORD)
        mov(r5, r11)
        """ + out + """
        cmp(r2, 0)
        bne(OVER)
        b(NEXT)
        label(OVER)
        """,
    )


def c25519():
    """2^256 is 38 modulo p = 2^255 - 19."""
    reduce = "mov(r5, r11)\nmov(r1, 38)\nmov(r2, 0)\n"
    for k in range(WORDS):
        reduce += """
        ldr(r0, [r3, {0}])
        lsr(r6, r0, 16)
        lsl(r0, r0, 16)
        lsr(r0, r0, 16)
        mul(r6, r1)
        mul(r0, r1)
        lsr(r7, r6, 16)
        lsl(r6, r6, 16)
        mov(r4, 0)
        add(r0, r0, r6)
        adc(r7, r4)
        add(r0, r0, r2)
        adc(r7, r4)
        ldr(r6, [r3, {1}])
        add(r0, r0, r6)
        adc(r7, r4)
        mov(r2, r7)
        str(r0, [r5, {1}])
        """.format(32 + 4 * k, 4 * k)
    reduce += "mul(r2, r1)\n"
    for k in range(WORDS):
        reduce += "ldr(r0, [r5, {0}])\n{1}\nstr(r0, [r5, {0}])\n".format(
            4 * k, "adc(r0, r4)" if k else "add(r0, r0, r2)"
        )
    reduce += "bcs(OVER)\nb(NEXT)\nlabel(OVER)\n"
    return _run(
        check="b(HALT)",
        words=[["mov(r1, 38)"]] + ["r1"] + ["r4"] * 7,
        reduce="\n".join(line for line in _lines(reduce) if line),
    )
