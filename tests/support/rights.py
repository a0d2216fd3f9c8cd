"""Taking rights away from the operator, and giving them back."""

from collections.abc import Iterator
from contextlib import contextmanager

from devcluster.programs import OPERATOR
from tests.support.crd_schema import Manifest
from tests.support.objects import Objects

ROLE = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{OPERATOR.name}"


@contextmanager
def without_right_to(objects: Objects, resource: str) -> Iterator[None]:
    """The operator's ClusterRole says nothing about this resource while the block runs."""
    rules = objects.ask("GET", ROLE).raise_for_status().json()["rules"]
    set_rules(objects, [rule for rule in rules if resource not in rule["resources"]])
    try:
        yield
    finally:
        set_rules(objects, rules)


def set_rules(objects: Objects, rules: list[Manifest]) -> None:
    """These and no others."""
    headers = {"Content-Type": "application/merge-patch+json"}
    objects.ask("PATCH", ROLE, json={"rules": rules}, headers=headers).raise_for_status()
