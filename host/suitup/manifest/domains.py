"""Manifests that belong together (suit-trust-domains), on the workstation: one `Domain` for each, and the commands about
dependencies. Where the text leaves room, the way that firmware/suit/dependencies.py names is taken; written apart from it."""

from suitup import cbor
from suitup import numbers as n
from suitup.manifest import labels
from suitup.manifest.parameters import ConditionFailed, aborted
from suitup.manifest.verify import Opened, Refused, _identifier, is_uint, outer_map

_PREFIX = 1


def _dependencies(item) -> dict:
    """{index: prefix or None} of SUIT_Dependencies, or of nothing."""
    if item is None:
        return {}
    if not isinstance(item, dict) or not 1 <= len(item) <= n.MAX_COMPONENTS:
        raise aborted("not a map of dependencies")
    for index, metadata in item.items():
        if not is_uint(index) or not isinstance(metadata, dict) or set(metadata) - {_PREFIX}:
            raise aborted("not a dependency")
    return {
        index: _identifier(metadata[_PREFIX], "a prefix") if metadata else None
        for index, metadata in item.items()
    }


class Domain:
    """A manifest as it is executed. `path`: the component indices that lead to it from the root; `prefix`: put before each
    identifier; `children`: {index: Domain} of dependencies whose integrity was checked in this procedure."""

    def __init__(self, opened, path=(), prefix=()):
        self.opened = opened
        self.path = path
        self.prefix = prefix
        self.dependencies = _dependencies(opened.dependencies)
        self.identifiers = [prefix + each for each in opened.components]
        self.children = {}
        self.processed = set()  # (index, section)
        self.beyond = {}  # dependencies that the list of components does not have
        for index, own in self.dependencies.items():
            if index >= len(self.identifiers):
                if own is None:
                    raise aborted(f"dependency {index} has no identifier")
                self.beyond[index] = prefix + own
        if len(self.identifiers) + len(self.beyond) > n.MAX_COMPONENTS:
            raise Refused("parse-fail", "too many components and dependencies")

    def everything(self):
        return [*range(len(self.identifiers)), *sorted(self.beyond)]

    def identifier(self, index):
        if index in self.beyond:
            return self.beyond[index]
        if index >= len(self.identifiers):
            raise aborted(f"component {index} is not listed")
        return self.identifiers[index]

    def tree(self):
        yield self
        for child in self.children.values():
            yield from child.tree()

    def adopt(self, index, opened):
        """The domain of an authentic dependency. One that is listed as a component puts its prefix before its own names."""
        prefix = self.prefix
        if index not in self.beyond:
            prefix += self.dependencies[index] or ()
        self.children[index] = Domain(opened, self.path + (index,), prefix)

    def section_done(self, section):
        """At the end of a section: every dependency that is known must have run its own."""
        if section not in (n.S_SHARED, n.M_INVOKE):
            for index, child in self.children.items():
                if child.opened.here(section) and (index, section) not in self.processed:
                    raise aborted(f"dependency {index} was not processed")
        self.processed = set()


def manifest_matches(digest, content) -> bool:
    """image-match of a dependency: the digest is that of the manifest in the envelope, whoever signed it."""
    try:
        manifest = outer_map(content)[n.ENV_MANIFEST]
    except Refused:
        return False
    return digest.matches(cbor.encode(manifest))


def is_dependency(machine, index, frame):
    if index not in machine.domain.dependencies:
        raise ConditionFailed("no dependency")


def integrity(machine, index, frame):
    is_dependency(machine, index, frame)
    domain = machine.domain
    digest = machine.required(index, n.P_IMAGE_DIGEST, ConditionFailed)
    child = domain.children.get(index)
    if child is not None:
        opened = child.opened
    else:
        if len(domain.path) >= n.MAX_DEPENDENCY_DEPTH:
            raise Refused("parse-fail", "dependencies are nested too deep")
        content = machine.touch(index)
        if content is None:
            raise ConditionFailed("the dependency is not there")
        opened = _open(content, machine.device)
    if opened.digest != digest:
        domain.children.pop(index, None)
        raise ConditionFailed("another manifest")
    if child is None:
        domain.adopt(index, opened)


def _open(content, device):
    try:
        return Opened(content, device)
    except Refused as refused:
        # the root is authentic: what is wrong with a dependency ends its procedure
        word = refused.word if refused.word in ("parse-fail", "severed-digest-fail") else "abort"
        raise Refused(word, f"dependency: {refused.why}") from None


def run(machine, index, section):
    """Run the shared sequence and one section of a dependency."""
    child = machine.domain.children.get(index)
    if child is None:
        raise aborted("no dependency-integrity before")
    if not child.opened.has(section):
        return
    if section in child.opened.severed and section not in child.opened.members:
        raise aborted(f"{labels.MANIFEST[section]} is severed and not here")
    if child.opened.shared is not None:
        machine.section_of(child, n.S_SHARED, child.opened.shared)
    machine.section_of(child, section, child.opened.section(section))


def process(machine, index, frame):
    if index not in machine.domain.dependencies:
        if frame.everything:
            return
        raise aborted("no dependency")
    domain, section = machine.domain, machine.section
    run(machine, index, section)
    domain.processed.add((index, section))


def unlink(machine, index, frame):
    """Give up one reference, once; the last one takes the component with it."""
    if index in machine.domain.dependencies:
        run(machine, index, n.M_UNINSTALL)
    identifier, path = machine.identifier(index), machine.domain.path
    if (path, identifier) in machine.unlinked:
        return
    machine.unlinked.add((path, identifier))
    for domain in machine.root.tree():
        named = [domain.identifier(each) for each in domain.everything()]
        if identifier in named and (domain.path, identifier) not in machine.unlinked:
            return
    machine.touch(index)
    machine.written(index, frame)
    machine.contents.pop(identifier, None)
