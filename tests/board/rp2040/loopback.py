"""The network of an emulated Pico W ends at this machine: what the guest sends to 10.0.0.1:P goes to 127.0.0.1:P, everything
else is refused. `mend()` replaces the parts of rp2040py's bridge that would open connections to anywhere. The access
point is SSID; the guest has 10.0.0.2. `port = await door(5683)` is the other way: what comes to that UDP port of 127.0.0.1
goes to the guest's, which sees it come from 10.0.0.1."""

import asyncio

SSID = "RP2040PY-GUEST"
GATEWAY = "10.0.0.1"


_relays = []


async def door(guest_port):
    """-> UDP port of this machine that leads to `guest_port` of the guest that was switched on last."""
    _, made = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Door(_relays[-1], guest_port), local_addr=("127.0.0.1", 0)
    )
    return made.transport.get_extra_info("sockname")[1]


class _Door(asyncio.DatagramProtocol):
    def __init__(self, relay, guest_port):
        self._relay, self._port = relay, guest_port

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self._relay.bring(self._port, address[1], data, lambda answer: self.transport.sendto(answer, address))


def mend():
    from rp2040py.external.cyw43 import chip, nat
    from rp2040py.gpio_pin import GPIOPinState

    attach = chip.Cyw43439.attach

    def attach_and_reset(self, rp2040):
        """A reset of the RP2040 lets go of the radio's power pin, of which the radio is not told: what it knows from
        before stays, and the driver cannot start it again. It pulls the pin low first, always."""
        attach(self, rp2040)

        def fell(new, old):
            if new == GPIOPinState.LOW and old != GPIOPinState.HIGH:
                self.bus.power_off()

        rp2040.gpio[self._power].add_listener(fell)

    chip.Cyw43439.attach = attach_and_reset

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
            self._flows = {}  # (port of the guest, port here): function that takes a datagram
            self._guest = None
            _relays[:] = [self]

        def bring(self, port, peer_port, data, answer):
            if self._guest:
                self._flows[port, peer_port] = answer
                self._to_guest(*self._guest, port, nat.GATEWAY_IP, peer_port, data)

        def _to_guest(self, mac, guest, port, peer, peer_port, data):
            packet = nat.net.pack_ipv4(
                peer, guest, nat.net.IP_PROTO_UDP, nat.net.pack_udp(peer, guest, peer_port, port, data)
            )
            self._queue_ethernet_frame(
                nat.net.pack_ethernet(mac, self._gateway_mac, nat.net.ETHERTYPE_IPV4, packet)
            )

        async def _relay(self, mac, guest, port, data, upstream, peer, peer_port):
            self._guest = mac, guest
            if bytes(peer) != nat.GATEWAY_IP:
                return
            send = self._flows.get((port, peer_port))
            if send is None:
                _, flow = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: Flow(lambda answer: self._to_guest(mac, guest, port, peer, peer_port, answer)),
                    remote_addr=("127.0.0.1", peer_port),
                )
                send = self._flows[port, peer_port] = flow.transport.sendto
            send(data)

    nat.TcpReflector.__init__ = init
    nat.UdpRelay = Relay
