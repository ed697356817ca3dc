"""Who a device is: UUIDs of vendor, class and compiled-app class (suit-manifest-37 section 8.4.8.2).

A device answers to its class and, because compiled code runs only where its `.mpy` version (and, with native
code, its architecture) is understood, to a class per `.mpy` kind it can load. `sign` names the second kind."""

import uuid

# names by the number in sys.implementation._mpy bits 10.. (py/persistentcode.h, MP_NATIVE_ARCH_*)
ARCHITECTURES = (
    None,
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "rv64imc",
)


def vendor_id(domain: str) -> bytes:
    """16 bytes: UUID5 of the vendor's domain name in the DNS namespace."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, domain).bytes


def class_id(vendor: bytes, name: str) -> bytes:
    """16 bytes: UUID5 of the class name in the vendor's namespace."""
    return uuid.uuid5(uuid.UUID(bytes=vendor), name).bytes


def mpy_kind(version: int, sub_version: int = 0, arch: str | None = None) -> str:
    """How compiled code is named in a class: `6` for portable bytecode, `6.3-armv6m` with native code.

    The sub-version counts only for native code: the loader (py/persistentcode.c) checks it only there."""
    return f"{version}.{sub_version}-{arch}" if arch else str(version)


def device_kinds(mpy: int) -> list[str]:
    """The kinds of `.mpy` an interpreter loads, from its `sys.implementation._mpy`."""
    arch = mpy >> 10 & 0x0F
    kinds = [mpy_kind(mpy & 0xFF)]
    if arch:
        kinds.append(mpy_kind(mpy & 0xFF, mpy >> 8 & 3, ARCHITECTURES[arch]))
    return kinds


def device_classes(vendor: bytes, name: str, mpy: int) -> list[bytes]:
    """Every class id a device of class `name` answers to; `mpy` is its `sys.implementation._mpy`."""
    return [class_id(vendor, name)] + [
        class_id(vendor, f"{name}/{kind}") for kind in device_kinds(mpy)
    ]
