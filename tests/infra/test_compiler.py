"""What the compiler says of the sources. In CI it must be there; elsewhere these tests say how to get it."""

import pytest

from tests.infra import bicep, snapshots

INFRA = bicep.ROOT / "infra"
pytestmark = pytest.mark.large


@pytest.fixture(autouse=True)
def compiler():
    """Find the compiler."""
    if not bicep.found():
        leave_out = pytest.fail if bicep.is_required() else pytest.skip
        leave_out(f"The Bicep compiler is not here, so nothing was compiled. Get it: {bicep.HOW_TO_GET_IT}.")


def test_there_are_sources():
    assert len(bicep.sources(INFRA)) > 10
    assert {path.stem for path in bicep.shapes(INFRA)} == snapshots.SHAPES.keys()


def test_the_compiler_and_its_linter_have_nothing_to_say():
    assert not list(bicep.complaints(INFRA))


def test_every_file_is_formatted():
    assert not list(bicep.unformatted(INFRA)), "Run `make infra`."


def test_the_snapshots_are_what_the_sources_make():
    assert not list(bicep.stale(INFRA))


def test_secrets_that_nobody_gave_are_written_only_if_there_are_none():
    def resources(template):
        found = template["resources"]
        for each in found.values() if isinstance(found, dict) else found:
            yield each
            if each["type"] == "Microsoft.Resources/deployments":
                yield from resources(each["properties"]["template"])

    once = [each["type"] for each in resources(bicep.template(INFRA)) if "onlyIfNotExists" in each.get("@options", {})]

    # the keys for links; no service, caller, rule of callbacks, mail server or room; and the key for receipts
    assert sorted(once) == ["Microsoft.KeyVault/vaults/keys", *["Microsoft.KeyVault/vaults/secrets"] * 6]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("param retentionInDays = 60", "30 days at most"),
        ("param retentionInDays = 91", "maximum allowable value is 90"),
        ("param schedulerSku = 'Free'", "'Consumption' | 'Dedicated'"),
        ("param schedulerIpAllowlist = []", "minimum allowable"),
        ("param maximumInstanceCount = 10", "minimum allowable"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_before_anything_is_deployed(line, says, a_copy):
    with (a_copy / "infra/shapes/default.bicepparam").open("a") as file:
        file.write(f"\n{line}\n")

    with pytest.raises(AssertionError, match="has no snapshot") as refused:
        bicep.snapshot(a_copy / "infra", only="default")
    assert says in str(refused.value)
