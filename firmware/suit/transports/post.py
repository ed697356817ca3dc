# POST: a report on its way out.
# MIT licence.
"""`status = yield from post(url, body, format, type)` sends `body` (bytes) with the CoAP content format
`format` or the HTTP media type `type`; -> the status as a number, 2.04 is 204. Over CoAP in blocks of
256 bytes (RFC 7959, Block1), each confirmed before the next; an Echo that is asked for is returned
once (RFC 9175). Over HTTP no redirect is followed. SuitError(R_NETWORK, ...), (R_SERVER, what),
(R_NO_PAYLOAD, scheme)."""

import socket

from ..errors import SuitError
from ..numbers import R_NETWORK, R_NO_PAYLOAD
from ..wait import WRITE
from . import net, scheme, split

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_BLOCK = const(256)
_SZX = const(4)
_CONTINUE = const(95)  # 2.31
_UNAUTHORIZED = const(129)
_TIMEOUT_MS = const(15000)


def post(url, body, format, kind):
    how = scheme(url)
    if how == "coap":
        return (yield from _coap(url, body, format))
    if how in ("http", "https"):
        return (yield from _http(url, body, kind))
    raise SuitError(R_NO_PAYLOAD, how)


def _coap(url, body, format):
    from .coap_client import Client
    from .coap_message import status

    client = Client(url, _BLOCK)
    view = memoryview(body)
    echo = None
    at = 0
    try:
        while True:
            more = at + _BLOCK < len(view)
            block = at // _BLOCK << 4 | more << 3 | _SZX
            code = yield from client.post(view[at : at + _BLOCK], format, block, echo)
            if code == _UNAUTHORIZED and client.echo and echo is None:
                echo = client.echo
            elif code == _CONTINUE and more:
                at += _BLOCK
            else:
                return status(code)
    finally:
        client.close()


def _http(url, body, kind):
    from . import tls
    from .http_response import Response

    secure, host, port, path = split(url)
    secure = secure == "https"
    # first, since it may say that nothing will come of it
    context = tls.context() if secure else None
    sock = net.connect(host, port or (443 if secure else 80), socket.SOCK_STREAM)
    try:
        want = [sock, WRITE, _TIMEOUT_MS]
        if not (yield want):
            raise SuitError(R_NETWORK, "timeout")
        if secure:
            sock = want[0] = tls.wrap(context, sock, host)
        name = "[" + host + "]" if ":" in host else host
        if port:
            name = "%s:%d" % (name, port)
        request = (
            "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: suitup\r\nContent-Type: %s\r\n"
            "Content-Length: %d\r\nConnection: close\r\n\r\n" % (path, name, kind, len(body))
        )
        for part in (request.encode(), body):
            view = memoryview(part)
            start = net.ticks()
            while len(view):
                n = tls.send(sock, view) if secure else net.send(sock, view)
                if n:
                    view = view[n:]
                elif not (yield want) or net.elapsed(net.ticks(), start) > 4 * _TIMEOUT_MS:
                    raise SuitError(R_NETWORK, "timeout")
        response = Response(bytearray(640))
        response.begin(sock, _TIMEOUT_MS)
        yield from response.head()
        return response.status
    finally:
        sock.close()
