"""LMS and LM-OTS signing (RFC 8554 sections 4 and 5) with SHA-256, n = m = 32. Pure functions of (I, seed, q): what is
allowed to be signed with which q is the business of `hsslms.py`. Verification is left to pyhsslms."""

import hashlib

_D_PBLC, _D_MESG, _D_LEAF, _D_INTR = b"\x80\x80", b"\x81\x81", b"\x82\x82", b"\x83\x83"
# Winternitz width -> (type code of LM-OTS, number of chains, left shift of the checksum): table 1
OTS = {1: (1, 265, 7), 2: (2, 133, 6), 4: (3, 67, 4), 8: (4, 34, 0)}
# height -> type code of LMS: table 2
LMS = {5: 5, 10: 6, 15: 7, 20: 8}


def _hash(*parts) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _u32(value):
    return value.to_bytes(4, "big")


def _u16(value):
    return value.to_bytes(2, "big")


def _chain(prefix, start, value, first, last):
    """Apply the chaining function to `value` for steps first..last-1; `prefix` is I || q."""
    head = prefix + _u16(start)
    sha256 = hashlib.sha256
    for step in range(first, last):
        value = sha256(head + bytes((step,)) + value).digest()
    return value


def _digits(data, width, count):
    """The first `count` digits of `width` bits of `data`."""
    value, bits = int.from_bytes(data, "big"), len(data) * 8
    return [value >> bits - width * (i + 1) & (1 << width) - 1 for i in range(count)]


def ots_public(identifier, seed, q, width) -> bytes:
    """K of the one-time key q (algorithm 1, with Appendix A for the private values)."""
    _, chains, _ = OTS[width]
    prefix = identifier + _u32(q)
    out = hashlib.sha256(prefix + _D_PBLC)
    for i in range(chains):
        start = _hash(prefix, _u16(i), b"\xff", seed)
        out.update(_chain(prefix, i, start, 0, (1 << width) - 1))
    return out.digest()


def ots_sign(identifier, seed, q, width, message) -> bytes:
    """LM-OTS signature (algorithm 3). C is derived from the seed, so that the same q and message give the same bytes."""
    kind, chains, shift = OTS[width]
    prefix = identifier + _u32(q)
    randomizer = _hash(prefix, b"\xff\xfd", b"\xff", seed)
    digest = _hash(prefix, _D_MESG, randomizer, message)
    digits = 256 // width
    checksum = sum((1 << width) - 1 - digit for digit in _digits(digest, width, digits))
    values = _digits(digest + _u16(checksum << shift), width, chains)
    out = _u32(kind) + randomizer
    for i, steps in enumerate(values):
        out += _chain(prefix, i, _hash(prefix, _u16(i), b"\xff", seed), 0, steps)
    return out


def tree(identifier, seed, height, width) -> list[bytes]:
    """All nodes, T[1] the root; T[0] is empty. 2**height one-time keys are computed: minutes for height 15."""
    leaves = 1 << height
    nodes = [b""] * (2 * leaves)
    for q in range(leaves):
        nodes[leaves + q] = _hash(
            identifier, _u32(leaves + q), _D_LEAF, ots_public(identifier, seed, q, width)
        )
    for r in range(leaves - 1, 0, -1):
        nodes[r] = _hash(identifier, _u32(r), _D_INTR, nodes[2 * r], nodes[2 * r + 1])
    return nodes


def public(identifier, nodes, height, width) -> bytes:
    """The LMS public key, 56 bytes."""
    return _u32(LMS[height]) + _u32(OTS[width][0]) + identifier + nodes[1]


def sign(identifier, seed, q, height, width, nodes, message) -> bytes:
    """LMS signature of `message` with leaf q (section 5.4.1)."""
    out = _u32(q) + ots_sign(identifier, seed, q, width, message) + _u32(LMS[height])
    node = (1 << height) + q
    while node > 1:
        out += nodes[node ^ 1]
        node >>= 1
    return out
