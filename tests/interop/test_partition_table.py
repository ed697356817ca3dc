"""Our ESP32 partition table, read and written again by mp-image-tool-esp32, is the same bytes."""

import subprocess

from suitup import paths
from suitup.images import partitions

PEER = """
import sys
from mp_image_tool_esp32.partition_table import PartitionTable
data = sys.stdin.buffer.read()
table = PartitionTable.from_bytes(data)
print(*(f"{part.name}:{part.offset}:{part.size}" for part in table), sep="\\n")
assert table.to_bytes()[:192] == data[:192]
"""


def test_a_peer_reads_our_table_and_writes_the_same_bytes(peer_python):
    table = partitions.load(paths.boards() / "ESP32_GENERIC" / "partitions-ota.csv")
    done = subprocess.run(
        [peer_python, "-c", PEER], input=partitions.encode(table), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().split() == [f"{p.name}:{p.offset}:{p.size}" for p in table]
