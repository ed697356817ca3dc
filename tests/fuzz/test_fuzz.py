"""Hostile bytes get an orderly answer: the kept corpus, the seeds, and a few thousand random mutations of both.

The seed of the mutations is fixed; `make fuzz` goes on from there with coverage as its guide."""

import random
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import seeds  # noqa: E402
import targets  # noqa: E402

MUTATIONS = {
    "processor": 3000, "envelope": 4000, "config": 1500, "decrypt": 2000, "lms": 1500, "mldsa": 150,
}  # fmt: skip
INTERESTING = (0, 0xFF, 0x7F, 0x80, 0x5F, 0x9B, 0xBB, 0xF6, 0x18, 0x1B)


def corpus(target):
    kept = [path.read_bytes() for path in sorted(Path(HERE, "corpus", target).glob("*"))]
    return seeds.seeds(target) + kept


def mutate(chance, data):
    data = bytearray(data) or bytearray(4)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at : at + chance.randrange(1, 9)]
        elif kind == 2:
            data[at:at] = chance.randbytes(chance.randrange(1, 5))
        elif kind == 3 and at < len(data):
            data[at] = chance.choice(INTERESTING)
        else:
            start = chance.randrange(len(data) + 1)
            data[at:at] = data[start : start + chance.randrange(16)]
    return bytes(data)


@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_the_corpus_gets_orderly_answers(target):
    for data in corpus(target):
        targets.TARGETS[target](data)


@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_random_mutations_get_orderly_answers(target):
    chance = random.Random(target)
    inputs = corpus(target)
    for number in range(MUTATIONS.get(target, 6000)):
        data = mutate(chance, chance.choice(inputs))
        try:
            targets.TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"mutation {number}: {data.hex()}") from error
