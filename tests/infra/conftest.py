"""A copy of the files, to plant mistakes in."""

import shutil

import pytest

from tests.infra import bicep

COPIED = (
    *("infra", "approvals", "docs", ".devcontainer", ".github", ".ci", "azure.yaml", "docker-compose.yml"),
    *("host.json", "local.settings.json", "Makefile", ".funcignore"),
)


@pytest.fixture
def a_copy(tmp_path):
    """Give the root of a copy of all that is checked here."""
    for name in COPIED:
        path = bicep.ROOT / name
        if path.is_dir():
            shutil.copytree(path, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, tmp_path / name)
    return tmp_path


def pytest_terminal_summary(terminalreporter, config):
    """Say at the end what was left out; a letter among hundreds says nothing."""
    if config.getoption("--all") and not bicep.found():
        terminalreporter.write_line(
            f"The Bicep sources were not compiled, only their snapshots read: get the compiler, {bicep.HOW_TO_GET_IT}."
        )
