"""What would be deployed, as the committed snapshots show it. No compiler is needed here."""

import pytest

from tests.infra import bicep, snapshots

INFRA = bicep.ROOT / "infra"


@pytest.fixture(scope="module")
def shapes():
    return {shape.name: shape for shape in snapshots.read(INFRA)}


def test_every_shape_has_a_snapshot_and_every_snapshot_a_shape():
    sources = {path.stem for path in bicep.shapes(INFRA)}

    assert sources == snapshots.SHAPES.keys() == {shape.name for shape in snapshots.read(INFRA)}


@pytest.mark.parametrize("name", snapshots.SHAPES)
@pytest.mark.parametrize("fact", snapshots.FACTS, ids=lambda fact: fact.__name__)
def test_in_the_snapshot(fact, name, shapes):
    wrong = snapshots.wrong(fact, shapes[name])

    assert not wrong, f"{name}, {fact.__name__}:\n" + "\n".join(wrong)


def test_no_shape_differs_by_chance():
    """Every switch is on in one shape and off in another, so that both of its sides are looked at."""
    chosen = snapshots.SHAPES.values()

    for name in (
        "private",
        "developer",
        "zone_redundant",
        "sign_in",
        "alerts_to",
        "always_ready",
        "address",
        "tells_requester",
        "exports",
        "mails",
    ):
        assert {bool(getattr(each, name)) for each in chosen} == {True, False}, f"No shape tells what {name} does."
