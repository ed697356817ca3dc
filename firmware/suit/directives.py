# The directives of suit-manifest 8.4.10 that act on a component: one function each, found by
# number.
# MIT licence.
"""`COMMANDS[number](machine, index)` acts on one component: it returns None, or a generator that
is to be run, and raises SuitError when it fails: R_OPERATION_FAILED, R_NO_PAYLOAD, R_TOO_LARGE,
R_NETWORK, R_SERVER, R_CONTENT_CHANGED, R_DECRYPTION ... What steers (set-component-index,
override-parameters, try-each, run-sequence) is in `processor.py`.

image-size counts the bytes stored in the component: after decryption, when there is any."""

from . import numbers as n
from .errors import SuitError
from .optional import optional
from .region import MemoryRegion


def _fail(what):
    raise SuitError(n.R_OPERATION_FAILED, what)


def _parameter(machine, index, number, what):
    value = machine.param(index, number)
    if value is None:
        _fail(what + " is not set")
    return value


def _sink(machine, index, component):
    """Where bytes for a component go: through a decryptor when encryption-info is set
    (firmware-encryption)."""
    info = machine.param(index, n.P_ENCRYPTION_INFO)
    if info is None:
        return component
    decrypt = optional("decrypt")
    if decrypt is None:
        raise SuitError(n.R_PARAMETER_UNSUPPORTED, n.P_ENCRYPTION_INFO)
    return decrypt.Decryptor(info, machine.board.decryption_keys, component)


def _begin(machine, index):
    """Before the first byte of a component is written."""
    metadata = machine.param(index, n.P_COMPONENT_METADATA)
    if metadata is not None:
        # whoever read the parameter has the module
        optional("management").check_metadata(metadata)
    machine.writes(index)


def store(machine, index, stream):
    """Generator: put a stream into a component; the size is checked before the first byte."""
    from .transfer import transfer

    component = machine.component(index)
    _begin(machine, index)
    size, digest = machine.context.image(machine, index)
    sink = _sink(machine, index, component)
    yield from transfer(stream, component, machine.buffer, size, digest, sink)


def _stream(region):
    from .transports.local import RegionStream

    return RegionStream(region)


def _unchanged(machine, index):
    """Generator: True when the board found the image of that digest at home, so that nothing is
    fetched."""
    local_copy = getattr(machine.board, "local_copy", None)
    size, digest = machine.context.image(machine, index)
    if local_copy is None or digest is None:
        return False
    _begin(machine, index)
    component = machine.component(index)
    return (yield from local_copy(component, digest[1], size, digest[0], machine.buffer))


def _fetch(machine, index):
    """8.4.10.4; a URI that is a text key of the envelope is served from there (7.5)."""
    uri = str(_parameter(machine, index, n.P_URI, "uri"), "utf-8")
    inside = machine.context.envelope.integrated(uri)
    if inside is not None:
        stream = _stream(inside)
    elif (yield from _unchanged(machine, index)):
        return
    else:
        stream = machine.board.open(uri, machine.param(index, n.P_FETCH_ARGUMENTS))
    yield from store(machine, index, stream)


def _write(machine, index):
    """8.4.10.6."""
    content = _parameter(machine, index, n.P_CONTENT, "content")
    yield from store(machine, index, _stream(MemoryRegion(content)))


def _source(machine, index):
    """The component named by source-component, which must hold something (8.4.10.5)."""
    number = _parameter(machine, index, n.P_SOURCE_COMPONENT, "source component")
    source = machine.component(number)
    if source.size() is None:
        _fail("source component is empty")
    return number, source


def _copy(machine, index):
    """8.4.10.5."""
    number, source = _source(machine, index)
    machine.reads(number)
    if source is machine.component(index) and machine.param(index, n.P_ENCRYPTION_INFO) is None:
        machine.writes(index)
        return
    if source is machine.component(index):
        _fail("source and destination are the same")
    from .transfer import ComponentRegion

    yield from store(machine, index, _stream(ComponentRegion(source)))


def _swap(machine, index):
    """8.4.10.9: how is the board's business."""
    number, source = _source(machine, index)
    component = machine.component(index)
    machine.reads(number)
    machine.reads(index)
    machine.writes(number)
    machine.writes(index)
    work = component.swap(source)
    if work is not None:
        yield from work


def _invoke(machine, index):
    """8.4.10.7: noted here, done by the launcher when the sequence has ended well."""
    args = machine.param(index, n.P_INVOKE_ARGS)
    args = b"" if args is None else bytes(args)
    machine.board.invoke(machine.component(index), args)
    machine.invoked.append((index, args))
    machine.invoked_identifiers.append(machine.context.identifier(index))


COMMANDS = {
    n.C_WRITE: _write,
    n.C_FETCH: _fetch,
    n.C_COPY: _copy,
    n.C_INVOKE: _invoke,
    n.C_SWAP: _swap,
}
