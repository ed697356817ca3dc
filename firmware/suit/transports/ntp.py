# The time from a server, where a board has no clock of its own and a certificate must be judged.
# MIT licence.
"""`ask("pool.ntp.org")` is a generator: seconds since 1970, or None when nobody answered (SNTP, RFC 4330;
three requests, two seconds each). "host:port" names another port than 123.

Nobody signs this: whoever sits on the network can say any time, and with it make a certificate that
has ended look valid. What is installed is bound by its signature all the same. An answer counts
only from the server that was asked and with the random number of the request in it."""

import os
import socket

from ..errors import SuitError
from ..wait import READ
from . import net

_ATTEMPTS = 3
_WAIT_MS = 2000
_SIZE = 48
_CLIENT = 0x23  # version 4, client
_SERVER = 4  # mode
_TO_1970 = 2208988800  # seconds from 1900
_ERA = 1 << 32  # the counter begins anew in 2036


def ask(server):
    host, _, port = server.partition(":")
    try:
        sock = net.connect(host, int(port or 123), socket.SOCK_DGRAM)
    except (SuitError, ValueError):
        return None
    answer = bytearray(_SIZE)
    try:
        for _ in range(_ATTEMPTS):
            request = bytearray(_SIZE)
            request[0] = _CLIENT
            request[40:] = os.urandom(8)
            try:
                net.send(sock, request)
                if (yield [sock, READ, _WAIT_MS]) and net.receive(sock, answer) == _SIZE:
                    seconds = _read(answer, request)
                    if seconds:
                        return seconds
            except SuitError:
                yield _WAIT_MS
        return None
    finally:
        sock.close()


def _read(answer, request):
    """-> seconds since 1970, None when that is no answer to the request, or from nobody who knows."""
    if answer[0] & 7 != _SERVER or answer[0] >> 6 == 3 or not 0 < answer[1] < 16:
        return None
    if answer[24:32] != request[40:48]:
        return None
    seconds = int.from_bytes(answer[40:44], "big")
    return seconds - _TO_1970 + (0 if seconds >> 31 else _ERA)
