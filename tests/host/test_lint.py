"""Each mistake that `lint` knows, made on purpose."""

import pytest
from click.testing import CliRunner
from suitup import author, keys
from suitup import numbers as n
from suitup.cli import group
from suitup.manifest import Command, Digest, Sequence, Text, seal, templates
from suitup.manifest.lint import ERROR, WARNING, lint
from suitup.manifest.templates import condition, directive, override, select

KEY = keys.generate()
VENDOR, CLASS = (
    bytes.fromhex("cfbff0d193755685968c48ce8b15ae17"),
    bytes.fromhex("ba8bcfe9cf32583eb02974b53c1b4ee6"),
)
IMAGE = templates.Image((b"app",), Digest.of(b"image"), 5, "app.img")
FILE = templates.Image((b"file", b"x"), Digest.of(b"x"), 1, "x")


def good(*images):
    return templates.update(7, VENDOR, CLASS, list(images or (IMAGE,)))


def findings(manifest, sever=(), payloads=None, sign=True, **options):
    envelope = seal(manifest, sever, payloads)
    if sign:
        author.sign(envelope, [KEY])
    return lint(envelope.encode(), **options)


def said(found, level, text):
    return any(
        each.level == level and text in f"{each.where}: {each.what}: {each.why}" for each in found
    )


def test_what_sign_makes_is_clean(app):
    assert findings(good()) == []
    assert findings(good(IMAGE, FILE)) == []
    assert findings(templates.update(1, VENDOR, CLASS, [[IMAGE, IMAGE]])) == []


def _shared(manifest, *drop):
    manifest.shared = Sequence(each for each in manifest.shared if each.number not in drop)


MISTAKES = []


def mistake(level, text, **options):
    """Registers a function that spoils a good manifest, with what lint has to say about it."""

    def register(function):
        MISTAKES.append(pytest.param(function, level, text, options, id=function.__name__))
        return function

    return register


@mistake(ERROR, "the vendor is not checked")
def no_vendor_check(manifest):
    _shared(manifest, n.C_VENDOR_ID)


@mistake(ERROR, "the class is not checked")
def no_class_check(manifest):
    _shared(manifest, n.C_CLASS_ID)


@mistake(ERROR, "vendor-identifier is never set")
def vendor_checked_but_never_set(manifest):
    manifest.shared = Sequence(
        [
            select(0),
            override(class_id=CLASS, image_digest=IMAGE.digest, image_size=5),
            condition(n.C_VENDOR_ID),
            condition(n.C_CLASS_ID),
        ]
    )


@mistake(ERROR, "image-digest is never set")
def digest_never_set(manifest):
    _shared(manifest, n.C_OVERRIDE_PARAMETERS)


@mistake(ERROR, "its digest is never checked")
def fetch_without_image_match(manifest):
    manifest.sequences[n.M_INSTALL].pop()
    del manifest.sequences[n.M_VALIDATE]


@mistake(ERROR, "is invoked, but its digest is never checked")
def invoke_without_image_match(manifest):
    del manifest.sequences[n.M_VALIDATE]
    del manifest.sequences[n.M_INSTALL]


@mistake(ERROR, "uri is never set")
def fetch_without_uri(manifest):
    del manifest.sequences[n.M_INSTALL][1]


@mistake(WARNING, "this branch is unreachable")
def a_branch_after_one_that_cannot_fail(manifest):
    manifest.sequences[n.M_INSTALL][1:2] = [
        Command(
            n.C_TRY_EACH,
            [
                Sequence([override(uri="a")]),
                Sequence([override(uri="b"), condition(n.C_COMPONENT_SLOT)]),
            ],
        )
    ]


@mistake(WARNING, "this is never reached")
def commands_after_abort(manifest):
    manifest.sequences[n.M_INSTALL].insert(0, condition(n.C_ABORT))


@mistake(ERROR, "uri is never set")
def a_parameter_set_in_one_branch_only(manifest):
    manifest.sequences[n.M_INSTALL][1:2] = [
        Command(
            n.C_TRY_EACH,
            [
                Sequence([condition(n.C_CLASS_ID), override(uri="a")]),
                Sequence([condition(n.C_CLASS_ID)]),
            ],
        )
    ]


@mistake(ERROR, "sequence number 7 is not above 7", above=7)
def a_sequence_number_that_was_used(manifest):
    pass


@mistake(ERROR, "a slot holds 4", slot_size=4)
def an_image_larger_than_the_slot(manifest):
    pass


@mistake(ERROR, "unknown command 99")
def an_unknown_command(manifest):
    manifest.sequences[n.M_INSTALL].append(Command(99, 0))


@mistake(ERROR, "unknown parameter 99")
def an_unknown_parameter(manifest):
    manifest.sequences[n.M_INSTALL].append(Command(n.C_OVERRIDE_PARAMETERS, {99: 1}))


@mistake(ERROR, "unknown member 30")
def an_unknown_member(manifest):
    manifest.other[30] = b""


@mistake(ERROR, "component 3 is not listed")
def an_index_out_of_range(manifest):
    manifest.sequences[n.M_VALIDATE].insert(0, select(3))


@mistake(ERROR, "soft-failure is set outside")
def soft_failure_at_the_top(manifest):
    manifest.sequences[n.M_INSTALL].append(
        Command(n.C_OVERRIDE_PARAMETERS, {n.P_SOFT_FAILURE: True})
    )


@mistake(ERROR, "fetch may not stand in the shared sequence")
def a_fetch_in_the_shared_sequence(manifest):
    manifest.shared += [override(uri="x"), directive(n.C_FETCH)]


@mistake(ERROR, "format version 2")
def another_format_version(manifest):
    manifest.version = 2


@mistake(ERROR, "there is no integrated payload '#none'")
def an_integrated_payload_that_is_not_there(manifest):
    manifest.sequences[n.M_INSTALL][1] = override(uri="#none")


@mistake(WARNING, "image-size is not set")
def no_image_size(manifest):
    for each in manifest.shared:
        if each.number == n.C_OVERRIDE_PARAMETERS:
            each.argument.pop(n.P_IMAGE_SIZE, None)


@mistake(ERROR, "the URI is longer than 512 bytes")
def a_long_uri(manifest):
    manifest.sequences[n.M_INSTALL][1] = override(uri="x" * 513)


@mistake(ERROR, "nested too deep")
def deep_sequences(manifest):
    inner = Sequence([condition(n.C_CLASS_ID)])
    for _ in range(n.MAX_NESTING):
        inner = Sequence([Command(n.C_RUN_SEQUENCE, inner)])
    manifest.sequences[n.M_INSTALL].append(Command(n.C_RUN_SEQUENCE, inner))


@mistake(WARNING, "a UUID of version 0")
def an_identifier_that_is_no_uuid(manifest):
    manifest.shared.append(override(class_id=bytes(16)))


@mistake(WARNING, "is described but not listed")
def text_about_another_component(manifest):
    manifest.text = Text({"en": {(b"other",): {5: "?"}}})


@mistake(ERROR, "has 3 bytes")
def an_integrated_payload_of_another_size(manifest):
    digest = Digest.of(b"two")
    manifest.shared += [override(image_digest=digest, image_size=2)]
    manifest.sequences[n.M_INSTALL][1] = override(uri="#two")


@pytest.mark.parametrize(("spoil", "level", "text", "options"), MISTAKES)
def test_lint_finds(spoil, level, text, options):
    manifest = good()
    spoil(manifest)
    payloads = {"#two": b"two"} if "has 3 bytes" in text else None
    found = findings(manifest, payloads=payloads, **options)
    assert said(found, level, text), found


def test_lint_finds_what_is_wrong_with_an_envelope():
    assert said(findings(good(), sign=False), ERROR, "nobody signed it")
    manifest = good()
    manifest.text = Text({"en": {"": {1: "a description that is longer than a digest would be"}}})
    assert findings(manifest, sever=[n.M_TEXT]) == []
    envelope = seal(manifest, [n.M_TEXT])
    envelope.members[n.M_TEXT] += b"\x00"
    assert said(lint(envelope.encode()), ERROR, "does not match its digest")
    envelope = seal(manifest, [n.M_TEXT, n.M_INSTALL])
    del envelope.members[n.M_INSTALL]
    assert said(lint(envelope.encode()), ERROR, "severed and not in this envelope")
    envelope = seal(good())
    envelope.manifest_bytes = envelope.manifest_bytes[:-1] + b"\x03"
    assert said(lint(envelope.encode()), ERROR, "not that of the manifest")
    assert said(lint(b"\xa0"), ERROR, "not a strictly encoded envelope")


def test_one_of_two_components_without_an_index_at_the_start():
    manifest = good(IMAGE, FILE)
    del manifest.sequences[n.M_INSTALL][0]
    assert said(findings(manifest), ERROR, "does not begin with set-component-index")


def test_the_exit_code_tells(tmp_path):
    run = CliRunner()
    envelope = seal(good())
    (tmp_path / "a.suit").write_bytes(envelope.encode())
    result = run.invoke(group, ["lint", str(tmp_path / "a.suit")], standalone_mode=False)
    assert result.return_value == 1 and "nobody signed it" in result.output
    author.sign(envelope, [KEY])
    (tmp_path / "a.suit").write_bytes(envelope.encode())
    assert (
        run.invoke(group, ["lint", str(tmp_path / "a.suit")], standalone_mode=False).return_value
        == 0
    )


def test_lint_follows_dependencies():
    author_manifest = good()
    inner = seal(author_manifest, payloads={})
    author.sign(inner, [KEY])

    def layer():
        return templates.encryption_layer(
            author_manifest, inner.digest, "#author", {0: b"\x80"}, VENDOR, CLASS
        )

    payloads = {"#author": inner.encode()}
    assert findings(layer(), payloads=payloads) == []
    spoilt = layer()
    del spoilt.sequences[n.M_DEPENDENCY_RESOLUTION][-1]
    del spoilt.sequences[n.M_VALIDATE]
    del spoilt.sequences[n.M_INVOKE]
    assert said(findings(spoilt, payloads=payloads), ERROR, "its integrity is never checked")
    spoilt = layer()
    spoilt.dependencies = {}
    assert said(findings(spoilt, payloads=payloads), ERROR, "component 1 is not listed")
    assert said(findings(layer(), payloads={"#author": b"no"}), ERROR, "is not an envelope")
    inner.manifest_bytes = inner.manifest_bytes.replace(CLASS, VENDOR)
    payloads = {"#author": inner.encode()}
    assert said(findings(layer(), payloads=payloads), ERROR, "does not have the image digest")
