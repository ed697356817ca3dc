"""One envelope that changes the app, a file and what a dependency brings: all of it or nothing, on updater and launcher."""

import envelopes as e
from author import KEY
from envelopes import POLICY, digest_of, envelope, image_digest, manifest, seq, wrapped
from harness import raises
from suit import numbers as n
from suit import runtime, slots
from suit.cbor import encode
from suit.errors import SuitError
from test_rekey import BOTH, Keyed
from test_updater import V1_APP, read, write

APP, VENDOR_FILE = [b"app"], [b"file", b"vendor.bin"]
INDEX, SET, MATCH = n.C_SET_COMPONENT_INDEX, n.C_OVERRIDE_PARAMETERS, n.C_IMAGE_MATCH
FETCH, INTEGRITY, PROCESS = n.C_FETCH, n.C_DEPENDENCY_INTEGRITY, n.C_PROCESS_DEPENDENCY


def theirs(content, sequence=1, matches=True):
    """The dependency's manifest: one file, installed from its own content."""
    shared = seq(SET, {n.P_IMAGE_DIGEST: image_digest(content)})
    install = seq(SET, {n.P_CONTENT: content}, n.C_WRITE, POLICY, MATCH, POLICY)
    validate = {"validate": seq(MATCH, POLICY)} if matches else {}
    components = (tuple(VENDOR_FILE),)
    return manifest(shared, components, sequence=sequence, install=install, **validate)


def ours(app, dependency, sequence=2, validated=True):
    """The root: the app, and a dependency that it keeps as ["manifest", "vendor"]."""
    shared = seq(
        INDEX, 0, SET, {n.P_IMAGE_DIGEST: image_digest(app), n.P_URI: "#app"},
        INDEX, 1, SET, {n.P_IMAGE_DIGEST: encode(digest_of(wrapped(dependency))), n.P_URI: "#vendor"},
    )  # fmt: skip
    common = {
        n.COMMON_DEPENDENCIES: {1: {1: [b"manifest", b"vendor"]}},
        n.COMMON_COMPONENTS: [APP],
        n.COMMON_SHARED_SEQUENCE: shared,
    }
    below = (INDEX, 1, INTEGRITY, POLICY, PROCESS, POLICY)
    data = manifest(
        common=common, sequence=sequence,
        resolution=seq(INDEX, 1, FETCH, POLICY, INTEGRITY, POLICY),
        install=seq(*below, INDEX, 0, FETCH, POLICY, MATCH, POLICY),
        validate=seq(*(below if validated else ()), INDEX, 0, MATCH, POLICY),
        invoke=seq(INDEX, 0, n.C_INVOKE, POLICY),
    )  # fmt: skip
    return envelope(data, members={"#app": app, "#vendor": envelope(dependency)})


class Composite(Keyed):
    def __init__(self):
        super().__init__()
        owner = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: KEY, n.KEY_ROLES: BOTH}
        self.store(encode([owner, e.KEY]))

    def offer(self, *args, **more):
        write(self.out + "/c.suit", ours(*args, **more))

    def file(self, slot):
        path = "%s/%s/files/vendor.bin" % (self.root, "ab"[slot])
        return read(path) if slots.exists(path) else None


def test_app_and_dependency_are_switched_together_and_verified_at_every_boot():
    b = Composite()
    b.offer(b"app two", theirs(b"their file"))
    b.update("c")
    assert b.file(0) is None and b.start() == (1, True)
    b.confirm()
    assert b.file(1) == b"their file" and b.start() == (1, False)
    assert slots.exists(b.root + "/b/manifests/vendor")
    # their file or their manifest damaged: nothing of the set runs
    write(b.root + "/b/files/vendor.bin", b"other file")
    assert b.start() == (None, False)
    write(b.root + "/b/files/vendor.bin", b"their file")
    assert b.start() == (1, False)
    kept = read(b.root + "/b/manifests/vendor")
    write(b.root + "/b/manifests/vendor", envelope(theirs(b"their file", 7)))
    assert b.start() == (None, False)
    write(b.root + "/b/manifests/vendor", kept)
    assert b.start() == (1, False)


def test_a_dependency_that_is_refused_leaves_everything_as_it_was():
    for dependency, validated in ((theirs(b"x", matches=False), True), (theirs(b"x"), False)):
        b = Composite()
        b.offer(b"app two", dependency, validated=validated)
        error = raises(SuitError, b.update, "c")
        assert error.reason in (n.R_NOT_MATCHED, n.R_SEQUENCE), error
        assert b.record().trial is None and b.start() == (0, False)
        assert b.file(0) is None and b.app(0) == V1_APP


def test_going_back_takes_the_whole_set_back():
    from suit import decide

    b = Composite()
    b.offer(b"app two", theirs(b"their file"))
    b.update("c")
    b.start()
    runtime.store().save(decide.went_back(runtime.record(), n.R_BACK_MANUAL))
    assert b.start() == (0, False) and b.app(0) == V1_APP and b.file(0) is None


def test_a_key_restricted_to_its_prefix_depends_on_who_may_write_the_rest():
    b = Composite()
    owner = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: KEY, n.KEY_ROLES: BOTH}
    limited = dict(e.KEY)
    limited[n.KEY_ACCESS] = {1: [APP, [b"manifest"]]}
    b.store(encode([owner, limited]))
    b.offer(b"app two", theirs(b"their file"))  # both manifests are by the restricted key
    error = raises(SuitError, b.update, "c")
    assert error.reason == n.R_COMPONENT_UNAUTHORISED
    assert b.record().trial is None


THEIR_SECRET = b"the key of the vendor, 32 bytes."


def by_them(data):
    """A manifest in an envelope that the vendor has signed."""
    digest = encode(digest_of(wrapped(data)))
    return envelope(data, auth=e.wrapper(data, blocks=[e.mac0(digest, key=THEIR_SECRET)]))


class Owners(Composite):
    """Two owners: who signs roots, and who signs the dependency. `roles`, `more`: what their keys may do."""

    def __init__(self, roles, their_roles, more=None, their_more=None):
        super().__init__()
        keys = []
        for secret, may, restricted in (
            (e.SECRET, roles, more), (THEIR_SECRET, their_roles, their_more),
        ):  # fmt: skip
            key = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: secret, n.KEY_ROLES: may}
            if restricted:
                key[n.KEY_ACCESS] = restricted
            keys.append(key)
        first = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: KEY, n.KEY_ROLES: BOTH}
        self.anchors = encode([first] + keys)
        self.store(self.anchors)

    def offer(self, app, dependency, **more):
        data = ours(app, dependency, **more)
        write(self.out + "/c.suit", data.replace(envelope(dependency), by_them(dependency)))


def replacing(store):
    """A dependency that brings another trust store."""
    shared = seq(SET, {n.P_IMAGE_DIGEST: image_digest(store), n.P_IMAGE_SIZE: len(store)})
    install = seq(SET, {n.P_CONTENT: store}, n.C_WRITE, POLICY, MATCH, POLICY)
    return manifest(shared, ((b"trust",),), install=install, validate=seq(MATCH, POLICY))


def test_a_dependency_has_the_roles_of_its_own_key_and_not_those_of_its_dependent():
    # whoever signs the root may change the trust store, whoever signs the dependency may not
    b = Owners(BOTH, n.ROLE_APP)
    b.offer(b"app two", replacing(b.anchors))
    error = raises(SuitError, b.update, "c")
    assert error.reason == n.R_COMPONENT_UNAUTHORISED
    assert b.record().trial is None and b.trusted() == b.anchors and b.start() == (0, False)


def test_a_dependency_may_do_what_its_dependent_may_not():
    b = Owners(n.ROLE_APP, BOTH)
    other = encode([{1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: k, n.KEY_ROLES: r} for k, r in (
        (e.SECRET, n.ROLE_APP), (THEIR_SECRET, BOTH), (KEY, n.ROLE_APP))])  # fmt: skip
    b.offer(b"app two", replacing(other))
    b.update("c")
    assert b.start() == (1, True) and b.trusted() == b.anchors
    b.confirm()
    assert b.trusted() == other and b.start() == (1, False)


def test_restrictions_are_those_of_the_key_of_each_manifest():
    only_app = {1: [APP, [b"manifest"]]}
    only_theirs = {1: [[b"file", b"vendor.bin"]]}
    b = Owners(n.ROLE_APP, n.ROLE_APP, only_app, only_theirs)
    b.offer(b"app two", theirs(b"their file"))
    b.update("c")
    assert b.start() == (1, True) and b.file(1) == b"their file"
    for ours_may, they_may in (
        ({1: [APP]}, only_theirs),  # not even fetch the dependency
        (only_app, {1: [[b"file", b"another"]]}),
        (only_app, {1: [[b"file"]], 2: [MATCH, SET]}),  # not write
        (only_app, {1: [[b"file"]], 3: [n.P_IMAGE_DIGEST]}),  # not set the content
        ({1: [APP, [b"manifest"]], 2: [INDEX, SET, FETCH, MATCH]}, only_theirs),
    ):
        b = Owners(n.ROLE_APP, n.ROLE_APP, ours_may, they_may)
        b.offer(b"app two", theirs(b"their file"))
        error = raises(SuitError, b.update, "c")
        assert error.reason in (n.R_COMPONENT_UNAUTHORISED, n.R_NOT_PERMITTED), (ours_may, they_may)
        assert b.record().trial is None and b.start() == (0, False)
        assert b.file(0) is None and b.app(0) == V1_APP
