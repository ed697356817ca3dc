"""What a device would refuse, or what is risky, in an envelope that may well be authentic.

`lint(data) -> [Finding]`: the envelope and the members of its manifest here, the command sequences in `lint_walk.py`.
`where` names sections and positions in them."""

from dataclasses import replace

from suitup import coswid, mud
from suitup import numbers as n
from suitup.manifest import labels
from suitup.manifest.describe import component_name
from suitup.manifest.findings import ERROR, WARNING, Finding, Report
from suitup.manifest.lint_walk import Walker
from suitup.manifest.model import Envelope, Manifest, StructureError, Text

__all__ = ["ERROR", "WARNING", "Finding", "lint"]

_DIGEST_OVERHEAD = 4  # bytes of a SUIT_Digest beside the digest (8.6)


class _Members:
    """The envelope and the members of its manifest."""

    def __init__(self, envelope: Envelope, manifest: Manifest, report: Report):
        self.envelope = envelope
        self.manifest = manifest
        self.add = report.add

    def name(self, index):
        return f"component {index} {component_name(self.manifest.components[index])}"

    def run(self):
        self._envelope()
        self._members()
        self._text()
        self._coswid()
        self._mud()

    def _envelope(self):
        envelope = self.envelope
        if not envelope.digest_matches():
            self.add(
                ERROR,
                "envelope",
                "the digest is not that of the manifest",
                "it was changed after the digest was taken",
                "sign it again",
            )
        if not envelope.blocks:
            self.add(
                ERROR,
                "envelope",
                "nobody signed it",
                "devices take only what a key they trust signed",
                "suitup sign",
            )
        if not envelope.tagged:
            self.add(
                WARNING,
                "envelope",
                "tag 107 is missing",
                "a file cannot be recognised by its first bytes",
            )
        severed = self.manifest.severed()
        for number, data in envelope.members.items():
            where = labels.name(labels.ENVELOPE, number)
            if number not in severed:
                self.add(
                    WARNING,
                    where,
                    "this member is in the envelope but the manifest has no digest of it",
                    "it is not signed, and devices pass over it",
                )
            elif envelope.member(number) is None:
                self.add(
                    ERROR,
                    where,
                    "the severed member does not match its digest",
                    "it was changed after signing",
                )
            elif len(data) < len(severed[number].value) + _DIGEST_OVERHEAD:
                self.add(
                    WARNING,
                    where,
                    "the member is smaller than the digest that stands for it",
                    "severing it makes the manifest larger (8.6)",
                    "keep it in the manifest",
                )
        for number in severed:
            if number not in envelope.members and number in labels.SEQUENCES:
                self.add(
                    ERROR,
                    labels.MANIFEST[number],
                    "the member is severed and not in this envelope",
                    "this procedure cannot run",
                    "use the complete envelope",
                )

    def _members(self):
        manifest = self.manifest
        if manifest.version != 1:
            self.add(
                ERROR, "manifest", f"format version {manifest.version}", "devices read version 1"
            )
        if len(self.envelope.manifest_bytes) > n.MAX_MANIFEST:
            self.add(
                ERROR,
                "manifest",
                f"{len(self.envelope.manifest_bytes)} bytes",
                f"devices take at most {n.MAX_MANIFEST}",
                "sever the text, use fewer components",
            )
        count = len(manifest.components)
        if not count and not manifest.dependencies:
            self.add(ERROR, "components", "no component is listed", "there is nothing to work on")
        beyond = sum(isinstance(index, int) and index >= count for index in manifest.dependencies)
        if count + beyond > n.MAX_COMPONENTS:
            self.add(
                ERROR,
                "components",
                f"{count + beyond} components" + (" and dependencies" if beyond else ""),
                f"devices take at most {n.MAX_COMPONENTS}",
            )
        for index, metadata in manifest.dependencies.items():
            self._dependency(index, metadata, count)
        if len(set(manifest.components)) < count:
            self.add(WARNING, "components", "a component is listed twice")
        for index, identifier in enumerate(manifest.components):
            if any(
                part in (b"", b".", b"..") or b"/" in part or b"\0" in part for part in identifier
            ) and identifier[:1] == (b"file",):
                self.add(
                    ERROR,
                    self.name(index),
                    "the file name cannot be stored",
                    "empty parts, `.`, `..`, `/` and NUL are refused",
                )
        for number in (*manifest.other, *manifest.common_other):
            if number != n.M_MUD:
                self.add(
                    ERROR,
                    "manifest",
                    f"unknown member {number}",
                    "a device refuses what it does not know",
                )
        if manifest.reference_uri is not None and len(manifest.reference_uri.encode()) > n.MAX_URI:
            self.add(ERROR, "reference-uri", f"longer than {n.MAX_URI} bytes")
        if not isinstance(manifest.sequence_number, int) or manifest.sequence_number < 0:
            self.add(ERROR, "manifest", "the sequence number is not an unsigned integer")

    def _dependency(self, index, metadata, count):
        where = f"dependency {index}"
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            self.add(ERROR, "dependencies", f"{index!r} is not a component index")
            return
        if not isinstance(metadata, dict) or set(metadata) - {1}:
            self.add(ERROR, where, "its metadata has more than a prefix", "a device refuses what it does not know")
            return
        prefix = metadata.get(1)
        if 1 in metadata and not (isinstance(prefix, list) and all(isinstance(part, bytes) for part in prefix)):
            self.add(ERROR, where, "its prefix is not a component identifier")
        elif index >= count and prefix is None:
            self.add(
                ERROR,
                where,
                "it is not in the list of components and has no prefix",
                "nothing says where its envelope is stored",
                'list it as a component, or give it a prefix like ["manifest", "operator"]',
            )

    def _coswid(self):
        data = self.envelope.member(n.M_COSWID)
        if isinstance(data, bytes):
            try:
                coswid.read(data)
            except coswid.CoswidError as error:
                self.add(WARNING, "coswid", "the CoSWID tag cannot be read", str(error), "`suitup sbom` needs it")

    def _mud(self):
        data = self.manifest.other.get(n.M_MUD)
        if data is None:
            return
        try:
            found = mud.Pointer.decode(data)
        except StructureError as error:
            self.add(ERROR, "mud", "not a SUIT_MUD_container", str(error), "[mud] in suitup.toml")
            return
        for fault in found.faults():
            self.add(ERROR, "mud", fault, "network gear will not follow it")

    def _text(self):
        try:
            text = self.envelope.text()
        except StructureError as error:
            self.add(WARNING, "text", "the text cannot be read", str(error))
            return
        if not isinstance(text, Text):
            return
        for language, sections in text.languages.items():
            for key in sections:
                if key != "" and key not in self.manifest.components:
                    self.add(
                        WARNING,
                        f"text, {language}",
                        f"{component_name(key)} is described but not listed (8.4.4)",
                    )


def lint(data: bytes, slot_size=None, above=None, depth=0) -> list[Finding]:
    """Findings about the envelope in `data`, errors first. `slot_size`: bytes an image may have; `above`: the sequence
    number has to be higher than this; `depth`: manifests around this one."""
    try:
        envelope = Envelope.decode(data)
        manifest = envelope.manifest
        findings = Report()
        _Members(envelope, manifest, findings).run()
        walker = Walker(envelope, manifest, slot_size, findings)
        walker.run()
        for index, inner in walker.inner.items() if depth < n.MAX_DEPENDENCY_DEPTH else ():
            found = lint(inner.encode(), slot_size, depth=depth + 1)
            findings += [replace(each, where=f"dependency {index}, {each.where}") for each in found]
        if walker.inner and depth == n.MAX_DEPENDENCY_DEPTH:
            findings.append(
                Finding(
                    ERROR,
                    "dependencies",
                    f"nested deeper than {n.MAX_DEPENDENCY_DEPTH}",
                    "devices refuse that",
                )
            )
    except StructureError as error:
        return [
            Finding(
                ERROR,
                "envelope",
                "not a strictly encoded envelope",
                str(error),
                "`suitup inspect --edn` shows whatever it is",
            )
        ]
    if above is not None and manifest.sequence_number <= above:
        findings.append(
            Finding(
                ERROR,
                "manifest",
                f"sequence number {manifest.sequence_number} is not above {above}",
                "devices that have the last release take it for the same one or refuse it",
                "sign without --sequence, or with a higher one",
            )
        )
    return sorted(findings, key=lambda finding: finding.level != ERROR)
