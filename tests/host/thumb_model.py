"""Runs the @asm_thumb functions of the engines on CPython: the ARMv6-M instructions they use, with
flags, an address space and the cycles a Cortex-M0+ takes. An instruction it does not know, a
misaligned or stray access and a branch out of reach are errors."""

import ast

_M = 0xFFFFFFFF
_REGISTERS = {"r%d" % i: i for i in range(16)}
_REGISTERS["sp"] = 13
_STACK = 0x10000000
_SIZES = {"ldr": 4, "str": 4, "ldrh": 2, "strh": 2, "ldrb": 1, "strb": 1}
_CONDITIONS = {"beq": "z", "bne": "!z", "bcs": "c", "bcc": "!c"}


def load(path, name):
    """Instructions of the function `name`: list of (mnemonic, operands), and labels."""
    tree = ast.parse(path.read_text())
    node = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    program, labels = [], {}
    for statement in node.body:
        call = statement.value
        operands = []
        for argument in call.args:
            if isinstance(argument, ast.List):
                operands.append([_REGISTERS.get(e.id) if isinstance(e, ast.Name) else e.value
                                 for e in argument.elts])
            elif isinstance(argument, ast.Set):
                operands.append({_REGISTERS[e.id] for e in argument.elts})
            elif isinstance(argument, ast.Name):
                operands.append(_REGISTERS.get(argument.id, argument.id))
            else:
                operands.append(argument.value)
        if call.func.id == "label":
            labels[operands[0]] = len(program)
        else:
            is_register = [isinstance(a, ast.Name) and a.id in _REGISTERS for a in call.args]
            program.append((call.func.id, operands, is_register))
    for at, (mnemonic, operands, _) in enumerate(program):
        reach = {"b": 1023}.get(mnemonic, 127 if mnemonic in _CONDITIONS else None)
        if reach is not None:
            assert abs(labels[operands[0]] - at - 2) <= reach, (mnemonic, operands)
    return program, labels


class Machine:
    def __init__(self, program):
        self.program, self.labels = program
        self.memory = {}  # base address -> bytearray
        self.cycles = 0

    def place(self, buffer):
        at = 0x20000000 + 0x10000 * len(self.memory)
        self.memory[at] = buffer
        return at

    def _find(self, address, size):
        assert address % size == 0, "misaligned %#x" % address
        base = address & ~0xFFFF
        buffer = self.memory[base]
        assert 0 <= address - base <= len(buffer) - size, "outside %#x" % address
        return buffer, address - base

    def _read(self, address, size):
        buffer, at = self._find(address, size)
        return int.from_bytes(buffer[at : at + size], "little")

    def _write(self, address, value, size=4):
        buffer, at = self._find(address, size)
        buffer[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def run(self, *arguments):
        r = [0] * 16
        r[: len(arguments)] = arguments
        for i in range(4, 12):  # to be given back as they were
            r[i] = 0xC0DE0000 + i
        self.memory[_STACK] = bytearray(256)
        r[13] = _STACK + 256
        z = c = 0
        pc = 0
        program, labels = self.program, self.labels
        cycles = 0
        while pc < len(program):
            mnemonic, o, is_register = program[pc]
            pc += 1
            cycles += 1
            if mnemonic in _SIZES:
                base, offset = o[1]
                size = _SIZES[mnemonic]
                assert offset % size == 0 and 0 <= offset // size < 32
                address = (r[base] + offset) & _M
                cycles += 1
                if mnemonic.startswith("str"):
                    self._write(address, r[o[0]], size)
                else:
                    r[o[0]] = self._read(address, size)
            elif mnemonic == "mov":
                if not is_register[1]:
                    r[o[0]] = o[1]
                    z = o[1] == 0
                    assert 0 <= o[1] < 256 and o[0] < 8
                else:
                    value = 2 * (pc + 1) if o[1] == 15 else r[o[1]]
                    if o[0] == 15:
                        assert value % 2 == 0
                        pc = value // 2
                        cycles += 1
                    else:
                        r[o[0]] = value
            elif mnemonic in ("add", "sub", "adc", "sbc"):
                if len(o) == 3:
                    a, b = r[o[1]], r[o[2]] if is_register[2] else o[2]
                else:
                    a, b = r[o[0]], r[o[1]] if is_register[1] else o[1]
                carry = {"add": 0, "sub": 1, "adc": c, "sbc": c}[mnemonic]
                if mnemonic in ("sub", "sbc"):
                    b ^= _M
                total = a + b + carry
                r[o[0]] = total & _M
                c = total >> 32
                z = r[o[0]] == 0
            elif mnemonic == "mul":
                r[o[0]] = r[o[0]] * r[o[1]] & _M
                z = r[o[0]] == 0
            elif mnemonic in ("lsl", "lsr"):
                value, shift = r[o[1]], o[2]
                assert 0 < shift < 32
                if mnemonic == "lsl":
                    c = value >> 32 - shift & 1
                    r[o[0]] = value << shift & _M
                else:
                    c = value >> shift - 1 & 1
                    r[o[0]] = value >> shift
                z = r[o[0]] == 0
            elif mnemonic in ("eor", "orr", "and_", "bic"):
                a, b = r[o[0]], r[o[1]]
                r[o[0]] = {"eor": a ^ b, "orr": a | b, "and_": a & b, "bic": a & ~b}[mnemonic]
                z = r[o[0]] == 0
            elif mnemonic == "ror":
                value, shift = r[o[0]], r[o[1]] & 31
                r[o[0]] = (value >> shift | value << (32 - shift)) & _M
                c = r[o[0]] >> 31  # a rotation by 0 would keep it; nobody asks
                z = r[o[0]] == 0
            elif mnemonic == "mvn":
                r[o[0]] = r[o[1]] ^ _M
                z = r[o[0]] == 0
            elif mnemonic == "cmp":
                a, b = r[o[0]], r[o[1]] if is_register[1] else o[1]
                c, z = int(a >= b), a == b
            elif mnemonic == "b":
                pc = labels[o[0]]
                cycles += 1
            elif mnemonic in _CONDITIONS:
                if {"z": z, "!z": not z, "c": c, "!c": not c}[_CONDITIONS[mnemonic]]:
                    pc = labels[o[0]]
                    cycles += 1
            elif mnemonic == "push":
                for i in sorted(o[0], reverse=True):
                    r[13] -= 4
                    self._write(r[13], r[i])
                cycles += len(o[0])
            elif mnemonic == "pop":
                for i in sorted(o[0]):
                    r[i] = self._read(r[13], 4)
                    r[13] += 4
                cycles += len(o[0])
            else:
                raise NotImplementedError(mnemonic)
        assert r[13] == _STACK + 256
        assert r[8:12] == [0xC0DE0000 + i for i in range(8, 12)], "r8 to r11 are not given back"
        self.cycles = cycles
        return r[0]
