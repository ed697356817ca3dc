"""Keys elsewhere, keys of every kind, encrypted payloads: the options of `sign`, and `encrypt`."""

import shutil
import subprocess

import pytest
from click.testing import CliRunner
from suitup import cbor, cose, keys
from suitup import numbers as n
from suitup.cli import group
from suitup.errors import Failure
from suitup.manifest import Envelope
from suitup.release import Release
from test_esp32_image import app_image


def run(*arguments):
    result = CliRunner().invoke(group, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def latest(app) -> Envelope:
    return Envelope.decode((app / "release" / "latest.suit").read_bytes())


KINDS = ["ESP256", "Ed25519", "ML-DSA-44", "ML-DSA-65", "HMAC-256", "A128KW", "A256KW"]


@pytest.mark.parametrize("algorithm", KINDS)
def test_every_kind_of_key_signs_and_is_verified(app, algorithm):
    keys.save(keys.generate(algorithm), app / "k.pem")
    run("sign", "--app", app, "--key", app / "k.pem")
    assert (
        "by " + algorithm
        in run("verify", app / "release" / "latest.suit", "--key", app / "k.pem").output
    )


def test_a_mac_is_that_of_one_key_wrap_key_and_of_no_other_recipient():
    digest, key = cbor.encode([n.ALG_SHA256, bytes(32)]), keys.generate("A256KW")
    others = [keys.generate("A256KW"), keys.generate("A128KW"), keys.generate("HMAC-256")]
    block = cose.block(digest, key)
    assert cose.verify(block, digest, [*others, key]) == key
    item = cbor.decode(block, sort=False)
    recipient = item.value[4][0]
    item.value[4] = [recipient, recipient]
    with pytest.raises(cose.CoseError, match="one recipient"):
        cose.verify(cbor.encode(item), digest, [key])
    for changed in (
        [cbor.encode({n.HDR_ALG: n.ALG_A256KW}), {}, recipient[2]],
        [b"", {n.HDR_ALG: n.ALG_ECDH_ES_A128KW}, recipient[2]],
        [b"", recipient[1], recipient[2][:-8]],
    ):
        item.value[4] = [changed]
        with pytest.raises(cose.CoseError, match="neither direct nor a key wrap"):
            cose.verify(cbor.encode(item), digest, [key])
    for trusted in (others, []):
        with pytest.raises(cose.CoseError, match="no trusted key"):
            cose.verify(block, digest, trusted)
    with pytest.raises(cose.CoseError, match="no trusted key"):
        cose.verify(block, digest + b"", [keys.Key({**key.params, n.KEY_ALG: n.ALG_HMAC256})])
    with pytest.raises(Failure, match="wraps no keys of MACs"):
        cose.mac(digest, others[2])


def test_one_symmetric_key_does_not_both_sign_and_encrypt(app):
    keys.save(keys.generate("A256KW"), app / "k.key")
    arguments = ["sign", "--app", app, "--key", app / "k.key", "--encrypt-to", app / "k.key"]
    with pytest.raises(Failure, match="that payloads are encrypted to"):
        run(*arguments)
    assert not (app / "release" / "latest.suit").exists()


def test_two_algorithms_protect_one_envelope(app, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    keys.hsslms.create(app / "k.hss", "5/8")
    result = run("sign", "--app", app, "--key", app / "dev.pem", "--key", app / "k.hss")
    assert "31 of 32 signatures left" in result.output
    envelope = latest(app)
    algorithms = [
        cbor.decode(cbor.decode(block, sort=False).value[0])[1] for block in envelope.blocks
    ]
    assert algorithms == [n.ALG_ESP256, n.ALG_HSS_LMS]
    for key in (keys.load(app / "dev.pub.pem"), keys.load(app / "k.hss").public()):
        assert any(_verifies(block, envelope, key) for block in envelope.blocks)


def _verifies(block, envelope, key):
    try:
        return cose.verify(block, envelope.digest_bytes, [key]) == key
    except cose.CoseError:
        return False


@pytest.mark.parametrize("form", ["raw", "der", "openssl"])
def test_a_key_elsewhere_signs_in_two_steps(app, tmp_path, form):
    if form == "openssl" and not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    draft, tbs, sig = tmp_path / "d", tmp_path / "tbs", tmp_path / "sig"
    common = ["--app", app, "--key", app / "dev.pub.pem", "--draft", draft]
    run("sign", *common, "--to-be-signed", tbs)
    assert not (app / "release" / "latest.suit").exists()
    private = keys.load(app / "dev.pem")
    if form == "openssl":
        subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", app / "dev.pem", "-out", sig, tbs], check=True
        )
    elif form == "der":
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from suitup.keys import convert

        sig.write_bytes(
            convert.private_object(private).sign(tbs.read_bytes(), ec.ECDSA(hashes.SHA256()))
        )
    else:
        sig.write_bytes(cose.algorithms.ESP256.sign(private, tbs.read_bytes()))
    run("sign", *common, "--attach-signature", sig)
    assert run("verify", app / "release" / "latest.suit", "--app", app).exit_code == 0
    assert not draft.exists()


def test_a_signature_that_does_not_fit_is_not_attached(app, tmp_path):
    common = ["--app", app, "--key", app / "dev.pub.pem", "--draft", tmp_path / "d"]
    run("sign", *common, "--to-be-signed", tmp_path / "tbs")
    for content in (b"\x01" * 64, b"", b"0" * 70):
        (tmp_path / "sig").write_bytes(content)
        with pytest.raises(Failure):
            run("sign", *common, "--attach-signature", tmp_path / "sig")
    assert not (app / "release" / "latest.suit").exists()
    # something else was published meanwhile: the draft's number is taken
    run("sign", "--app", app)
    (tmp_path / "sig").write_bytes(
        cose.algorithms.ESP256.sign(keys.load(app / "dev.pem"), (tmp_path / "tbs").read_bytes())
    )
    with pytest.raises(Failure, match="published already"):
        run("sign", *common, "--attach-signature", tmp_path / "sig")


RECIPIENTS = ["A128KW", "A256KW", "ECDH-P256", "X25519"]


@pytest.mark.parametrize("recipient", RECIPIENTS)
@pytest.mark.parametrize("content", cose.CONTENT_NAMES)
def test_encrypted_payloads_open_with_the_device_key_only(app, recipient, content):
    keys.save(keys.generate(recipient), app / "device.pem")
    public = app / ("device.pub.pem" if recipient in ("ECDH-P256", "X25519") else "device.pem")
    run("sign", "--app", app, "--encrypt-to", public, "--content-alg", content)
    for path in (app / "release").glob("*.enc"):
        assert b"volume" not in path.read_bytes()
    assert len(list((app / "release").glob("*.enc"))) == 2
    release = app / "release" / "latest.suit"
    opened = run("verify", release, "--app", app, "--decrypt", app / "device.pem")
    assert '  ["file", "settings.json"] 13 bytes' in opened.output
    keys.save(keys.generate(recipient), app / "other.pem")
    for more in ([], ["--decrypt", app / "other.pem"]):
        with pytest.raises(Failure, match="operation-failed"):
            run("verify", release, "--app", app, *more)


def test_several_recipients_open_the_same_ciphertext(app):
    for name in RECIPIENTS:
        keys.save(keys.generate(name), app / name)
    run(
        "sign",
        "--app",
        app,
        *[each for name in RECIPIENTS for each in ("--encrypt-to", app / name)],
    )
    for name in RECIPIENTS:
        run("verify", app / "release" / "latest.suit", "--app", app, "--decrypt", app / name)


def test_no_key_and_nonce_ever_meet_twice():
    key = keys.generate("A128KW")
    seen = set()
    for _ in range(200):
        info, ciphertext = cose.encrypt(b"the same plaintext every time", [key])
        item = cbor.decode(info, sort=False).value
        seen.add((item[1][n.HDR_IV], item[3][0][2], ciphertext))
    assert len(seen) == 200
    assert len({each[2] for each in seen}) == 200


@pytest.mark.parametrize("content", cose.CONTENT_NAMES.values())
def test_a_changed_ciphertext_or_info_is_noticed_where_there_is_a_tag(content):
    key = keys.generate("A256KW")
    info, ciphertext = cose.encrypt(b"plaintext " * 10, [key], content)
    assert cose.decrypt(info, ciphertext, [key]) == b"plaintext " * 10
    changed = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    if content in (n.ALG_A128CTR, n.ALG_A256CTR):
        # counter mode has none: image-match is what notices
        assert cose.decrypt(info, changed, [key]) != b"plaintext " * 10
    else:
        with pytest.raises(cose.CoseError):
            cose.decrypt(info, changed, [key])
    for at in range(0, len(info), 3):
        broken = bytearray(info)
        broken[at] ^= 0x10
        try:
            cose.decrypt(bytes(broken), ciphertext, [key])
        except cose.CoseError:
            pass  # never anything else


def test_a_distributor_encrypts_what_the_author_left_plain(app, tmp_path):
    run("sign", "--app", app)
    for name, kind in (("distributor", "ESP256"), ("device", "ECDH-P256"), ("stranger", "ESP256")):
        keys.save(keys.generate(kind), tmp_path / f"{name}.pem")
    plain, out = app / "release" / "hello-1.0.0.suit", tmp_path / "out"
    arguments = [
        "encrypt",
        plain,
        "--to",
        tmp_path / "device.pub.pem",
        "--key",
        tmp_path / "distributor.pem",
        "--release",
        out,
    ]
    with pytest.raises(Failure, match="not by that author"):
        run(*arguments, "--author", tmp_path / "stranger.pub.pem")
    run(*arguments, "--author", app / "dev.pub.pem")
    encrypted = out / "hello-1.0.0.suit"
    assert Release(out).entries()[0]["sequence"] == 1
    result = run(
        "verify",
        encrypted,
        "--key",
        tmp_path / "distributor.pub.pem",
        "--vendor",
        "example.com",
        "--class",
        "hello",
        "--decrypt",
        tmp_path / "device.pem",
    )
    assert '  ["file", "settings.json"] 13 bytes' in result.output
    before, after = Envelope.decode(plain.read_bytes()), Envelope.decode(encrypted.read_bytes())
    assert (
        before.manifest.shared == after.manifest.shared
    )  # conditions, digests and sizes are the author's
    assert before.text() == after.text()
    # a copy under another name is what the author's folder calls it; elsewhere it has to be said
    arguments[arguments.index(plain)] = plain.with_name("latest.suit")
    arguments[arguments.index(out)] = tmp_path / "again"
    run(*arguments, "--author", app / "dev.pub.pem")
    assert (tmp_path / "again" / "hello-1.0.0.suit").exists()
    shutil.copytree(plain.parent, tmp_path / "copy")
    (tmp_path / "copy" / "index.cbor").unlink()
    arguments[1] = tmp_path / "copy" / "latest.suit"
    with pytest.raises(Failure, match="no name with a version") as failure:
        run(*arguments, "--author", app / "dev.pub.pem")
    assert failure.value.code == 2
    run(*arguments, "--author", app / "dev.pub.pem", "--name", "hello-1.0.0-rc")
    assert {each["version"] for each in Release(tmp_path / "again").entries()} == {"1.0.0", "rc"}


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_the_device_opens_what_we_encrypt(app, recipient, micropython):
    keys.save(keys.generate(recipient), app / "device.pem")
    run("sign", "--app", app, "--encrypt-to", app / "device.pem", "--content-alg", "A128GCM")
    result = run(
        "simulate", app / "release" / "latest.suit", "--app", app, "--decrypt", app / "device.pem"
    )
    assert result.output.splitlines()[-1] == "ok: installed, valid and started"


def test_images_made_before_are_signed_one_per_slot(app, micropython):
    run("build", "--app", app, "-o", app / "one.img")
    (app / "app" / "words.txt").write_text("other words\n")
    run("build", "--app", app, "-o", app / "two.img")
    run("sign", "--app", app, "--image", app / "one.img")
    assert latest(app).manifest.sequences[n.M_INSTALL][2].number == n.C_FETCH
    run("sign", "--app", app, "--image", app / "one.img", "--image", app / "two.img")
    release = app / "release" / "latest.suit"
    for slot, name in enumerate(("one.img", "two.img")):
        result = run("simulate", release, "--app", app, "--slot", slot)
        size = (app / name).stat().st_size
        assert f'holds ["app"] {size} bytes' in result.output.splitlines()
        assert f"-hello-{'ab'[slot]}.img" in result.output
    assert run("lint", release).exit_code == 0
    with pytest.raises(Failure, match="condition-failed"):
        run("simulate", release, "--app", app, "--slot", 2)
    with pytest.raises(Failure, match="not an app image"):
        run("sign", "--app", app, "--image", app / "settings.json")


PROFILES = {
    "suit-sha256-hmac-a128kw-a128ctr": ("HMAC-256", "A128KW", n.ALG_A128CTR),
    "suit-sha256-esp256-ecdh-a128ctr": ("ESP256", "ECDH-P256", n.ALG_A128CTR),
    "suit-sha256-ed25519-ecdh-a128ctr": ("Ed25519", "X25519", n.ALG_A128CTR),
    "suit-sha256-esp256-ecdh-a128gcm": ("ESP256", "ECDH-P256", n.ALG_A128GCM),
    "suit-sha256-ed25519-ecdh-chacha-poly": ("Ed25519", "X25519", n.ALG_CHACHA20_POLY1305),
    "suit-sha256-hsslms-a256kw-a256ctr": ("HSS-LMS", "A256KW", n.ALG_A256CTR),
}


@pytest.mark.parametrize("profile", PROFILES)
def test_an_update_of_each_profile_is_made_here_and_installed_by_the_device(
    app, tmp_path, monkeypatch, micropython, profile
):
    from suitup import profiles

    assert set(PROFILES) == set(profiles.PROFILES)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    signer, recipient, content = PROFILES[profile]
    if signer == "HSS-LMS":
        keys.hsslms.create(app / "k", "5/4")
    else:
        keys.save(keys.generate(signer), app / "k")
    keys.save(keys.generate(recipient), app / "device")
    common = ["--app", app, "--key", app / "k"]
    run("sign", *common, "--encrypt-to", app / "device", "--profile", profile)
    release = app / "release" / "latest.suit"
    (info,) = [
        each.argument[n.P_ENCRYPTION_INFO]
        for each in latest(app).manifest.sequences[n.M_INSTALL][:2]
        if each.number == n.C_OVERRIDE_PARAMETERS
    ]
    headers = cbor.decode(info, sort=False).value
    used = cbor.decode(headers[0]) if headers[0] else headers[1]
    assert used[n.HDR_ALG] == content
    arguments = [
        "--key",
        app / "k",
        "--vendor",
        "example.com",
        "--class",
        "hello",
        "--decrypt",
        app / "device",
    ]
    assert run("verify", release, *arguments).output.startswith("ok: authentic and executable")
    assert run("simulate", release, *arguments).output.endswith(
        "ok: installed, valid and started\n"
    )
    with pytest.raises(Failure, match="is not of profile"):
        other = next(each for each in PROFILES if PROFILES[each][0] != signer)
        run("sign", *common, "--profile", other)


@pytest.mark.parametrize("integrated", [[], ["--integrated"]])
def test_a_distributor_encrypts_around_the_authors_signature(
    app, tmp_path, micropython, integrated
):
    run("sign", "--app", app, *integrated)
    for name, kind in (("distributor", "ESP256"), ("device", "X25519")):
        keys.save(keys.generate(kind), tmp_path / f"{name}.pem")
    plain, out = app / "release" / "hello-1.0.0.suit", tmp_path / "out"
    run("encrypt", plain, "--to", tmp_path / "device.pub.pem", "--author", app / "dev.pub.pem", "--key",
        tmp_path / "distributor.pem", "--keep-signature", "--release", out)  # fmt: skip
    wrapped = Envelope.decode((out / "latest.suit").read_bytes())
    inner = Envelope.decode(wrapped.payloads["#author.suit"])
    author = Envelope.decode(plain.read_bytes())
    assert (inner.manifest_bytes, inner.blocks) == (author.manifest_bytes, author.blocks)
    for data in (*inner.payloads.values(), *(path.read_bytes() for path in out.iterdir())):
        assert b"volume" not in data
    device = ["--key", app / "dev.pub.pem", "--key", tmp_path / "distributor.pub.pem", "--vendor", "example.com",
              "--class", "hello", "--decrypt", tmp_path / "device.pem"]  # fmt: skip
    result = run("simulate", out / "latest.suit", *device, *_beside(out))
    assert 'holds ["file", "settings.json"] 13 bytes' in result.output.splitlines()
    assert 'starts ["app"]' in result.output.splitlines()
    # the author has to be trusted too: the distributor alone installs nothing
    with pytest.raises(Failure):
        run("simulate", out / "latest.suit", *device[2:], *_beside(out))


def _beside(folder):
    """What the author's URIs lead to in the distributor's folder."""
    return [f"--payload={path.name}={path}" for path in folder.iterdir() if "-" in path.name]


def test_firmware_goes_with_the_app_and_only_an_application_image_does(app, tmp_path):
    def sign(data):
        (tmp_path / "new.app-bin").write_bytes(data)
        arguments = ["sign", "--app", app, "--key", app / "dev.pem", "--firmware", tmp_path / "new.app-bin"]
        return CliRunner().invoke(group, [str(each) for each in arguments])

    image = app_image()
    assert sign(image).exit_code == 0
    manifest = latest(app).manifest
    assert (b"firmware",) in [tuple(each) for each in manifest.components]
    assert any(p.read_bytes() == image for p in (app / "release").iterdir())
    for wrong in (image + b"more", image[:-1], b"\xff" * 4096 + image):
        result = sign(wrong)
        assert isinstance(result.exception, Failure), result.output


def test_an_updater_goes_with_the_app_for_the_boards_it_is_compiled_for(app, monkeypatch):
    from suitup import identity, project
    from suitup.boards import updater
    from suitup.images import romfs

    portable, native = b"M\x06\x00\x1f", b"M\x06\x13\x1f"  # armv6m, sub-version 3
    files = {"suit/__init__.mpy": portable, "suit/launcher.mpy": portable, "suit/crypto/x_thumb.mpy": native}
    monkeypatch.setattr(updater, "package", lambda arch=None: files)
    said = run("sign", "--app", app, "--key", app / "dev.pem", "--updater", "--board", "RPI_PICO")
    assert "note" not in said.output
    envelope = latest(app)
    names = list(envelope.manifest.components)
    assert (b"updater",) in names
    (path,) = (app / "release").glob("*-updater.img")
    assert romfs.read(path.read_bytes()) == files
    made = project.load(app)
    classes = [
        command.argument[n.P_CLASS_ID]
        for command in envelope.manifest.shared.walk()
        if command.number == n.C_OVERRIDE_PARAMETERS and n.P_CLASS_ID in command.argument
    ]
    assert classes == [made.class_id("6.3-armv6m")]
    assert classes[0] in identity.device_classes(made.vendor_id, made.class_name, 0x1306)
    # without a board it is slow, and that is said
    monkeypatch.setattr(updater, "package", lambda arch=None: {"suit/__init__.mpy": portable})
    said = run("sign", "--app", app, "--key", app / "dev.pem", "--updater", "--version", "9.9")
    assert "no native engines" in said.output or "without native engines" in said.output
