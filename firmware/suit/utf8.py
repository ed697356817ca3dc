# Is it UTF-8?
# MIT licence.
"""`wrong_utf8(view, pos, end)` is None when view[pos:end] is UTF-8 as RFC 3629 has it, else the
offset of the sequence that is not. MicroPython's own check lets surrogates, overlong forms and
numbers beyond U+10FFFF pass."""


def wrong_utf8(view, pos, end):
    while pos < end:
        lead = view[pos]
        if lead < 0x80:
            pos += 1
            continue
        n = 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
        if lead < 0xC2 or lead > 0xF4 or pos + n >= end:
            return pos
        second = view[pos + 1]
        low = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
        high = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
        if second < low or second > high:
            return pos
        for i in range(2, n + 1):
            if view[pos + i] & 0xC0 != 0x80:
                return pos
        pos += n + 1
    return None
