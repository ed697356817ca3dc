"""Times cryptographic primitives on MicroPython: on the Unix port and on a board, real or emulated.

    micropython primitives.py DATA [least]      DATA: a folder made by material.py

Prints `name<TAB>microseconds<TAB>bytes` per primitive and kind of engine. With `least`, bytes is the
least free heap with which the primitive still works, found by filling the heap up; else 0."""

import gc
import sys

try:
    from time import ticks_diff, ticks_us
except ImportError:
    raise SystemExit("for MicroPython")

FOLDER = ""
LEAST = False


def read(name):
    with open(FOLDER + "/" + name, "rb") as f:
        return f.read()


def region(name):
    from suit.region import MemoryRegion

    return MemoryRegion(read(name))


class Key:
    x = y = pub = k = table = alg = None


def use(user, family, engine):
    """Let the module `user` work with one kind of engine, and the scalars with what goes with it."""
    from suit.crypto import scalar

    user._engine = module(family + "_" + engine)
    digits = module("scalar_" + ("plain" if engine == "plain" else "viper"))
    for name in ("regular", "wnaf", "trace", "ladder", "inverse"):
        setattr(scalar, name, getattr(digits, name))


def es256(engine):
    from suit.crypto import p256

    use(p256, "p256", engine)


def module(name):
    return __import__("suit.crypto." + name, None, None, ("x",))


def envelope(engine, trust):
    def setup():
        from suit.envelope import authenticate
        from suit.trust import TrustStore

        es256(engine)
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


def ed25519(engine, prepared):
    def setup():
        from suit.crypto import ed25519

        use(ed25519, "c25519", engine)
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


def x25519(engine):
    def setup():
        from suit.crypto import x25519

        use(x25519, "c25519", engine)
        private = b"\x42" * 32
        peer = read("ed25519.pub")
        return lambda: x25519.shared(private, peer)

    return setup


def ecdh(engine):
    def setup():
        from suit.crypto import p256

        es256(engine)
        x, y = read("p256.x"), read("p256.y")
        return lambda: p256.shared(b"\x42" * 32, x, y)

    return setup


def sign(engine):
    def setup():
        from suit.crypto import p256_sign

        es256(engine)
        message = read("message")
        return lambda: p256_sign.sign(b"\x42" * 32, message)

    return setup


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


# name, family of engines (None: whatever is chosen), engine -> setup
CASES = (
    ("ESP256 envelope, any key", "p256", lambda e: envelope(e, "trust.cbor")),
    ("ESP256 envelope, provisioned anchor", "p256", lambda e: envelope(e, "anchor.cbor")),
    ("Ed25519", "c25519", lambda e: ed25519(e, False)),
    ("Ed25519, same key again", "c25519", lambda e: ed25519(e, True)),
    ("X25519", "c25519", x25519),
    ("ECDH P-256", "p256", ecdh),
    ("ESP256 signing", "p256", sign),
    ("HSS-LMS W4", None, lambda e: verify("lms", "lms4")),
    ("HSS-LMS W8", None, lambda e: verify("lms", "lms8")),
    ("ML-DSA-44", None, lambda e: verify("mldsa", "mldsa", -48)),
    ("SHA-256, 4 KiB", None, lambda e: digest(-16)),
    ("SHA-512, 4 KiB", None, lambda e: digest(-44)),
    ("SHAKE256, 4 KiB", None, lambda e: digest(-45)),
    ("AES-128-CTR, 4 KiB", None, lambda e: cipher("ctr", "CTR", 16)),
    ("AES-128-GCM, 4 KiB", None, lambda e: cipher("gcm", "GCM", 16)),
    ("ChaCha20/Poly1305, 4 KiB", None, lambda e: cipher("chacha", "ChaCha", 32)),
    ("AES-128 key unwrap", None, lambda e: unwrap),
    ("HKDF-SHA256", None, lambda e: derive),
)


def kinds(name):
    if name is None:
        return ("",)
    found = []
    for kind in ("thumb", "viper", "plain"):
        try:
            module(name + "_" + kind)
            found.append(kind)
        except (ImportError, SyntaxError, ValueError):
            pass
    return found


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


def main(cases=CASES):
    for name, family, make in cases:
        for kind in kinds(family):
            label = name + (", " + kind if kind else "")
            try:
                call = make(kind)()
                call()
                print("%s\t%d\t%d" % (label, spent(call), least(call) if LEAST else 0))
            except (ImportError, MemoryError, NotImplementedError) as error:
                print("%s\t%s" % (label, repr(error)))
            call = None
            gc.collect()


if __name__ == "__main__" and len(sys.argv) > 1:
    FOLDER = sys.argv[1]
    LEAST = "least" in sys.argv
    main()
