"""A virtual board of its own for a test that asks for one; whatever happens it is off afterwards."""

import pytest
from bench import Bench
from suitup.boards.virtual import VirtualBoard


@pytest.fixture
def make_board(tmp_path):
    made = []

    def make(name="board", geometry="rp2040", **settings):
        board = VirtualBoard(tmp_path / name).create(geometry, **settings)
        made.append(board)
        return board

    yield make
    for board in made:
        board.stop()


@pytest.fixture
def board(make_board):
    return make_board()


@pytest.fixture
def make(make_board, tmp_path):
    """`make(apps)`: a Bench whose board is on."""

    def make(apps, **options):
        bench = Bench(make_board(), tmp_path / "project", apps, **options)
        bench.board.start()
        return bench

    return make
