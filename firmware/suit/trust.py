# Trust anchors: which keys may sign, and for what.
# MIT licence.
"""`TrustStore(data)` over a COSE_KeySet (RFC 9052 section 7: an array of COSE_Key), as in
`/suit/trust.cbor`. Each key may carry KEY_ROLES (sum of ROLE_*, absent: ROLE_APP),
KEY_DEVELOPMENT, KEY_ACCESS (access.py) and KEY_QUORUM beside its COSE labels. `moment` and
`audience` are what delegations to others are judged by (delegation.py).

    for key in store.candidates(alg, kid):
        ...                            # keys that may serve alg; those that kid names come first

A `kid` is a hint: it is compared with the key's own `kid` label and with its thumbprint (RFC 9679,
SHA-256), and orders the candidates, nothing more. A key with `alg` serves that algorithm only, one
without it what its type allows; `key_ops` that leave out verifying rule a key out. Raises
SuitError R_CBOR_PARSE or R_STRUCTURE with the offset."""

from .cbor import BSTR, MAP, NINT, Cursor, encode, head
from .errors import SuitError
from .numbers import (
    ALG_ED25519,
    ALG_EDDSA,
    ALG_ES256,
    ALG_ESP256,
    ALG_HMAC256,
    ALG_HSS_LMS,
    CRV_ED25519,
    CRV_P256,
    KEY_ACCESS,
    KEY_ALG,
    KEY_DEVELOPMENT,
    KEY_KID,
    KEY_KTY,
    KEY_OPS,
    KEY_QUORUM,
    KEY_ROLES,
    KEY_TABLE,
    KTY_AKP,
    KTY_EC2,
    KTY_HSS_LMS,
    KTY_OKP,
    KTY_SYMMETRIC,
    R_STRUCTURE,
    ROLE_APP,
)

# labels besides kty that make up the thumbprint, in deterministic order (RFC 9679 section 4; RFC
# 9964 for AKP)
_REQUIRED = {
    KTY_OKP: (-1, -2),
    KTY_EC2: (-1, -2, -3),
    3: (-1, -2),  # RSA
    KTY_SYMMETRIC: (-1,),
    KTY_HSS_LMS: (-1,),
    KTY_AKP: (KEY_ALG, -1),
}
# COSE_Key key_ops: verify, MAC verify
_VERIFYING = (2, 10)


class Key:
    """One COSE_Key. `kty`, `alg` (None: what the type allows), `crv`, `x`, `y`, `d`, `k`, `pub`
    (memoryviews, None where the type has no such label), `own_kid` (label 2), `roles`,
    `development`, `ops` (None or tuple), `table` (KEY_TABLE: None or memoryview)."""

    # of the class as long as nobody sets them: few keys do, and memory is short where keys are used
    quorum = 1  # signatures by keys with its roles, its own included
    access = ()  # restrictions, see access.py

    def __init__(self, data):
        # bytes-like, or a cursor that stands before one
        c = data if isinstance(data, Cursor) else Cursor(data)
        self.kty = self.alg = self.crv = self.x = self.y = self.k = self.pub = self.d = None
        self.own_kid = self.ops = self._kid = self.table = None
        self.roles = ROLE_APP
        self.development = False
        self._raw = raw = {}
        for _ in range(c.map()):
            at = c.pos
            label = c.int() if c.peek() <= NINT else c.tstr()
            # once more for our own labels: misread, what restricts a key would be passed over
            if c.view[at] == 0x3A and label != -1 - int.from_bytes(c.view[at + 1 : at + 5], "big"):
                c.fail("label", at)
            if label in raw:
                c.fail("duplicate key", at)
            start = c.pos
            if label == KEY_KTY:
                self.kty = c.int()
            elif label == KEY_ALG:
                self.alg = c.int()
            elif label == KEY_KID:
                self.own_kid = c.bstr()
            elif label == KEY_OPS:
                self.ops = tuple([c.int() for _ in range(c.array())])
            elif label == KEY_ROLES:
                self.roles = c.uint()
            elif label == KEY_DEVELOPMENT:
                self.development = c.bool()
            elif label == KEY_QUORUM:
                self.quorum = c.uint()
            elif label == KEY_ACCESS:
                from .access import read

                self.access = (read(c.raw(False)),)
            elif label == KEY_TABLE:
                self.table = c.bstr()
            else:
                c.skip(False)
            raw[label] = c.view[start : c.pos]
        if c is not data:
            c.end()
        # once more, should a step above have been left out: a key must not count for more than it may
        if KEY_QUORUM in raw and Cursor(raw[KEY_QUORUM]).uint() != self.quorum:
            raise SuitError(R_STRUCTURE, "quorum")
        if KEY_ROLES in raw and Cursor(raw[KEY_ROLES]).uint() != self.roles:
            raise SuitError(R_STRUCTURE, "roles")
        if KEY_ACCESS in raw and not self.access:
            raise SuitError(R_STRUCTURE, "access")
        kty = self.kty
        if kty == KTY_EC2 or kty == KTY_OKP:
            self.crv = self._int(-1)
            self.x = self._bytes(-2)
            # a compressed point (y is a bool) is of no use to anyone here
            if kty == KTY_EC2 and self._required(-3).peek() == BSTR:
                self.y = self._bytes(-3)
            if -4 in raw:
                self.d = self._bytes(-4)
        elif kty == KTY_SYMMETRIC:
            self.k = self._bytes(-1)
        elif kty == KTY_HSS_LMS or kty == KTY_AKP:
            self.pub = self._bytes(-1)
            if kty == KTY_AKP and self.alg is None:
                raise SuitError(R_STRUCTURE, "AKP key without alg")

    def _required(self, label):
        if label not in self._raw:
            raise SuitError(R_STRUCTURE, "key without label %d" % label)
        return Cursor(self._raw[label])

    def _int(self, label):
        return self._required(label).int()

    def _bytes(self, label):
        return self._required(label).bstr()

    @property
    def kid(self):
        """COSE Key Thumbprint (RFC 9679) with SHA-256, 32 bytes."""
        if self._kid is None:
            from hashlib import sha256

            labels = _REQUIRED.get(self.kty)
            if labels is None:
                raise SuitError(R_STRUCTURE, "no thumbprint for this key type")
            made = sha256(head(MAP, len(labels) + 1))
            made.update(b"\x01")
            made.update(self._raw[KEY_KTY])
            for label in labels:
                made.update(head(0, label) if label > 0 else head(NINT, -1 - label))
                self._required(label)
                made.update(self._raw[label])
            self._kid = made.digest()
        return self._kid

    def serves(self, alg):
        """True when this key may check `alg`: its type and curve fit, and nothing binds it to
        another one."""
        if self.alg is not None and self.alg != alg:
            return False
        if self.ops is not None and not any(op in _VERIFYING for op in self.ops):
            return False
        kty = self.kty
        if kty == KTY_EC2:
            fits = (ALG_ES256, ALG_ESP256) if self.crv == CRV_P256 and self.y is not None else ()
        elif kty == KTY_OKP:
            fits = (ALG_EDDSA, ALG_ED25519) if self.crv == CRV_ED25519 else ()
        elif kty == KTY_SYMMETRIC:
            fits = (ALG_HMAC256,)
        elif kty == KTY_HSS_LMS:
            fits = (ALG_HSS_LMS,)
        else:
            fits = (self.alg,) if kty == KTY_AKP else ()
        return alg in fits

    def rights(self):
        """What remains to be known of it once its signature holds: roles and access, not its
        bytes."""
        return _Rights(self)

    def without_table(self):
        """The same key in bytes of its own, without what only makes verifying faster: 2 KiB."""
        pairs = [
            encode(label) + bytes(value)
            for label, value in self._raw.items()
            if label != KEY_TABLE
        ]
        return Key(head(MAP, len(pairs)) + b"".join(pairs))

    def named(self, kid):
        """True when `kid` (bytes-like) names this key."""
        return kid is not None and (
            (self.own_kid is not None and bytes(self.own_kid) == kid) or self.kid == kid
        )


class _Rights:
    """What a key that has signed may do."""

    def __init__(self, key):
        self.roles = key.roles
        self.access = key.access


class TrustStore:
    """The keys of a COSE_KeySet; `keys` is the list, in its order."""

    moment = None  # seconds since 1970; None: no clock; False: at boot, when nothing expires
    audience = ()  # the board's identifiers
    tries = None  # signatures that may still be tried, None: any number

    def __init__(self, data):
        c = Cursor(data)
        self.keys = [Key(c) for _ in range(c.array())]
        c.end()

    @classmethod
    def of(cls, keys, like=None):
        """A store of these keys, judging time and audience like another one."""
        made = cls(b"\x80")
        made.keys = list(keys)
        if like is not None:
            made.moment = like.moment
            made.audience = like.audience
        return made

    def without_tables(self):
        """The same store in little memory (see Key.without_table)."""
        return TrustStore.of([key.without_table() for key in self.keys], self)

    def judging_alike(self):
        """A store without keys that judges time and audience as this one."""
        return TrustStore.of((), self)

    def judges(self, names, moment):
        """Judge delegations for a board that these identifiers (or None) name, at `moment`; -> this
        store."""
        self.audience = names
        self.moment = moment
        return self

    def candidates(self, alg, kid=None):
        """The keys that may serve `alg`; the one that `kid` names comes first."""
        if kid is not None:
            kid = bytes(kid)
        keys = [key for key in self.keys if key.serves(alg)]
        if kid is not None and len(keys) > 1:
            keys = [key for key in keys if key.named(kid)] + [
                key for key in keys if not key.named(kid)
            ]
        return keys

    @property
    def development(self):
        """True when a development key is trusted."""
        return any(key.development for key in self.keys)
