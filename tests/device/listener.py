"""A device that only listens: `micropython listener.py FIRMWARE PORT`; its status counts the nudges
it took. Ends when the file given as third argument appears."""

import os
import socket
import sys

sys.path.insert(0, sys.argv[1])

from suit.cbor import encode  # noqa: E402
from suit.coap_server import Server  # noqa: E402
from suit.transports import net  # noqa: E402
from suit.transports.coap_message import CHANGED, FORBIDDEN, UNAVAILABLE  # noqa: E402
from suit.wait import READ, run  # noqa: E402


class Site:
    again = 10  # s

    def __init__(self):
        self.nudges = []

    def status(self):
        told = {"name": "listener", "nudges": self.nudges, "filler": "x" * 300}
        return encode(told), encode(told)

    def nudge(self, uri, host):
        if "busy" in uri:
            return UNAVAILABLE
        if uri and host not in uri:
            return FORBIDDEN
        self.nudges.append(uri)
        return CHANGED


def serve(port, stop):
    found = net.address("127.0.0.1", port, socket.SOCK_DGRAM)
    sock = socket.socket(found[0], socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(found[-1])
    server = Server(sock, Site())
    print("listening")
    while True:
        yield [sock, READ, 100]
        server.step()
        try:
            os.stat(stop)
            return
        except OSError:
            pass


run(serve(int(sys.argv[2]), sys.argv[3]))
