"""https from MicroPython, against a real TLS server on loopback: the right one, and those that are not."""

import datetime
import ipaddress
import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from suitup import numbers as n

ROOT = Path(__file__).resolve().parents[2]
DATA = bytes(range(256)) * 200
DEVICE = """
import sys
sys.path.insert(0, %r)
import gc, hashlib, json
from suit import runtime, transports
from suit.errors import SuitError
from suit.wait import run
import suit.port
runtime.root = %r
%s
def fetch():
    stream = transports.open(%r)
    data = bytearray(700)
    digest = hashlib.sha256()
    try:
        yield from stream.start(0, None)
        while True:
            n = yield from stream.readinto(memoryview(data))
            if not n:
                break
            digest.update(memoryview(data)[:n])
    finally:
        stream.close()
    return digest.digest().hex()
try:
    print(json.dumps([0, run(fetch())]))
except SuitError as error:
    print(json.dumps([error.reason, str(error.detail)]))
"""


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, signer, ca=False, days=(-1, 30)):
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days[0]))
        .not_valid_after(now + datetime.timedelta(days[1]))
        .add_extension(x509.BasicConstraints(ca, None), True)
    )
    if not ca:
        names = [x509.DNSName(subject)]
        if subject == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        made = made.add_extension(x509.SubjectAlternativeName(names), False)
    return made.sign(signer, hashes.SHA256())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA)

    def log_message(self, *args):
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that refuses us is what this is about


class House:
    """A CA, and servers with certificates of its own or of somebody else."""

    def __init__(self, folder):
        self.folder = folder
        self.ca_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = certificate("ca", self.ca_key, "ca", self.ca_key, True)
        (folder / "ca.der").write_bytes(self.ca.public_bytes(serialization.Encoding.DER))
        self.servers = []

    def serve(self, subject="localhost", signer=None, days=(-1, 30)):
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificate(subject, key, "ca", signer or self.ca_key, days=days)
        pem = self.folder / "server.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server = Quiet(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return server.server_address[1]

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def fetch(micropython, house, port, host="localhost", before=""):
    script = house.folder / "device.py"
    uri = f"https://{host}:{port}/file"
    script.write_text(DEVICE % (str(ROOT / "firmware"), str(house.folder), before, uri))
    done = subprocess.run([micropython, script], capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_the_right_server_sends_arrives(micropython, house):
    import hashlib

    got = fetch(micropython, house, house.serve())
    assert got == [0, hashlib.sha256(DATA).hexdigest()]


def test_a_certificate_of_another_ca_is_refused(micropython, house):
    other = ec.generate_private_key(ec.SECP256R1())
    reason, why = fetch(micropython, house, house.serve(signer=other))
    assert reason == n.R_TLS and "CA" in why


def test_a_certificate_for_another_name_is_refused(micropython, house):
    reason, why = fetch(micropython, house, house.serve("somewhere.example"))
    assert reason == n.R_TLS and "name" in why.lower()


def test_a_certificate_that_has_ended_or_not_begun_is_refused(micropython, house):
    for days in ((-30, -1), (1, 30)):
        reason, why = fetch(micropython, house, house.serve(days=days))
        assert reason == n.R_TLS and "valid" in why


def test_before_anything_is_sent_it_says_what_is_missing(micropython, house):
    port = house.serve()
    clock = "suit.port.chip().now = lambda: None"
    assert fetch(micropython, house, port, before=clock) == [n.R_TLS, "the clock is not set"]
    little = "suit.port.chip().tls_room = lambda: 30000"
    reason, why = fetch(micropython, house, port, before=little)
    assert reason == n.R_TLS and "30000 are free" in why
    (house.folder / "ca.der").write_bytes(b"-----BEGIN CERTIFICATE-----")
    assert fetch(micropython, house, port) == [n.R_TLS, "ca.der is no certificate in DER"]
    (house.folder / "ca.der").unlink()
    reason, why = fetch(micropython, house, port)
    assert reason == n.R_TLS and why.endswith("/ca.der")


def test_a_server_that_speaks_no_tls_is_told_from_a_bad_network(micropython, house):
    plain = Quiet(("127.0.0.1", 0), Handler)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    house.servers.append(plain)
    reason, _ = fetch(micropython, house, plain.server_address[1])
    assert reason in (n.R_TLS, n.R_NETWORK)


def ntp(answer, port=0):
    """A time server that answers with `answer(request)`; its port."""
    import socket

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))

    def serve():
        while True:
            request, peer = sock.recvfrom(100)
            sock.sendto(answer(request), peer)

    threading.Thread(target=serve, daemon=True).start()
    return sock.getsockname()[1]


def says(seconds, mode=0x24, stratum=2):
    def answer(request):
        out = bytearray(48)
        out[0], out[1] = mode, stratum
        out[24:32] = request[40:48]
        out[40:44] = (seconds + 2208988800 & 0xFFFFFFFF).to_bytes(4, "big")
        return bytes(out)

    return answer


# a board whose clock was never set, and what setting it does
UNSET = """
chip = suit.port.chip()
times = []
chip.now = lambda: times[-1] if times else None
chip.set_clock = times.append
import suit.transports.ntp
suit.transports.ntp._WAIT_MS = 200
"""


CHECK = """
def check(seconds):
    assert seconds == %d
    times.append(seconds)
chip.set_clock = check
"""


@pytest.mark.parametrize("seconds", [1_800_000_000, 2_200_000_000])
def test_a_board_without_a_clock_asks_for_the_time_first(micropython, house, seconds):
    from suitup import cbor

    port = ntp(says(seconds))
    (house.folder / "config.cbor").write_bytes(cbor.encode({"ntp": f"127.0.0.1:{port}"}))
    got = fetch(micropython, house, house.serve(), before=UNSET + CHECK % seconds)
    assert got[0] == 0


@pytest.mark.parametrize(
    "answer",
    [
        says(1_800_000_000, mode=0x23),  # a client
        says(1_800_000_000, mode=0xE4),  # its clock is not set either
        says(1_800_000_000, stratum=0),  # kiss of death
        lambda request: says(1_800_000_000)(bytes(48)),  # not what was asked
        lambda request: says(1_800_000_000)(request)[:40],
    ],
)
def test_who_does_not_know_the_time_sets_no_clock(micropython, house, answer):
    from suitup import cbor

    (house.folder / "config.cbor").write_bytes(cbor.encode({"ntp": f"127.0.0.1:{ntp(answer)}"}))
    assert fetch(micropython, house, house.serve(), before=UNSET) == [n.R_TLS, "the clock is not set"]
