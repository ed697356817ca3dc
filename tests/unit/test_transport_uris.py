"""URIs as a device needs them: splitting, resolving (RFC 3986 section 5), opening by scheme."""

from harness import raises
from suit import transports
from suit.errors import SuitError
from suit.numbers import R_LIMIT, R_NO_PAYLOAD
from suit.transports import resolve, split

BASE = "http://a/b/c/d;p?q"
# RFC 3986 section 5.4, those a device can meet (a fragment alone is an integrated payload)
RFC3986 = (
    ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"),
    ("/g", "http://a/g"), ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"),
    ("g?y", "http://a/b/c/g?y"), (";x", "http://a/b/c/;x"), ("", "http://a/b/c/d;p"),
    (".", "http://a/b/c/"), ("./", "http://a/b/c/"), ("..", "http://a/b/"), ("../", "http://a/b/"),
    ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../g", "http://a/g"),
    ("../../../g", "http://a/g"), ("../../../../g", "http://a/g"), ("/./g", "http://a/g"),
    ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), ("..g", "http://a/b/c/..g"),
    ("./../g", "http://a/b/g"), ("./g/.", "http://a/b/c/g/"), ("g/./h", "http://a/b/c/g/h"),
    ("g/../h", "http://a/b/c/h"), ("g?y/../x", "http://a/b/c/g?y/../x"),
)  # fmt: skip


def test_references_resolve_as_rfc_3986_says():
    for reference, expected in RFC3986:
        if reference == "":
            expected = (
                "http://a/b/c/d;p"  # the query belongs to the envelope, not to what it names
            )
        assert resolve(BASE, reference) == expected, (reference, resolve(BASE, reference))


def test_a_reference_beside_an_envelope_keeps_host_and_port():
    assert (
        resolve("coap://10.0.0.2:5683/rel/e.suit", "app.img") == "coap://10.0.0.2:5683/rel/app.img"
    )
    assert resolve("coap://[fe80::1]", "x") == "coap://[fe80::1]/x"
    assert resolve("file:///sd/u/e.suit", "p.img") == "file:///sd/u/p.img"


def test_a_path_without_scheme_is_a_base_too():
    assert resolve("/sd/e.suit", "p.img") == "/sd/p.img"
    assert resolve("/sd/e.suit", "../../../p.img") == "/p.img"
    assert resolve("e.suit", "p.img") == "p.img"


def test_an_integrated_payload_is_not_resolved():
    assert resolve(BASE, "#app") == "#app"


def test_an_overlong_uri_is_refused():
    raises(SuitError, resolve, BASE, "x" * 512, reason=R_LIMIT)
    raises(SuitError, transports.open, "http://a/" + "x" * 504, reason=R_LIMIT)
    assert len(resolve("http://a/", "x" * 503)) == 512


def test_split_gives_host_port_and_path():
    assert split("http://Host:8080/p?q#f") == ("http", "host", 8080, "/p?q")
    assert split("coap://[2001:db8::2]:61616/x") == ("coap", "2001:db8::2", 61616, "/x")
    assert split("HTTP://h?q") == ("http", "h", None, "/?q")
    assert split("http://h:/") == ("http", "h", None, "/")


def test_split_refuses_what_could_smuggle_something_into_a_request():
    for uri in (
        "http://h/a b", "http://h/a\r\nX: y", "http://h/\u00e9", "http://u@h/", "http:///p",
        "http://h:0/",
        "http://h:99999/", "http://h:1x/", "http:p", "no-scheme", "http://h\x7f/", "",
    ):  # fmt: skip
        raises(SuitError, split, uri, reason=R_NO_PAYLOAD)


def test_an_unknown_scheme_is_no_payload():
    error = raises(SuitError, transports.open, "ftp://h/x", reason=R_NO_PAYLOAD)
    assert error.detail == "ftp"
    raises(SuitError, transports.open, "/no/such/file", reason=R_NO_PAYLOAD)


def test_a_file_is_found_with_and_without_an_authority():
    for uri in ("file:///no/such%20file", "file:/no/such%20file", "/no/such file"):
        assert raises(SuitError, transports.open, uri, reason=R_NO_PAYLOAD).detail == "/no/such file"


def test_percent_signs_become_bytes_or_are_refused():
    assert transports.unquote("a%20b%C3%A9") == "a b\u00e9"
    for bad in ("%", "%1", "%zz", "%+1", "%-1", "%ff", "% 1"):
        raises(SuitError, transports.unquote, bad, reason=R_NO_PAYLOAD)
