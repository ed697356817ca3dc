"""A whole native engine (`*_viper.py`, `*_thumb.py`) as a module on CPython, in a model of the machine.

`viper(path, bits)` gives viper's arithmetic with words of 32 or 64 bits: int and uint wrap, `>>` is
arithmetic or logical by the type of its left operand, loads extend with zeros, stores cut. `thumb(path)`
runs the assembler in `thumb_model`, its viper parts as above with 32 bits. Both refuse an access outside
the buffers that were passed, and one that is not aligned."""

import ast
import builtins
import types

import thumb_model


class Stray(Exception):
    """An access that is misaligned or outside every buffer."""


class _Machine:
    """The width of a word, and the memory of one call."""

    def __init__(self, bits):
        self.bits = bits
        self.buffers = []

    def address(self, buffer):
        at = 0x1000 + 0x100000 * len(self.buffers)
        view = memoryview(buffer).cast("B")
        self.buffers.append((at, view))
        return at

    def find(self, address, size):
        for at, view in self.buffers:
            if at <= address and address + size <= at + len(view):
                if address % size:
                    raise Stray("misaligned")
                return view, address - at
        raise Stray("outside every buffer, at %#x" % address)


def _value(x):
    return x.value if isinstance(x, _Word) else x


class _Word:
    """An int or uint of viper."""

    __slots__ = ("value", "unsigned", "machine")

    def __init__(self, machine, value, unsigned=False):
        bits = machine.bits
        value &= (1 << bits) - 1
        if not unsigned and value >> (bits - 1):
            value -= 1 << bits
        self.value = value
        self.unsigned = unsigned
        self.machine = machine

    def _made(self, value):
        return _Word(self.machine, value, self.unsigned)

    def __add__(self, other):
        return self._made(self.value + _value(other))

    def __sub__(self, other):
        return self._made(self.value - _value(other))

    def __mul__(self, other):
        return self._made(self.value * _value(other))

    def __and__(self, other):
        return self._made(self.value & _value(other))

    def __or__(self, other):
        return self._made(self.value | _value(other))

    def __xor__(self, other):
        return self._made(self.value ^ _value(other))

    def __lshift__(self, other):
        return self._made(self.value << _value(other))

    def __rshift__(self, other):
        return self._made(self.value >> _value(other))

    def __radd__(self, other):
        return _Word(self.machine, other + self.value)

    def __rsub__(self, other):
        return _Word(self.machine, other - self.value)

    def __rmul__(self, other):
        return _Word(self.machine, other * self.value)

    def __rand__(self, other):
        return _Word(self.machine, other & self.value)

    def __ror__(self, other):
        return _Word(self.machine, other | self.value)

    def __rxor__(self, other):
        return _Word(self.machine, other ^ self.value)

    def __rlshift__(self, other):
        return _Word(self.machine, other << self.value)

    def __bool__(self):
        return self.value != 0

    def __index__(self):
        return self.value

    def __eq__(self, other):
        return self.value == self._compared(other)

    def __lt__(self, other):
        return self.value < self._compared(other)

    def __le__(self, other):
        return self.value <= self._compared(other)

    def __gt__(self, other):
        return self.value > self._compared(other)

    def __ge__(self, other):
        return self.value >= self._compared(other)

    def _compared(self, other):
        # viper refuses to compare an int with a uint
        assert not isinstance(other, _Word) or other.unsigned == self.unsigned
        return _value(other)

    __hash__ = None


class _Pointer:
    def __init__(self, machine, address, size):
        self.machine = machine
        self.at = address
        self.size = size

    def __getitem__(self, index):
        view, at = self.machine.find(self.at + _value(index) * self.size, self.size)
        return _Word(self.machine, int.from_bytes(view[at : at + self.size], "little"))

    def __setitem__(self, index, value):
        view, at = self.machine.find(self.at + _value(index) * self.size, self.size)
        value = _value(value) & (1 << 8 * self.size) - 1
        view[at : at + self.size] = value.to_bytes(self.size, "little")


_SIZES = {"ptr8": 1, "ptr16": 2, "ptr32": 4}


def _check(tree):
    """Constants from 2^30 up are objects on 32-bit boards: mpy-cross refuses them there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            assert abs(node.value) < 2**30, node.value


def _viper(function, source, bits, space):
    """The function as one that takes buffers and ints, running in a machine of its own."""
    kinds = [argument.annotation.id for argument in source.args.args]
    _check(source)

    def call(*arguments):
        machine = _Machine(bits)

        def pointer(size):
            def made(at):
                if isinstance(at, bytes):  # a constant of the module
                    at = machine.address(at)
                return _Pointer(machine, at.at if isinstance(at, _Pointer) else _value(at), size)

            return made

        def integer(x):
            return _Word(machine, x.at if isinstance(x, _Pointer) else _value(x))

        names = {kind: pointer(size) for kind, size in _SIZES.items()}
        names.update(int=integer, uint=lambda x: _Word(machine, _value(x), True))
        given = []
        for kind, value in zip(kinds, arguments, strict=True):
            if kind in _SIZES:
                at = value if isinstance(value, int) else machine.address(value)
                given.append(_Pointer(machine, at, _SIZES[kind]))
            else:
                given.append(_Word(machine, value, kind == "uint"))
        inner = types.FunctionType(function.__code__, {**space, **names}, function.__name__)
        return _value(inner(*given))

    return call


def _module(path, bits):
    """The module's namespace, native functions replaced; asm_thumb ones through `thumb_model`."""
    tree = ast.parse(path.read_text())
    native = {}
    kept = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            native[node.name] = (node, node.decorator_list[0].attr)
        elif not (isinstance(node, (ast.Import, ast.ImportFrom)) and _names_micropython(node)):
            kept.append(node)
    space = {"__name__": path.stem, "__builtins__": builtins, "const": lambda n: n}
    exec(compile(ast.Module(kept, []), str(path), "exec"), space)
    module = types.SimpleNamespace()
    for name, (node, kind) in native.items():
        if kind == "asm_thumb":
            space[name] = _assembled(path, name, module)
            continue
        bare = ast.FunctionDef(
            node.name,
            ast.arguments([], [ast.arg(a.arg) for a in node.args.args], None, [], [], None, []),
            node.body, [],
        )
        inner = {}
        code = ast.fix_missing_locations(ast.Module([bare], []))
        exec(compile(code, str(path), "exec"), inner)
        space[name] = _viper(inner[node.name], node, bits, space)
    module.__dict__.update({name: space[name] for name in space if not name.startswith("__")})
    return module


def _names_micropython(node):
    names = [alias.name for alias in node.names] + [getattr(node, "module", None)]
    return "micropython" in names


def _assembled(path, name, module):
    program = thumb_model.load(path, name)

    def call(*arguments):
        machine = thumb_model.Machine(program)
        given = []
        for value in arguments:
            if not isinstance(value, int):
                at = machine.place(value)
                value = at
            given.append(value)
        result = machine.run(*given)
        module.cycles = machine.cycles
        return result

    return call


def viper(path, bits):
    return _module(path, bits)


def thumb(path):
    return _module(path, 32)
