"""User impersonation: headers (Kubernetes, "User impersonation"), and flags over a kubeconfig."""

from agentidp.kube.config.impersonation import Impersonation


def test_impersonation_headers_repeat_for_each_value() -> None:
    """Groups and extras may have several."""
    jane = Impersonation("jane", "7", ("admins", "people"), {"scopes": ("read", "write")})
    assert list(jane.headers()) == [
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "admins"),
        ("Impersonate-Group", "people"),
        ("Impersonate-Extra-scopes", "read"),
        ("Impersonate-Extra-scopes", "write"),
    ]
    assert list(Impersonation().headers()) == []


def test_impersonation_escapes_what_no_header_name_may_have() -> None:
    """Percent signs too, which escape all else (RFC 9110, section 5.6.2)."""
    assert [name for name, _ in Impersonation("jane", extra={"a/b%é": ("x",)}).headers()][
        1
    ] == "Impersonate-Extra-a%2Fb%25%C3%A9"


def test_impersonation_of_flags_goes_over_that_of_a_kubeconfig_field_by_field() -> None:
    """As kubectl merges them."""
    flags, file = Impersonation(groups=("admins",)), Impersonation("jane", groups=("people",), extra={"a": ("1",)})
    assert flags.over(file) == Impersonation("jane", groups=("admins",), extra={"a": ("1",)})
    assert flags.lacks_user
    assert not flags.over(file).lacks_user
