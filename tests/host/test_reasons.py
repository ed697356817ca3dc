"""Every reason of the device has its sentence."""

import pytest
from suitup import numbers as n
from suitup import reasons

REASONS = {name: value for name, value in vars(n).items() if name.startswith("R_")}


def test_the_numbers_are_distinct():
    assert len(set(REASONS.values())) == len(REASONS)


@pytest.mark.parametrize("name", REASONS)
def test_a_reason_is_explained_with_and_without_a_detail(name):
    reason = REASONS[name]
    plain, hint = reasons.explain(reason)
    assert plain and "{" not in plain and not plain.startswith("reason ")
    for detail in ("some text", 7, b"\x00"):
        told, _ = reasons.explain(reason, detail)
        assert "{" not in told and len(told) > len(plain)
    assert hint is None or hint[0].islower() or hint[0] in "`["
    assert reasons.name(reason) == name[2:].lower().replace("_", "-")


def test_numbers_in_details_are_named():
    assert "class-identifier (2)" in reasons.explain(n.R_CONDITION_FAILED, n.C_CLASS_ID)[0]
    assert "fetch (21)" in reasons.explain(n.R_OPERATION_FAILED, n.C_FETCH)[0]
    assert "ML-DSA-44 (-48)" in reasons.explain(n.R_ALG_UNSUPPORTED, n.ALG_ML_DSA_44)[0]
    assert "install (20)" in reasons.explain(n.R_SEVERED_DIGEST, n.M_INSTALL)[0]
    assert '["file", "s.json"]' in reasons.explain(n.R_COMPONENT_UNAUTHORISED, "(b'file', b's.json')")[0]
    assert reasons.explain(n.R_COMPONENT_UNAUTHORISED, "updater")[0].endswith("component updater")
    assert "time-of-day-utc (8)" in reasons.explain(n.R_WAITING, 8)[0]


def test_an_unknown_reason_is_said_to_be_one():
    assert reasons.explain(9999, "x") == ("reason 9999 (x)", "a newer suitup may know it")
