"""Files that speak of the same thing say the same."""

import os
import subprocess
import sys

import pytest

from tests.infra import agreement, bicep


@pytest.mark.parametrize("agreed", agreement.AGREEMENTS, ids=lambda agreed: agreed.__name__)
def test_the_files_agree_that(agreed):
    wrong = agreement.wrong(agreed, bicep.ROOT)

    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(sys.platform == "win32", reason="the hook for sh")
def test_after_provisioning_a_person_reads_where_things_are_and_what_to_do_first():
    values = {name: f"<{name}>" for name in agreement.outputs(bicep.ROOT)}
    values["SERVICE_API_URL"] = "https://func-x.example.com"

    done = subprocess.run(
        ["sh", "infra/after-provision.sh"],
        cwd=bicep.ROOT,
        env={"PATH": os.environ["PATH"], **values},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "curl -s https://func-x.example.com/api/requests" in done.stdout
    assert "https://func-x.example.com/api/health" in done.stdout
    assert "<TASK_HUB_DASHBOARD_URL>" in done.stdout
    assert "az functionapp keys list -g <AZURE_RESOURCE_GROUP> -n <AZURE_FUNCTION_NAME>" in done.stdout
    assert (
        "Any key may do everything while the secret 'callers' of the vault <AZURE_KEY_VAULT_NAME> is {}" in done.stdout
    )
    assert not done.stderr
