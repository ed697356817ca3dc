"""A device that is found by multicast: `micropython found.py FIRMWARE PORT STOP`, until the file STOP appears."""

import os
import socket
import sys

sys.path.insert(0, sys.argv[1])

from suit import multicast  # noqa: E402
from suit.coap_server import Server  # noqa: E402
from suit.config import Config  # noqa: E402
from suit.transports import net  # noqa: E402
from suit.wait import READ, run  # noqa: E402

multicast.chip = lambda: None  # a port like any other


class Site:
    def status(self):
        return b"\xa0", b"\xa0"


def serve(port, stop):
    found = net.address("127.0.0.1", port, socket.SOCK_DGRAM)
    sock = socket.socket(found[0], socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(found[-1])
    server = multicast.beside(Server(sock, Site()), Config({"bind": "127.0.0.1", "port": port}))
    print("listening" if server._sock else "alone")
    while True:
        yield [sock, READ, 50]
        server.step()
        try:
            os.stat(stop)
            server.close()
            return
        except OSError:
            pass


run(serve(int(sys.argv[2]), sys.argv[3]))
