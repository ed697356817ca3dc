"""Runs viper functions on CPython as a 32-bit board would, and refuses whatever would differ between
a 32-bit and a 64-bit one: an intermediate result outside -2^31 .. 2^31 - 1, a constant that is no
small integer (2^30 and up), a stored value that does not fit, an access outside its buffer."""

import ast
from array import array


class Overflow(Exception):
    pass


class Memory:
    """A flat address space of the buffers given to it, with gaps that may not be touched."""

    def __init__(self):
        self.bytes = bytearray(64)
        self.valid = bytearray(64)  # 1 where a buffer is
        self.buffers = []

    def address(self, buffer):
        for at, known in self.buffers:
            if known is buffer:
                return at
        at = len(self.bytes)
        size = len(bytes(buffer))
        padded = (size + 3 & ~3) + 64
        self.bytes += bytes(buffer) + bytes(padded - size)
        self.valid += b"\1" * size + bytes(padded - size)
        self.buffers.append((at, buffer))
        return at

    def put_back(self):
        """Write the changed contents into the buffers."""
        for at, buffer in self.buffers:
            if not isinstance(buffer, bytes):
                view = memoryview(buffer).cast("B")
                view[:] = self.bytes[at : at + len(view)]


def _pointer(size):
    class Pointer:
        def __init__(self, memory, address):
            if address % size:
                raise Overflow("address %d of ptr%d" % (address, 8 * size))
            self.memory = memory
            self.at = address

        def _range(self, index):
            start = self.at + index * size
            if start < 0 or self.memory.valid[start : start + size] != b"\1" * size:
                raise Overflow("outside a buffer")
            return slice(start, start + size)

        def __getitem__(self, index):
            raw = self.memory.bytes[self._range(index)]
            value = int.from_bytes(raw, "little")
            if value >= 2**31:  # 32-bit boards see a sign here, 64-bit boards do not
                raise Overflow("loaded %#x" % value)
            return value

        def __setitem__(self, index, value):
            if not 0 <= value < 1 << 8 * size:
                raise Overflow("stored %#x" % value)
            self.memory.bytes[self._range(index)] = value.to_bytes(size, "little")

        def __int__(self):
            return self.at

    return Pointer


_POINTERS = {"ptr8": _pointer(1), "ptr16": _pointer(2), "ptr32": _pointer(4)}


def _word(value):
    if isinstance(value, int) and not -(2**31) <= value < 2**31:
        raise Overflow("%#x" % value)
    return value


class _Checked(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        return ast.Call(ast.Name("_word", ast.Load()), [node], [])

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        load = ast.parse(ast.unparse(node.target), mode="eval").body
        value = ast.Call(
            ast.Name("_word", ast.Load()), [ast.BinOp(load, node.op, node.value)], []
        )
        return ast.Assign([node.target], value)

    def visit_Constant(self, node):
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            if abs(node.value) >= 2**30:
                raise Overflow("constant %#x" % node.value)
        return node


def load(path, name):
    """The viper function `name` of a file, as function(memory, *arguments)."""
    tree = ast.parse(path.read_text())
    node = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    types = [(a.arg, a.annotation.id) for a in node.args.args]
    node.decorator_list = []
    node.returns = None
    for argument in node.args.args:
        argument.annotation = None
    node = _Checked().visit(node)
    space = {"_word": _word}
    exec(compile(ast.fix_missing_locations(ast.Module([node], [])), str(path), "exec"), space)

    def call(memory, *arguments):
        for kind, pointer in _POINTERS.items():
            space[kind] = lambda at, pointer=pointer: pointer(memory, int(at))
        given = []
        for (_, kind), value in zip(types, arguments, strict=True):
            if kind in _POINTERS and isinstance(value, (int, bytes, bytearray, array)):
                at = value if isinstance(value, int) else memory.address(value)
                value = _POINTERS[kind](memory, at)
            given.append(value)
        return space[name](*given)

    return call
