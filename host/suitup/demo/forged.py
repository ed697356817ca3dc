"""Bad updates: each function makes one in a release folder from what a good one is made of.

    for name, build in EVERY:
        path = build(Workshop(project, folder, sequence))

The signatures are real unless the case is about them: what is refused is refused for its own reason only."""

from dataclasses import dataclass, replace
from pathlib import Path

from suitup import author, cbor
from suitup import numbers as n
from suitup.manifest import Command, Digest, Envelope, seal
from suitup.project import Project
from suitup.release import write


@dataclass
class Workshop:
    """Where bad updates are made. `sequence`: a number that the board would take; `room`: bytes of its slot."""

    project: Project
    folder: Path
    sequence: int
    room: int
    stranger: object  # a Key that the board does not trust

    def good(self, project=None, sequence=None) -> author.Draft:
        """An unsigned good update."""
        from suitup.release import Release

        self.folder.mkdir(parents=True, exist_ok=True)
        chosen = self.sequence if sequence is None else sequence
        # a version of its own: what is the same as in the running slot would be copied, not fetched
        news = replace(project or self.project, version=f"2.{chosen}.0")
        return author.draft(news, Release(self.folder), chosen)

    def signed(self, draft: author.Draft, signers=None) -> Envelope:
        author.sign(draft.envelope, signers or author.load_signers(self.project))
        return draft.envelope

    def put(self, name: str, envelope, draft: author.Draft, payloads=None) -> Path:
        """Write the envelope (or bytes) and the payloads of the draft into the folder."""
        for file, data in (payloads or draft.payloads).items():
            write(self.folder / file, data)
        path = self.folder / f"{name.replace(' ', '-')}.suit"
        write(path, envelope if isinstance(envelope, bytes) else envelope.encode())
        return path


def _flipped(data: bytes, at: int) -> bytes:
    """One bit of one byte."""
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def unsigned(shop):
    draft = shop.good()
    return shop.put("unsigned", draft.envelope, draft)


def wrong_key(shop):
    draft = shop.good()
    return shop.put("wrong key", shop.signed(draft, [shop.stranger]), draft)


def bit_in_signature(shop):
    draft = shop.good()
    envelope = shop.signed(draft)
    envelope.blocks = [_flipped(block, len(block) - 20) for block in envelope.blocks]
    return shop.put("bit in signature", envelope, draft)


def bit_in_manifest(shop):
    draft = shop.good()
    envelope = shop.signed(draft)
    # in the vendor id: still well-formed in every respect
    at = envelope.manifest_bytes.index(shop.project.vendor_id)
    envelope.manifest_bytes = _flipped(envelope.manifest_bytes, at)
    return shop.put("bit in manifest", envelope, draft)


def bit_in_payload(shop):
    draft = shop.good()
    file, data = next((f, d) for f, d in draft.payloads.items() if f.endswith(".img"))
    # under its own name, so that other cases find theirs unharmed
    other = "flipped-" + file
    changed = _renamed(draft, file, other)
    return shop.put(
        "bit in payload",
        shop.signed(changed),
        changed,
        {**draft.payloads, other: _flipped(data, len(data) // 2)},
    )


def _renamed(draft, old, new):
    manifest = draft.envelope.manifest
    for sequence in (manifest.shared, *manifest.sequences.values()):
        for command in sequence.walk() if sequence else ():
            if command.number == n.C_OVERRIDE_PARAMETERS and command.argument.get(n.P_URI) == old:
                command.argument[n.P_URI] = new
    return author.Draft(seal(manifest), draft.sequence, draft.payloads)


def lower_sequence(shop):
    draft = shop.good(sequence=shop.sequence - 2)
    return shop.put("lower sequence", shop.signed(draft), draft)


def wrong_vendor(shop):
    draft = shop.good(replace(shop.project, vendor="elsewhere.example"))
    return shop.put("wrong vendor", shop.signed(draft), draft)


def wrong_class(shop):
    draft = shop.good(replace(shop.project, class_name="toaster"))
    return shop.put("wrong class", shop.signed(draft), draft)


def truncated(shop):
    draft = shop.good()
    whole = shop.signed(draft).encode()
    return shop.put("truncated", whole[: len(whole) * 2 // 3], draft)


def too_large(shop):
    folder = shop.folder / "large-app"
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "main.py", b"print('large')\n")
    write(folder / "data.bin", bytes(shop.room + 1))
    draft = shop.good(replace(shop.project, app=folder, files={}))
    return shop.put("too large", shop.signed(draft), draft)


def severed_swapped(shop):
    """The install sequence severed, and another one put in its place."""
    manifest = shop.good().envelope.manifest
    envelope = seal(manifest, sever=[n.M_INSTALL])
    author.sign(envelope, author.load_signers(shop.project))
    other = manifest.sequences[n.M_INSTALL]
    for command in other.walk():
        if command.number == n.C_OVERRIDE_PARAMETERS and n.P_URI in command.argument:
            command.argument[n.P_URI] = "http://127.0.0.1:9/evil.img"
    envelope.members[n.M_INSTALL] = other.encode()
    draft = shop.good()
    return shop.put("severed element swapped", envelope, draft)


def unknown_command(shop):
    draft = shop.good()
    manifest = draft.envelope.manifest
    manifest.sequences[n.M_INSTALL].insert(1, Command(200, 0))  # behind set-component-index
    changed = author.Draft(seal(manifest), draft.sequence, draft.payloads)
    return shop.put("unknown command", shop.signed(changed), changed)


def payload_missing(shop):
    draft = shop.good()
    file = next(f for f in draft.payloads if f.endswith(".img"))
    changed = _renamed(draft, file, "nowhere.img")
    return shop.put("payload missing", shop.signed(changed), changed)


def other_payload(shop):
    """A good image, but not the one that was signed."""
    draft = shop.good()
    file = next(f for f in draft.payloads if f.endswith(".img"))
    changed = _renamed(draft, file, "other.img")
    other = shop.good(sequence=shop.sequence + 1)
    image = next(d for f, d in other.payloads.items() if f.endswith(".img"))
    return shop.put(
        "another image", shop.signed(changed), changed, {**draft.payloads, "other.img": image}
    )


def digest_unchecked(shop):
    """Signed, but its author forgot every image-match: anything could be put in its place."""
    draft = shop.good()
    manifest = draft.envelope.manifest
    for sequence in manifest.sequences.values():
        if not isinstance(sequence, Digest):
            sequence[:] = [command for command in sequence if command.number != n.C_IMAGE_MATCH]
    changed = author.Draft(seal(manifest), draft.sequence, draft.payloads)
    return shop.put("digest never checked", shop.signed(changed), changed)


def trailing_bytes(shop):
    draft = shop.good()
    return shop.put("bytes behind it", shop.signed(draft).encode() + b"\0", draft)


def duplicate_manifest(shop):
    """Two manifests in one envelope, the signed one first."""
    draft = shop.good()
    envelope = shop.signed(draft)
    whole = envelope.encode()
    item = cbor.encode(n.ENV_MANIFEST) + cbor.encode(envelope.manifest_bytes)
    at = whole.index(item) + len(item)
    # the head of the map counts one more
    twice = (
        _flipped(whole[:2], 1) if whole[2] & 0xE0 != 0xA0 else whole[:2] + bytes((whole[2] + 1,))
    )
    return shop.put("two manifests", twice + whole[3:at] + item + whole[at:], draft)


EVERY = (
    ("unsigned", unsigned),
    ("wrong key", wrong_key),
    ("bit flipped in the signature", bit_in_signature),
    ("bit flipped in the manifest", bit_in_manifest),
    ("bit flipped in the payload", bit_in_payload),
    ("lower sequence number", lower_sequence),
    ("wrong vendor", wrong_vendor),
    ("wrong class", wrong_class),
    ("truncated", truncated),
    ("too large", too_large),
    ("severed element swapped", severed_swapped),
    ("unknown command", unknown_command),
    ("payload missing", payload_missing),
    ("another image in its place", other_payload),
    ("digest never checked", digest_unchecked),
    ("bytes behind the envelope", trailing_bytes),
    ("two manifests", duplicate_manifest),
)
