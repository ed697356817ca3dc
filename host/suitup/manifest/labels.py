"""Names of every registered number: suit-manifest-37 section 11, trust-domains-12, update-management.

Each table maps a number to the name of the text without its prefix (`suit-condition-image-match` is `image-match`)."""

from suitup import numbers as n

ENVELOPE = {
    n.ENV_DELEGATION: "delegation",
    n.ENV_AUTHENTICATION: "authentication-wrapper",
    n.ENV_MANIFEST: "manifest",
    n.M_COSWID: "coswid",
    n.M_DEPENDENCY_RESOLUTION: "dependency-resolution",
    n.M_PAYLOAD_FETCH: "payload-fetch",
    n.M_CANDIDATE_VERIFICATION: "candidate-verification",
    n.M_INSTALL: "install",
    n.M_TEXT: "text",
}
MANIFEST = {
    n.M_VERSION: "version",
    n.M_SEQUENCE_NUMBER: "sequence-number",
    n.M_COMMON: "common",
    n.M_REFERENCE_URI: "reference-uri",
    n.M_COMPONENT_ID: "component-id",
    n.M_SET_VERSION: "set-version",
    n.M_VALIDATE: "validate",
    n.M_LOAD: "load",
    n.M_INVOKE: "invoke",
    n.M_COSWID: "coswid",
    n.M_DEPENDENCY_RESOLUTION: "dependency-resolution",
    n.M_PAYLOAD_FETCH: "payload-fetch",
    n.M_CANDIDATE_VERIFICATION: "candidate-verification",
    n.M_INSTALL: "install",
    n.M_TEXT: "text",
    n.M_UNINSTALL: "uninstall",
    n.M_MUD: "mud",
}
COMMON = {
    n.COMMON_DEPENDENCIES: "dependencies",
    n.COMMON_COMPONENTS: "components",
    n.COMMON_SHARED_SEQUENCE: "shared-sequence",
}
COMMANDS = {
    n.C_VENDOR_ID: "vendor-identifier",
    n.C_CLASS_ID: "class-identifier",
    n.C_IMAGE_MATCH: "image-match",
    n.C_USE_BEFORE: "use-before",
    n.C_COMPONENT_SLOT: "component-slot",
    n.C_CHECK_CONTENT: "check-content",
    n.C_DEPENDENCY_INTEGRITY: "dependency-integrity",
    n.C_IS_DEPENDENCY: "is-dependency",
    n.C_PROCESS_DEPENDENCY: "process-dependency",
    n.C_SET_COMPONENT_INDEX: "set-component-index",
    n.C_ABORT: "abort",
    n.C_TRY_EACH: "try-each",
    n.C_WRITE: "write",
    n.C_SET_PARAMETERS: "set-parameters",
    n.C_OVERRIDE_PARAMETERS: "override-parameters",
    n.C_FETCH: "fetch",
    n.C_COPY: "copy",
    n.C_INVOKE: "invoke",
    n.C_DEVICE_ID: "device-identifier",
    n.C_IMAGE_NOT_MATCH: "image-not-match",
    n.C_MINIMUM_BATTERY: "minimum-battery",
    n.C_UPDATE_AUTHORIZED: "update-authorized",
    n.C_VERSION: "version",
    n.C_WAIT: "wait",
    n.C_SWAP: "swap",
    n.C_RUN_SEQUENCE: "run-sequence",
    n.C_UNLINK: "unlink",
    n.C_OVERRIDE_MULTIPLE: "override-multiple",
    n.C_COPY_PARAMS: "copy-params",
}
CONDITIONS = {
    n.C_VENDOR_ID,
    n.C_CLASS_ID,
    n.C_IMAGE_MATCH,
    n.C_USE_BEFORE,
    n.C_COMPONENT_SLOT,
    n.C_CHECK_CONTENT,
    n.C_DEPENDENCY_INTEGRITY,
    n.C_IS_DEPENDENCY,
    n.C_ABORT,
    n.C_DEVICE_ID,
    n.C_IMAGE_NOT_MATCH,
    n.C_MINIMUM_BATTERY,
    n.C_UPDATE_AUTHORIZED,
    n.C_VERSION,
}
PARAMETERS = {
    n.P_VENDOR_ID: "vendor-identifier",
    n.P_CLASS_ID: "class-identifier",
    n.P_IMAGE_DIGEST: "image-digest",
    n.P_USE_BEFORE: "use-before",
    n.P_COMPONENT_SLOT: "component-slot",
    n.P_STRICT_ORDER: "strict-order",
    n.P_SOFT_FAILURE: "soft-failure",
    n.P_IMAGE_SIZE: "image-size",
    n.P_CONTENT: "content",
    n.P_ENCRYPTION_INFO: "encryption-info",
    n.P_URI: "uri",
    n.P_SOURCE_COMPONENT: "source-component",
    n.P_INVOKE_ARGS: "invoke-args",
    n.P_DEVICE_ID: "device-identifier",
    n.P_FETCH_ARGUMENTS: "fetch-arguments",
    n.P_MINIMUM_BATTERY: "minimum-battery",
    n.P_UPDATE_PRIORITY: "update-priority",
    n.P_VERSION: "version",
    n.P_WAIT_INFO: "wait-info",
    n.P_COMPONENT_METADATA: "component-metadata",
}
TEXT = {
    1: "manifest-description",
    2: "update-description",
    3: "manifest-json-source",
    4: "manifest-yaml-source",
}
COMPONENT_TEXT = {
    1: "vendor-name",
    2: "model-name",
    3: "vendor-domain",
    4: "model-info",
    5: "component-description",
    6: "component-version",
    7: "version-required",
    8: "current-version",
}
REPORTING = {
    1: "record-on-success",
    2: "record-on-failure",
    4: "sysinfo-success",
    8: "sysinfo-failure",
}
ALGORITHMS = {
    n.ALG_SHA256: "SHA-256",
    n.ALG_SHA384: "SHA-384",
    n.ALG_SHA512: "SHA-512",
    n.ALG_SHAKE128: "SHAKE128",
    n.ALG_SHAKE256: "SHAKE256",
    n.ALG_ES256: "ES256",
    n.ALG_EDDSA: "EdDSA",
    n.ALG_ESP256: "ESP256",
    n.ALG_ED25519: "Ed25519",
    n.ALG_HSS_LMS: "HSS-LMS",
    n.ALG_ML_DSA_44: "ML-DSA-44",
    n.ALG_ML_DSA_65: "ML-DSA-65",
    n.ALG_HMAC256: "HMAC 256/256",
    n.ALG_A128KW: "A128KW",
    n.ALG_A192KW: "A192KW",
    n.ALG_A256KW: "A256KW",
    n.ALG_DIRECT: "direct",
    n.ALG_ECDH_ES_A128KW: "ECDH-ES+A128KW",
    n.ALG_A128GCM: "A128GCM",
    n.ALG_A256GCM: "A256GCM",
    n.ALG_CHACHA20_POLY1305: "ChaCha20/Poly1305",
    n.ALG_A128CTR: "A128CTR",
    n.ALG_A256CTR: "A256CTR",
}
# which manifest members are command sequences, in the order they run
SEQUENCES = (
    n.M_DEPENDENCY_RESOLUTION,
    n.M_PAYLOAD_FETCH,
    n.M_CANDIDATE_VERIFICATION,
    n.M_INSTALL,
    n.M_VALIDATE,
    n.M_LOAD,
    n.M_INVOKE,
    n.M_UNINSTALL,
)
# which may be severed (suit-manifest 8.4, trust-domains, update-management)
SEVERABLE = (
    n.M_COSWID,
    n.M_DEPENDENCY_RESOLUTION,
    n.M_PAYLOAD_FETCH,
    n.M_CANDIDATE_VERIFICATION,
    n.M_INSTALL,
    n.M_TEXT,
)


def name(table: dict, number) -> str:
    """The name of `number`, or what it is when the registry has none: `custom(-300)`, `unknown(99)`."""
    known = table.get(number) if isinstance(number, int) else None
    if known:
        return known
    return f"custom({number})" if isinstance(number, int) and number < 0 else f"unknown({number})"


def number(table: dict, wanted: str) -> int:
    """The number behind a name; KeyError when there is none."""
    for value, known in table.items():
        if known == wanted:
            return value
    raise KeyError(wanted)
