"""The network of an emulated Pico W ends at this machine: what the guest sends to 10.0.0.1:P goes to 127.0.0.1:P, everything
else is refused. `mend()` replaces the parts of rp2040py's bridge that would open connections to anywhere. The access
point is SSID; the guest has 10.0.0.2."""

import asyncio

SSID = "RP2040PY-GUEST"
GATEWAY = "10.0.0.1"


def mend():
    from rp2040py.external.cyw43 import nat

    async def connect(host, port):
        if str(host) != GATEWAY:
            raise OSError("%s is not on this machine" % host)
        return await asyncio.open_connection("127.0.0.1", port)

    plain = nat.TcpReflector.__init__

    def init(self, rp2040, queue, **options):
        options.setdefault("connect_fn", connect)
        plain(self, rp2040, queue, **options)

    class Flow(asyncio.DatagramProtocol):
        """One UDP port of the guest and one of this machine: any number of datagrams both ways."""

        def __init__(self, answer):
            self._answer = answer

        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            self._answer(data)

        def error_received(self, error):
            pass  # nobody listens there: the guest finds out by its own timeout

    class Relay(nat.UdpRelay):
        def __init__(self, rp2040, queue, **options):
            super().__init__(rp2040, queue, **options)
            self._flows = {}

        def _to_guest(self, mac, guest, port, peer, peer_port, data):
            packet = nat.net.pack_ipv4(
                peer, guest, nat.net.IP_PROTO_UDP, nat.net.pack_udp(peer, guest, peer_port, port, data)
            )
            self._queue_ethernet_frame(
                nat.net.pack_ethernet(mac, self._gateway_mac, nat.net.ETHERTYPE_IPV4, packet)
            )

        async def _relay(self, mac, guest, port, data, upstream, peer, peer_port):
            if bytes(peer) != nat.GATEWAY_IP:
                return
            flow = self._flows.get((port, peer_port))
            if flow is None:
                _, flow = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: Flow(lambda answer: self._to_guest(mac, guest, port, peer, peer_port, answer)),
                    remote_addr=("127.0.0.1", peer_port),
                )
                self._flows[port, peer_port] = flow
            flow.transport.sendto(data)

    nat.TcpReflector.__init__ = init
    nat.UdpRelay = Relay
