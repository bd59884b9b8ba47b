"""The metrics: named alike, and without anything of a caller."""

from prometheus_client import REGISTRY as SHARED

from client_caller.observe.metrics import REGISTRY

LABELS = {"reason", "result", "where", "le"}


def test_names_and_labels_come_from_fixed_sets() -> None:
    """Every metric of ours is prefixed, explained, and labelled by nothing but its fixed sets."""
    families = list(REGISTRY.collect())
    assert len(families) > 8
    for family in families:
        assert family.name.startswith(("client_caller_", "process_")), family.name
        assert family.documentation
        for sample in family.samples:
            assert set(sample.labels) <= LABELS


def test_the_process_wide_registry_stays_untouched() -> None:
    """What others register there is not ours to publish, and ours is not theirs."""
    assert not any(family.name.startswith("client_caller_") for family in SHARED.collect())
