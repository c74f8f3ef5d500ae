"""What azd would send, built by .funcignore, installed where nothing else is, and indexed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.bicep import ROOT
from tests.infra.package import sent, wrongly_packed

INDEX = """
import json, sys
import function_app
functions = {f.get_function_name(): f.get_trigger().get_dict_repr()["type"] for f in function_app.app.get_functions()}
files = sorted({module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)})
print(json.dumps({"functions": functions, "files": files}, default=str))
"""


def index(python, folder):
    """Import function_app as the host's worker does: from its folder, knowing nothing else of ours."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-c", INDEX],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"function_app cannot be imported from the package:\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Give the folder that azd would send."""
    folder = tmp_path_factory.mktemp("package")
    for path in sent(ROOT):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder


@pytest.fixture(scope="module")
def installed(package, tmp_path_factory):
    """Give the Python of an environment with what the package requires, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = subprocess.run(
        [
            *(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("-r", package / "requirements.txt"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"requirements.txt cannot be installed:\n{done.stderr}"
    return python


@pytest.fixture(scope="module")
def indexed(package, installed):
    """Give what the host finds in the package."""
    return index(installed, package)


def test_the_package_is_the_product_and_nothing_else():
    assert not list(wrongly_packed(ROOT, ROOT / ".funcignore"))


@pytest.mark.parametrize(
    "name",
    [
        *("devhost/host.py", "tests/conftest.py", "bench/seed.py", "docs/api.md", "infra/main.bicep", "Makefile"),
        *(
            "local.settings.json",
            "requirements-dev.txt",
            "requirements.in",
            ".venv/bin/python",
            ".git/config",
            ".azure/x/.env",
        ),
        *("approvals/__pycache__/api.cpython-311.pyc", "README.md", ".env", "docker-compose.override.yml"),
    ],
)
def test_the_package_leaves_out(name, tmp_path):
    shutil.copy(ROOT / ".funcignore", tmp_path)
    for each in (name, "approvals/web/api.py"):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).touch()

    assert list(sent(tmp_path)) == [Path("approvals/web/api.py")]


def test_everything_that_is_sent_is_what_git_knows():
    known = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if known.returncode:
        pytest.skip("not a clone: git does not know these files")

    unknown = {path.as_posix() for path in sent(ROOT)} - set(known.stdout.splitlines())
    assert not unknown, f"{sorted(unknown)} would be deployed from this machine, and is not in the repository."


def test_the_package_imports_alone_and_has_every_function(package):
    assert index(sys.executable, package)["functions"] == index(sys.executable, ROOT)["functions"]


@pytest.mark.large
def test_the_package_imports_where_only_its_requirements_are_and_has_every_function(indexed):
    here = index(sys.executable, ROOT)

    assert indexed["functions"] == here["functions"]
    assert {"httpTrigger", "orchestrationTrigger", "activityTrigger", "timerTrigger"} == set(
        indexed["functions"].values()
    )


@pytest.mark.large
def test_everything_imported_is_of_the_package_or_of_its_environment(indexed, package, installed):
    ours = [str(package), str(installed.parents[1]), sys.base_prefix, str(Path(sys.base_prefix).resolve())]
    standard = str(Path(json.__file__).parents[1])

    elsewhere = [path for path in indexed["files"] if not path.startswith((*ours, standard))]
    assert not elsewhere, f"The app works by what happens to be here: {elsewhere}."


WHEN_NEEDED = {
    Path("approvals/records") / name for name in ("__init__.py", "store.py", "sqlite.py", "tables.py", "archive.py")
}
"""What only some apps need: a store, the first time it is asked."""


def test_every_module_in_the_package_is_imported_when_the_app_starts(package):
    files = index(sys.executable, package)["files"]
    imported = {Path(path).relative_to(package) for path in files if path.startswith(str(package))}
    commands = {
        Path("approvals") / name for name in ("callers.py", "rebuilding.py", "records/__main__.py")
    }  # run by a person, and never by the app
    modules = {path for path in sent(ROOT) if path.suffix == ".py"} - commands - WHEN_NEEDED

    assert modules == imported - WHEN_NEEDED, f"{sorted(map(str, modules - imported))} is deployed and never imported."


@pytest.mark.large
def test_every_distribution_that_is_installed_is_pinned_in_the_package(package, installed):
    code = """
import importlib.metadata, json
print(json.dumps({d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}))
"""
    done = subprocess.run([installed, "-c", code], capture_output=True, text=True, check=True)
    here = {canonical(name): version for name, version in json.loads(done.stdout).items()}
    of_the_environment = {"pip", "setuptools"}
    lines = [line for line in (package / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = {
        canonical(name): version for name, _, version in (line.partition(" ; ")[0].partition("==") for line in lines)
    }

    assert {name: version for name, version in here.items() if name not in of_the_environment} == pinned, (
        "What requirements.txt does not pin floats in the remote build: `make lock`."
    )


def canonical(name):
    """Write the name of a distribution as all its spellings mean it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.large
def test_the_environment_of_the_package_has_no_tool_of_ours(installed):
    code = "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"
    tools = ("pytest", "hypothesis", "httpx", "grpc", "durabletask", "ruff", "mypy", "devhost")

    done = subprocess.run(
        [installed, "-c", code, *tools], cwd=installed.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", "A tool is deployed: requirements.txt is for the app alone."
