# Every registry number and every limit, once, with the section that gives it.
# MIT licence.
"""Labels of suit-manifest-37 (section 11 and Appendix A), suit-trust-domains-12, suit-update-management,
suit-report-19, COSE (RFC 9052/9053/9864/9964) and the limits and reasons of this implementation."""

# CBOR tags (IANA)
TAG_SUIT_ENVELOPE = 107
TAG_SUIT_MANIFEST = 1070
TAG_PEN = 112  # RFC 9090
TAG_MAC0 = 17
TAG_SIGN1 = 18
TAG_ENCRYPT0 = 16
TAG_ENCRYPT = 96
TAG_MAC = 97
TAG_SIGN = 98

# Envelope members (suit-manifest 8.2, trust-domains, update-management)
ENV_DELEGATION = 1
ENV_AUTHENTICATION = 2
ENV_MANIFEST = 3

# Manifest members (8.4); those from 14 up may be severed (8.5)
M_VERSION = 1
M_SEQUENCE_NUMBER = 2
M_COMMON = 3
M_REFERENCE_URI = 4
M_COMPONENT_ID = 5
M_SET_VERSION = 6
M_VALIDATE = 7
M_LOAD = 8
M_INVOKE = 9
M_COSWID = 14
M_DEPENDENCY_RESOLUTION = 15
M_PAYLOAD_FETCH = 16
M_CANDIDATE_VERIFICATION = 18
M_INSTALL = 20
M_TEXT = 23
M_UNINSTALL = 24
M_MUD = 25

# SUIT_Common (8.4.5)
COMMON_DEPENDENCIES = 1
COMMON_COMPONENTS = 2
COMMON_SHARED_SEQUENCE = 4

# Section names for reports; the shared sequence is not a manifest member of its own
S_SHARED = 3

# Commands (8.4.9, 8.4.10; 4, 25..29, 34, 35 update-management; 7, 8, 11, 33 trust-domains)
C_VENDOR_ID = 1
C_CLASS_ID = 2
C_IMAGE_MATCH = 3
C_USE_BEFORE = 4
C_COMPONENT_SLOT = 5
C_CHECK_CONTENT = 6
C_DEPENDENCY_INTEGRITY = 7
C_IS_DEPENDENCY = 8
C_PROCESS_DEPENDENCY = 11
C_SET_COMPONENT_INDEX = 12
C_ABORT = 14
C_TRY_EACH = 15
C_WRITE = 18
C_SET_PARAMETERS = 19
C_OVERRIDE_PARAMETERS = 20
C_FETCH = 21
C_COPY = 22
C_INVOKE = 23
C_DEVICE_ID = 24
C_IMAGE_NOT_MATCH = 25
C_MINIMUM_BATTERY = 26
C_UPDATE_AUTHORIZED = 27
C_VERSION = 28
C_WAIT = 29
C_SWAP = 31
C_RUN_SEQUENCE = 32
C_UNLINK = 33
C_OVERRIDE_MULTIPLE = 34
C_COPY_PARAMS = 35

# Parameters (8.4.8)
P_VENDOR_ID = 1
P_CLASS_ID = 2
P_IMAGE_DIGEST = 3
P_USE_BEFORE = 4
P_COMPONENT_SLOT = 5
P_STRICT_ORDER = 12
P_SOFT_FAILURE = 13
P_IMAGE_SIZE = 14
P_CONTENT = 18
P_ENCRYPTION_INFO = 19
P_URI = 21
P_SOURCE_COMPONENT = 22
P_INVOKE_ARGS = 23
P_DEVICE_ID = 24
P_FETCH_ARGUMENTS = 25
P_MINIMUM_BATTERY = 26
P_UPDATE_PRIORITY = 27
P_VERSION = 28
P_WAIT_INFO = 29
P_COMPONENT_METADATA = 30

# COSE algorithms (IANA; RFC 9053, RFC 9864, RFC 9964, RFC 8778, RFC 9459)
ALG_SHA256 = -16
ALG_SHAKE128 = -18
ALG_SHA384 = -43
ALG_SHA512 = -44
ALG_SHAKE256 = -45
ALG_ES256 = -7
ALG_EDDSA = -8
ALG_ESP256 = -9
ALG_ED25519 = -19
ALG_HSS_LMS = -46
ALG_ML_DSA_44 = -48
ALG_ML_DSA_65 = -49
ALG_HMAC256 = 5
ALG_A128KW = -3
ALG_A192KW = -4
ALG_A256KW = -5
ALG_DIRECT = -6
ALG_ECDH_ES_A128KW = -29
ALG_ECDH_ES_A192KW = -30
ALG_ECDH_ES_A256KW = -31
ALG_A128GCM = 1
ALG_A256GCM = 3
ALG_CHACHA20_POLY1305 = 24
ALG_A128CTR = -65534
ALG_A256CTR = -65532

# COSE header parameters and COSE_Key labels (RFC 9052)
HDR_ALG = 1
HDR_CRIT = 2
HDR_KID = 4
HDR_IV = 5
HDR_PARTIAL_IV = 6
HDR_EPHEMERAL = -1
HDR_SALT = -20
HDR_PARTY_U_IDENTITY = -21  # then nonce -22, other -23; party V -24, -25, -26
KEY_KTY = 1
KEY_KID = 2
KEY_ALG = 3
KEY_OPS = 4
KTY_OKP = 1
KTY_EC2 = 2
KTY_SYMMETRIC = 4
KTY_HSS_LMS = 5
KTY_AKP = 7
CRV_P256 = 1
CRV_X25519 = 4
CRV_ED25519 = 6
# our labels in the trust store, private use (below -65536)
KEY_ROLES = -70001  # uint, sum of ROLE_*; absent: ROLE_APP
KEY_DEVELOPMENT = -70002  # bool: made by `make`, never for production
KEY_TABLE = -70003  # bstr: p256.make_table, for verifying faster; as trusted as the key
KEY_ACCESS = -70005  # map of what it may do beyond its roles, see access.py; absent: everything
KEY_QUORUM = -70004  # uint: how many trusted keys must have signed for it to count; absent: 1
ROLE_APP = 1  # ["app"], ["file", ...], ["ram", ...]
ROLE_FIRMWARE = 2
ROLE_TRUST = 4
ROLE_UPDATER = 8
ROLE_DELEGATE = 16

# Reasons: suit-report-19 section 4 (0..12), then ours; BASE maps ours to the report's
R_OK = 0
R_CBOR_PARSE = 1
R_COSE_UNSUPPORTED = 2
R_ALG_UNSUPPORTED = 3
R_UNAUTHORISED = 4
R_COMMAND_UNSUPPORTED = 5
R_COMPONENT_UNSUPPORTED = 6
R_COMPONENT_UNAUTHORISED = 7
R_PARAMETER_UNSUPPORTED = 8
R_SEVERING_UNSUPPORTED = 9
R_CONDITION_FAILED = 10
R_OPERATION_FAILED = 11
R_INVOKE_PENDING = 12
R_STRUCTURE = 32  # well-formed CBOR, but not the structure of an envelope, manifest or command
R_LIMIT = 33  # over a limit below
R_VERSION = 34  # manifest version is not 1
R_ROLLBACK = 35  # sequence number below the floor
R_SEVERED_DIGEST = 36  # a severed member does not match its digest
R_MEMBER_MISSING = 37  # a severed member is needed but absent
R_SEQUENCE = 38  # index out of range, odd length, command not allowed here
R_NO_PAYLOAD = 39  # the payload cannot be had
R_TOO_LARGE = 40  # does not fit its component; or larger than image-size says
R_BUDGET = 41  # the step or allocation budget is used up
R_BUSY = 42  # an update is already under way
R_TRIAL_RUNNING = 43  # the running app is on trial: confirm or go back first
R_UP_TO_DATE = 44
R_KNOWN_BAD = 45  # this manifest was gone back from
R_NOT_MATCHED = 46  # board policy: no image-match succeeded for a component it would arm or invoke
R_STORAGE = 47  # filesystem full, I/O error
R_NETWORK = 48  # DNS, connection refused, timeout
R_SERVER = 49  # the server answered with an error code (detail says which)
R_DECRYPTION = 50  # wrong key, tag or content
R_NOT_ALLOWED = 51  # board policy: not from there, not now
R_CONTENT_CHANGED = 52  # the payload changed between blocks or did not match after a restart
R_DIGEST = 53  # what was stored does not match the digest at boot
R_WAITING = 54  # an event that the manifest waits for has not happened yet (detail: which)
R_NOT_PERMITTED = 55  # the key may not use this command or parameter (detail: which)
R_IMAGE = 56  # no firmware image for this chip
R_TLS = 57  # https: no clock, no CA, too little memory, or not the server it should be (detail)
R_UPDATER = 58  # on trial, but not under the updater that came with it: that one did not start
# why a board went back
R_BACK_EXCEPTION = 64  # the app ended with an exception (traceback kept)
R_BACK_WATCHDOG = 65  # the watchdog fired before confirm
R_BACK_TRIES = 66  # tries used up without confirm (detail 2: by power cuts, may be installed again)
R_BACK_MANUAL = 67  # suit.rollback() or the cable
R_BACK_INVALID = 68  # the stored manifest or image no longer verifies
R_BACK_ENDED = 69  # the app returned before it confirmed
R_BACK_FIRMWARE = 70  # the new firmware did not run (detail 1: it started, the bootloader went back;
# 2: after power cuts, and it may be installed again)

# Reporting policy bits (8.4.7)
REPORT_ON_SUCCESS = 1
REPORT_ON_FAILURE = 2
REPORT_SYSTEM_ON_SUCCESS = 4
REPORT_SYSTEM_ON_FAILURE = 8
MAX_POLICY = 15

# Limits (DESIGN, Encoding and limits), each enforced and tested
MAX_MANIFEST = 8192  # bytes
MAX_AUTHENTICATION = 81920  # bytes, streamed
MAX_COMPONENTS = 16
MAX_NESTING = 8  # within one CBOR item; nested sequences likewise
MAX_BRANCHES = 8  # sequences of one try-each
MAX_URI = 512  # bytes
MAX_DELEGATION = 4
MAX_TRIES = 32  # signatures tried, each with each key, for one envelope; as many for its delegations
MAX_DEPENDENCY_DEPTH = 4
MAX_STEPS = 4096  # commands executed in one procedure (each component counts)
