"""The conditions and directives of the abstract machine that act on one component: `CONDITIONS[number](machine, index,
frame)` and `DIRECTIVES[number](...)` return nothing, or refuse."""

from suitup import cose
from suitup import numbers as n
from suitup.manifest import domains, events, labels
from suitup.manifest.parameters import ConditionFailed, operation


def _same_vendor(machine, index, frame):
    _same(machine, index, n.P_VENDOR_ID, (machine.device.vendor_id,))


def _same_class(machine, index, frame):
    _same(machine, index, n.P_CLASS_ID, machine.device.class_ids)


def _same_device(machine, index, frame):
    _same(machine, index, n.P_DEVICE_ID, (machine.device.device_id,))


def _same(machine, index, number, known):
    if machine.required(index, number, ConditionFailed) not in [
        each for each in known if each is not None
    ]:
        raise ConditionFailed(f"another {labels.PARAMETERS[number]}")


def _matches(machine, index):
    digest = machine.required(index, n.P_IMAGE_DIGEST, ConditionFailed)
    content = machine.touch(index)
    if content is None:
        return False
    if index in machine.domain.dependencies:
        return domains.manifest_matches(digest, content)
    size = machine.value(index, n.P_IMAGE_SIZE)
    return (size is None or size == len(content)) and digest.matches(content)


def _image_match(machine, index, frame):
    if not _matches(machine, index):
        raise ConditionFailed("the image does not match")


def _image_not_match(machine, index, frame):
    if _matches(machine, index):
        raise ConditionFailed("the image matches")


def _component_slot(machine, index, frame):
    wanted = machine.required(index, n.P_COMPONENT_SLOT, ConditionFailed)
    machine.touch(index)
    if wanted != machine.device.slot:
        raise ConditionFailed("another slot")


def _check_content(machine, index, frame):
    wanted = machine.required(index, n.P_CONTENT, ConditionFailed)
    if machine.touch(index) != wanted:
        raise ConditionFailed("other content")


def _abort(machine, index, frame):
    raise ConditionFailed("abort")


def _use_before(machine, index, frame):
    limit = machine.required(index, n.P_USE_BEFORE, ConditionFailed)
    if machine.device.now is None or not machine.device.now < limit:
        raise ConditionFailed("too late, or no clock")


def _minimum_battery(machine, index, frame):
    least = machine.required(index, n.P_MINIMUM_BATTERY, ConditionFailed)
    if machine.device.battery_mwh is None or machine.device.battery_mwh < least:
        raise ConditionFailed("battery")


def _update_authorized(machine, index, frame):
    machine.required(index, n.P_UPDATE_PRIORITY, ConditionFailed)
    if not machine.device.authorized:
        raise ConditionFailed("nobody agreed")


def _version(machine, index, frame):
    kind, wanted = machine.required(index, n.P_VERSION, ConditionFailed)
    machine.touch(index)
    installed = machine.device.versions.get(machine.identifier(index))
    if installed is None:
        raise ConditionFailed("no known version")
    order = 0
    for position, number in enumerate(wanted):
        # an integer that is not there counts as nothing: [1] is below [1, 0] but above [1, -1]
        have = installed[position] if position < len(installed) else 0
        if have != number:
            order = 1 if have > number else -1
            break
    if not {1: order > 0, 2: order >= 0, 3: order == 0, 4: order <= 0, 5: order < 0}[kind]:
        raise ConditionFailed("another version")


# -- directives


def _store(machine, index, frame, content):
    machine.touch(index)
    metadata = machine.value(index, n.P_COMPONENT_METADATA)
    if metadata is not None:
        events.check_metadata(metadata)
    machine.written(index, frame)
    info, size = machine.value(index, n.P_ENCRYPTION_INFO), machine.value(index, n.P_IMAGE_SIZE)
    if info is not None:
        try:
            content = cose.decrypt(info, content, machine.device.decryption_keys)
        except cose.CoseError as error:
            raise operation(f"decryption: {error}") from None
    elif size not in (None, len(content)) and index not in machine.domain.dependencies:
        raise operation(f"{len(content)} bytes, image-size says {size}")
    machine.contents[machine.identifier(index)] = content


def _fetch(machine, index, frame):
    uri = machine.required(index, n.P_URI, operation)
    content = machine.domain.opened.payloads.get(uri, machine.device.payloads.get(uri))
    if content is None:
        raise operation(f"no payload at {uri!r}")
    _store(machine, index, frame, content)


def _write(machine, index, frame):
    _store(machine, index, frame, machine.required(index, n.P_CONTENT, operation))


def _source(machine, index):
    number = machine.required(index, n.P_SOURCE_COMPONENT, operation)
    content = machine.touch(number)
    if content is None:
        raise operation("the source component is empty")
    return number, content


def _copy(machine, index, frame):
    number, content = _source(machine, index)
    machine.hazard(number, frame.read, frame.written)
    machine.touch(index)
    if machine.identifier(number) == machine.identifier(index):
        if machine.value(index, n.P_ENCRYPTION_INFO) is not None:
            raise operation("source and destination are the same")
        machine.written(index, frame)
        return
    _store(machine, index, frame, content)


def _swap(machine, index, frame):
    number, content = _source(machine, index)
    mine = machine.touch(index)
    for each in (number, index):
        machine.hazard(each, frame.read, frame.written)
    for each in (number, index):
        machine.written(each, frame)
    here, there = machine.identifier(index), machine.identifier(number)
    machine.contents[here] = content
    if mine is not None:
        machine.contents[there] = mine
    elif here != there:
        del machine.contents[there]


def _invoke(machine, index, frame):
    machine.touch(index)
    machine.invoked.append(
        (machine.identifier(index), machine.value(index, n.P_INVOKE_ARGS) or b"")
    )


def _wait(machine, index, frame):
    events.wait(machine.required(index, n.P_WAIT_INFO, operation), machine.device)


CONDITIONS = {
    n.C_VENDOR_ID: _same_vendor,
    n.C_CLASS_ID: _same_class,
    n.C_DEVICE_ID: _same_device,
    n.C_IMAGE_MATCH: _image_match,
    n.C_IMAGE_NOT_MATCH: _image_not_match,
    n.C_COMPONENT_SLOT: _component_slot,
    n.C_CHECK_CONTENT: _check_content,
    n.C_ABORT: _abort,
    n.C_IS_DEPENDENCY: domains.is_dependency,
    n.C_DEPENDENCY_INTEGRITY: domains.integrity,
    n.C_USE_BEFORE: _use_before,
    n.C_MINIMUM_BATTERY: _minimum_battery,
    n.C_UPDATE_AUTHORIZED: _update_authorized,
    n.C_VERSION: _version,
}
DIRECTIVES = {
    n.C_FETCH: _fetch,
    n.C_WRITE: _write,
    n.C_COPY: _copy,
    n.C_SWAP: _swap,
    n.C_INVOKE: _invoke,
    n.C_WAIT: _wait,
    n.C_PROCESS_DEPENDENCY: domains.process,
    n.C_UNLINK: domains.unlink,
}
