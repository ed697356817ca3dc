"""Times one cryptographic primitive on MicroPython: on the Unix port and on a board, real or emulated.

    micropython primitives.py                           the names, each with its kinds of engine
    micropython primitives.py DATA NAME KIND [least]    DATA: a folder made by material.py

Prints `name, kind<TAB>microseconds<TAB>bytes`. With `least`, bytes is the least free heap with which the primitive
still works, found by filling the heap up; else 0. KIND "" is what is chosen where it runs; "plain" what is chosen where
there is neither assembler nor native code.

One interpreter measures one primitive: what a heap that other code has filled and torn up costs is not the
primitive's (big integers take half as long again there), and only what was asked for is loaded."""

import gc
import sys

try:
    from time import ticks_diff, ticks_us
except ImportError:
    raise SystemExit("for MicroPython")

FOLDER = ""


def read(name):
    with open(FOLDER + "/" + name, "rb") as f:
        return f.read()


def region(name):
    from suit.region import MemoryRegion

    return MemoryRegion(read(name))


class Key:
    x = y = pub = k = table = alg = None


def module(name):
    return __import__("suit.crypto." + name, None, None, ("x",))


def envelope(trust):
    def setup():
        from suit.envelope import authenticate
        from suit.trust import TrustStore

        data = region("envelope.suit")
        store = TrustStore(read(trust))

        def call():
            waiting = authenticate(data, store)
            try:
                while True:
                    next(waiting)
            except StopIteration:
                pass

        return call

    return setup


def ed25519(prepared):
    def setup():
        from suit.crypto import ed25519

        ed25519.forget()
        key = Key()
        key.x = memoryview(read("ed25519.pub"))
        signature = region("ed25519.sig")
        message = read("message")

        def call():
            if not prepared:
                ed25519.forget()
            ed25519.verify(key, message, signature)

        return call

    return setup


def x25519():
    from suit.crypto import x25519

    private = b"\x42" * 32
    peer = read("ed25519.pub")
    return lambda: x25519.shared(private, peer)


def ecdh():
    from suit.crypto import p256

    x, y = read("p256.x"), read("p256.y")
    return lambda: p256.shared(b"\x42" * 32, x, y)


def sign():
    from suit.crypto import p256_sign

    message = read("message")
    return lambda: p256_sign.sign(b"\x42" * 32, message)


def verify(name, data, alg=None):
    def setup():
        check = module(name)
        key = Key()
        key.pub = memoryview(read(data + ".pub"))
        key.alg = alg
        signature = region(data + ".sig")
        message = read("message")
        return lambda: check.verify(key, message, signature)

    return setup


BULK = 4096  # bytes; what 1 KiB takes is a quarter


def digest(alg):
    def setup():
        from suit.crypto.digest import new

        data = bytes(BULK)

        def call():
            made = new(alg)
            made.update(data)
            made.digest()

        return call

    return setup


def cipher(name, kind, size):
    def setup():
        buf = bytearray(BULK)
        view = memoryview(buf)
        make = getattr(module(name), kind)

        def call():
            one = make(bytes(size), bytes(16 if kind == "CTR" else 12))
            work = one.crypt if kind == "CTR" else one.decrypt
            for at in range(0, BULK, 1024):
                work(view[at : at + 1024])
            if kind != "CTR":
                one.tag()

        return call

    return setup


def unwrap():
    from suit.crypto.keywrap import unwrap

    wrapped = read("wrapped")
    return lambda: unwrap(bytes(16), wrapped)


def derive():
    from suit.crypto.hkdf import derive

    return lambda: derive(bytes(32), b"", bytes(40), 16)


KINDS = ("thumb", "viper", "plain")
# name, kinds of engine, what makes the call
CASES = (
    ("ESP256 envelope, any key", KINDS, envelope("trust.cbor")),
    ("ESP256 envelope, provisioned anchor", KINDS, envelope("anchor.cbor")),
    ("Ed25519", KINDS, ed25519(False)),
    ("Ed25519, same key again", KINDS, ed25519(True)),
    ("X25519", KINDS, x25519),
    ("ECDH P-256", KINDS, ecdh),
    ("ESP256 signing", KINDS, sign),
    ("HSS-LMS W4", ("",), verify("lms", "lms4")),
    ("HSS-LMS W8", ("",), verify("lms", "lms8")),
    ("ML-DSA-44", ("",), verify("mldsa", "mldsa", -48)),
    ("SHA-256, 4 KiB", ("",), digest(-16)),
    ("SHA-512, 4 KiB", ("",), digest(-44)),
    ("SHAKE256, 4 KiB", ("",), digest(-45)),
    ("AES-128-CTR, 4 KiB", ("",), cipher("ctr", "CTR", 16)),
    ("AES-128-GCM, 4 KiB", ("",), cipher("gcm", "GCM", 16)),
    ("ChaCha20/Poly1305, 4 KiB", ("",), cipher("chacha", "ChaCha", 32)),
    ("AES-128 key unwrap", ("",), unwrap),
    ("HKDF-SHA256", ("",), derive),
)


def spent(call):
    """Microseconds: the least of some runs that take 0.2 s together, and at least one."""
    best = None
    total = 0
    while best is None or (total < 200000 and best < 100000):
        gc.collect()
        start = ticks_us()
        call()
        took = ticks_diff(ticks_us(), start)
        total += took
        best = took if best is None or took < best else best
    return best


def fits(call, free):
    """Whether `call` works with `free` bytes of heap in one piece and no more."""
    gc.collect()
    reserve = bytearray(free)
    taken = None  # a chain: a list would need a piece of its own to grow
    size = 1 << 16
    while size:
        try:
            taken = (taken, bytearray(size))
        except MemoryError:
            size >>= 1
    del reserve
    gc.collect()
    try:
        call()
        return True
    except MemoryError:
        return False
    finally:
        taken = None


def least(call):
    """The least free heap, in steps of 256 bytes, that `call` works in."""
    low, high = 1, 128
    while low < high:
        middle = (low + high) // 2
        if fits(call, middle * 256):
            high = middle
        else:
            low = middle + 1
    gc.collect()
    return low * 256


def main(name, kind, with_least=False):
    from suit.crypto import engine

    label = name + (", " + kind if kind else "")
    if kind:  # the faster ones are not there
        engine.without = KINDS[: KINDS.index(kind)]
    try:
        call = [case[2] for case in CASES if case[0] == name][0]()
        call()
        if kind and kind not in engine.chosen.values():
            return  # neither does it run here
        print("%s\t%d\t%d" % (label, spent(call), least(call) if with_least else 0))
    except (ImportError, MemoryError, NotImplementedError) as error:
        print("%s\t%s" % (label, repr(error)))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        FOLDER = sys.argv[1]
        main(sys.argv[2], sys.argv[3], "least" in sys.argv)
    else:
        for case in CASES:
            for kind in case[1]:
                print("%s\t%s" % (case[0], kind))
