# TLS for those who want privacy; what makes an update safe is its signature.
# MIT licence.
"""`clock()`, `context()`, `wrap(context, sock, host)`, `send(sock, view)` for http.py. The server must show a
certificate for `host` under the one CA in `/suit/ca.der` (DER, not PEM), valid now; there is no way
around that. What is missing is told before a connection is made, as SuitError(R_TLS, why): the
clock, the CA, or memory. The handshake goes on inside the first calls of `send`, without blocking.

platform.md section 10: CERT_REQUIRED is said explicitly, since the defaults differ; a handshake
needs 33 KB beside its context, and with less mbedTLS blames the certificate. The clock is whoever's
who set it: NTP is not authenticated."""

import gc

from .. import runtime
from ..errors import SuitError
from ..numbers import R_NETWORK, R_TLS
from . import net

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


# measured on a Pico W: it failed with 28.4 KB and went through with 32.5 KB; chains of RSA want more
_NEEDED = const(36864)  # bytes, with the context
_LOWEST = -256  # errors of mbedTLS lie below those of the network


def _free():
    """-> bytes that a handshake may take: from the heap, or where the port says it takes them."""
    from ..port import chip

    gc.collect()
    room = getattr(chip(), "tls_room", None) or getattr(gc, "mem_free", None)
    return room() if room else _NEEDED


def clock():
    """Generator: where the clock was never set, ask the server that the configuration names."""
    from ..config import read
    from ..port import chip

    server = read(runtime.root).ntp if chip().now() is None else None
    if server:
        from .ntp import ask

        seconds = yield from ask(server)
        if seconds:
            chip().set_clock(seconds)


def context():
    """-> a context that verifies servers. SuitError(R_TLS, why)."""
    from ..port import chip

    try:
        import tls
    except ImportError:
        raise SuitError(R_TLS, "this firmware has no TLS")
    if chip().now() is None:
        raise SuitError(R_TLS, "the clock is not set")
    try:
        with open(runtime.root + "/ca.der", "rb") as file:
            ca = file.read()
    except OSError:
        raise SuitError(R_TLS, "no %s/ca.der" % runtime.root)
    free = _free()
    if free < _NEEDED:
        raise SuitError(R_TLS, "needs %d bytes of memory, %d are free" % (_NEEDED, free))
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED
    try:
        made.load_verify_locations(ca)
    except (ValueError, OSError):
        raise SuitError(R_TLS, "ca.der is no certificate in DER")
    return made


def wrap(made, sock, host):
    """-> the TLS socket over the connected `sock`, which stays nonblocking."""
    try:
        return made.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except (ValueError, OSError) as error:
        raise SuitError(R_TLS, str(error))


def send(sock, view):
    """As net.send; the first calls are the handshake."""
    try:
        return net.send(sock, view)
    except ValueError as error:  # the certificate does not verify; the text says why
        raise SuitError(R_TLS, str(error))
    except SuitError as error:
        if error.reason == R_NETWORK and isinstance(error.detail, int) and error.detail < _LOWEST:
            raise SuitError(R_TLS, "mbedTLS %d" % error.detail)
        raise
