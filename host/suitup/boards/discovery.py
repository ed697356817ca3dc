"""Boards that are on the network, by asking all of them; addresses of `.local` names.

    for found in await everyone(): found.host, found.port
    address = await resolve("pico.local")

`everyone` sends `GET /.well-known/core?rt=suit.*` to all CoAP nodes (224.0.1.187 port 5683, RFC 7252 section 8) from every
IPv4 address of this machine and collects the answers that list a status resource. Multicast ends at the next router, and
many an access point keeps it from its wireless clients: who does not answer may be there all the same.

`resolve` asks the system, and for a `.local` name that the system does not know asks by mDNS itself (RFC 6762)."""

import asyncio
import secrets
import socket
from typing import NamedTuple

from suitup.errors import Failure

GROUP = "224.0.1.187"
PORT = 5683
WAIT_S = 3.0  # boards take up to one to answer
_REPEAT_S = 0.8  # a datagram may be lost; boards take it for the same request
_MDNS_MS = 3000


class Board(NamedTuple):
    host: str
    port: int

    def __str__(self):
        return self.host if self.port == PORT else f"{self.host}:{self.port}"


class _Ears(asyncio.DatagramProtocol):
    def __init__(self, token, found):
        self._token, self._found = token, found

    def datagram_received(self, data, address):
        board = Board(*address[:2])
        if is_board(data, self._token) and board not in self._found:
            self._found.append(board)

    def error_received(self, error):
        pass  # no way out of this interface


def question(token, mid) -> bytes:
    """The datagram that is sent."""
    import aiocoap

    message = aiocoap.Message(code=aiocoap.GET, uri_path=[".well-known", "core"], uri_query=["rt=suit.*"])
    message.mtype, message.mid, message.token = aiocoap.NON, mid, token
    return message.encode()


def is_board(data, token) -> bool:
    """Is this datagram the answer of a board? Its list may be cut after 64 bytes: it has not seen who asks."""
    import aiocoap

    try:
        message = aiocoap.Message.decode(data)
    except aiocoap.error.Error:
        return False
    return message.token == token and message.code == aiocoap.CONTENT and b"</suit/status>" in message.payload


def own_addresses() -> list:
    """Every IPv4 address of this machine."""
    import ifaddr

    return [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]


async def everyone(seconds=WAIT_S, interfaces=None) -> list:
    """The boards that answer, in the order of their addresses."""
    token = secrets.token_bytes(6)
    data = question(token, secrets.randbelow(65536))
    found, ears = [], []
    loop = asyncio.get_running_loop()
    try:
        for address in interfaces or own_addresses():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            try:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
                sock.bind((address, 0))
            except OSError:
                sock.close()
                continue
            ears.append((await loop.create_datagram_endpoint(lambda: _Ears(token, found), sock=sock))[0])
        for pause in (_REPEAT_S, seconds - _REPEAT_S):
            for transport in ears:
                transport.sendto(data, (GROUP, PORT))
            await asyncio.sleep(pause)
    finally:
        for transport in ears:
            transport.close()
    return sorted(found, key=lambda board: (socket.inet_aton(board.host), board.port))


def all_hosts() -> tuple:
    """What `--all` stands for: every board that answers, as --host spells it. Raises Failure when none does."""
    found = asyncio.run(everyone())
    if not found:
        raise Failure(
            "no board answers",
            "asked were all CoAP nodes of the networks this machine is in",
            "does the board's app call suit.listen()? access points often keep multicast to themselves: --host ADDRESS",
        )
    return tuple(str(board) for board in found)


async def resolve(name, interfaces=None) -> str:
    """An IP address of `name`. Raises Failure."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        return answers[0][4][0]
    except socket.gaierror as error:
        reason = error.strerror
    if name.lower().rstrip(".").endswith(".local"):
        address = await _by_mdns(name, interfaces)
        if address:
            return address
        reason = "nobody of that name answers by mDNS"
    raise Failure(f"no address for {name}", reason, "give the board's IP address, or look with `suitup status --all`")


async def _by_mdns(name, interfaces):
    from zeroconf import AddressResolverIPv4, InterfaceChoice
    from zeroconf.asyncio import AsyncZeroconf

    try:
        async with AsyncZeroconf(interfaces=interfaces or InterfaceChoice.All) as network:
            resolver = AddressResolverIPv4(name.rstrip(".") + ".")
            if await resolver.async_request(network.zeroconf, _MDNS_MS):
                return resolver.parsed_addresses()[0]
    except OSError:
        pass  # no network
    return None
