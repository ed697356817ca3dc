# The content encryption key of a COSE_Encrypt: which recipient is this board, and what it gets.
# MIT licence.
"""`find(recipients, alg, size, keys)` -> bytearray of `size` bytes, the caller's to wipe.
`recipients` is a list of (`Headers`, encrypted key) as `encryption_info.py` reads them, `keys`
trust.Keys with secrets. Understood are (RFC 9053, sections 6.1.1, 6.2.1 and 6.4;
suit-firmware-encryption-25, section 6):

* direct: the shared key itself;
* A128KW, A192KW where the port has AES-192, A256KW: the key wrapped with a shared one;
* ECDH-ES + A128KW (A192KW, A256KW), P-256 and X25519: wrapped with a key agreed upon.

Recipients whose kid names one of the keys are tried first, then the others. Raises SuitError:
R_ALG_UNSUPPORTED when no recipient has an algorithm of this board, else R_DECRYPTION."""

from .cbor import BSTR, Cursor, encode
from .crypto import load
from .errors import SuitError
from .numbers import (
    ALG_A128KW,
    ALG_A192KW,
    ALG_A256KW,
    ALG_DIRECT,
    ALG_ECDH_ES_A128KW,
    ALG_ECDH_ES_A192KW,
    ALG_ECDH_ES_A256KW,
    CRV_P256,
    CRV_X25519,
    HDR_ALG,
    HDR_EPHEMERAL,
    HDR_KID,
    HDR_PARTY_U_IDENTITY,
    HDR_SALT,
    KTY_EC2,
    KTY_OKP,
    KTY_SYMMETRIC,
    R_ALG_UNSUPPORTED,
    R_CBOR_PARSE,
    R_COSE_UNSUPPORTED,
    R_DECRYPTION,
    R_STRUCTURE,
    R_UNAUTHORISED,
)

# what every ES-DH key of a SUIT payload is bound to (section 6.2.4); other users of COSE have
# nothing here
SUIT = b"SUIT Payload Encryption"

_KEY_WRAP = {ALG_A128KW: 16, ALG_A192KW: 24, ALG_A256KW: 32}
_AGREEMENT = {
    ALG_ECDH_ES_A128KW: ALG_A128KW,
    ALG_ECDH_ES_A192KW: ALG_A192KW,
    ALG_ECDH_ES_A256KW: ALG_A256KW,
}
_UNWRAP = 6  # key_ops of RFC 9052, table 5
_DECRYPT = 4
_DERIVE = (7, 8)


def kdf_context(alg, protected, parties=(None,) * 6, other=SUIT):
    """COSE_KDF_Context: `alg` is the key wrap that the key is for, `protected` the recipient's
    protected header as it was sent, `parties` identity, nonce and other of sender and
    recipient."""
    public = [8 * _KEY_WRAP[alg], protected]
    if other:
        public.append(other)
    return encode([alg, parties[:3], parties[3:], public])


def _refuse(what):
    raise SuitError(R_DECRYPTION, what)


def _allowed(key, alg, ops):
    return (key.alg is None or key.alg == alg) and (
        key.ops is None or any(op in ops for op in key.ops)
    )


def _shared_key(key, alg, size, ops):
    return key.kty == KTY_SYMMETRIC and len(key.k) == size and _allowed(key, alg, ops)


def _bytes_of(headers, label):
    """A header parameter that is a byte string, as bytes; None when absent."""
    raw = headers.get(label)
    return None if raw is None else bytes(Cursor(raw).bstr())


def _ephemeral(headers):
    """(kty, curve, x, y) of the sender's key."""
    raw = headers.get(HDR_EPHEMERAL)
    if raw is None:
        _refuse("no ephemeral key")
    c = Cursor(raw)
    found = {}
    for _ in range(c.map()):
        label = c.int()
        if label in found:
            _refuse("ephemeral key")
        found[label] = c.raw(False)
    c.end()
    try:
        kty = Cursor(found[1]).int()
        crv = Cursor(found[-1]).int()
        x = Cursor(found[-2]).bstr()
        y = None
        if kty == KTY_EC2:
            y = Cursor(found[-3])
            # the sign alone is a compressed point, which nobody here takes apart
            if y.peek() != BSTR:
                raise SuitError(R_ALG_UNSUPPORTED, "compressed point")
            y = y.bstr()
    except KeyError:
        _refuse("ephemeral key")
    return kty, crv, x, y


def _agree(key, kty, crv, x, y):
    """The shared secret; the point is checked by who multiplies it."""
    if len(x) != 32 or (y is not None and len(y) != 32) or len(key.d) != 32:
        _refuse("key length")
    try:
        if crv == CRV_P256:
            load("p256", ALG_ECDH_ES_A128KW)
            return load("p256_secret", ALG_ECDH_ES_A128KW).shared(key.d, x, y)
        return load("x25519", ALG_ECDH_ES_A128KW).shared(key.d, x)
    except SuitError as error:
        if error.reason == R_UNAUTHORISED:
            _refuse(error.detail)
        raise


def _derived(headers, alg, key, other):
    """The key encryption key of ECDH-ES (RFC 9053, section 6.4.1)."""
    load("hmac256", alg)  # what HKDF stands on
    derive = load("hkdf", alg).derive
    wipe = load("keywrap", alg).wipe
    kty, crv, x, y = _ephemeral(headers)
    if kty != key.kty or crv != key.crv:
        _refuse("curve")
    parties = [_bytes_of(headers, HDR_PARTY_U_IDENTITY - i) for i in range(6)]
    wrap = _AGREEMENT[alg]
    context = kdf_context(wrap, headers.protected, parties, other)
    secret = _agree(key, kty, crv, x, y)
    try:
        return derive(secret, _bytes_of(headers, HDR_SALT) or b"", context, _KEY_WRAP[wrap])
    finally:
        if isinstance(secret, bytearray):
            wipe(secret)


def _serves(key, alg, content, size):
    """True when this key may open a recipient of that algorithm."""
    if alg == ALG_DIRECT:
        return _shared_key(key, content, size, (_DECRYPT,))
    if alg in _KEY_WRAP:
        return _shared_key(key, alg, _KEY_WRAP[alg], (_UNWRAP, _DECRYPT))
    curve = CRV_P256 if key.kty == KTY_EC2 else CRV_X25519
    return (
        key.kty in (KTY_EC2, KTY_OKP)
        and key.crv == curve
        and key.d is not None
        and _allowed(key, alg, _DERIVE)
    )


def _open(headers, alg, wrapped, key, size, other):
    if alg == ALG_DIRECT:
        return bytearray(key.k)
    keywrap = load("keywrap", alg)
    if len(wrapped) != size + 8:
        _refuse("wrapped key length")
    if alg in _KEY_WRAP:
        return keywrap.unwrap(key.k, wrapped)
    kek = _derived(headers, alg, key, other)
    try:
        return keywrap.unwrap(kek, wrapped)
    finally:
        keywrap.wipe(kek)


def _check(headers, wrapped, alone):
    """The algorithm of one recipient, after a look at what its structure must be."""
    raw = headers.get(HDR_ALG)
    if raw is None:
        raise SuitError(R_COSE_UNSUPPORTED, "recipient without alg")
    alg = Cursor(raw).int()
    if alg in _AGREEMENT:
        if HDR_ALG not in headers.inside:
            raise SuitError(R_COSE_UNSUPPORTED, "alg is not protected")
    elif alg in _KEY_WRAP or alg == ALG_DIRECT:
        # these have nothing that could protect a header (RFC 9052, 8.5.1 and 8.5.2)
        if headers.protected:
            raise SuitError(R_COSE_UNSUPPORTED, "protected header of a key wrap")
        if alg == ALG_DIRECT and (wrapped or not alone):
            raise SuitError(R_COSE_UNSUPPORTED, "a direct recipient stands alone and has no key")
    else:
        raise SuitError(R_ALG_UNSUPPORTED, alg)
    return alg


def _tries(recipients, content, size, keys):
    """[(headers, alg, wrapped, key)] in the order in which they are worth trying."""
    named = []
    others = []
    failure = None
    for headers, wrapped in recipients:
        try:
            alg = _check(headers, wrapped, len(recipients) == 1)
            kid = _bytes_of(headers, HDR_KID)
        except SuitError as error:
            failure = error
            continue
        for key in keys:
            if _serves(key, alg, content, size):
                (named if key.named(kid) else others).append((headers, alg, wrapped, key))
    if not named and not others:
        raise failure or SuitError(R_DECRYPTION, "no recipient for a key of this board")
    return named + others


def find(recipients, alg, size, keys, other=SUIT):
    failure = None
    for headers, how, wrapped, key in _tries(recipients, alg, size, keys):
        try:
            return _open(headers, how, wrapped, key, size, other)
        except SuitError as error:
            if error.reason in (R_CBOR_PARSE, R_STRUCTURE):
                raise
            if failure is None or error.reason == R_DECRYPTION:
                failure = error
    raise failure
