"""The Bicep compiler: what it says of the sources, and the snapshots it makes of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.infra import alerts, workbook

ROOT = Path(__file__).parents[2]
VERSION = "0.49.2"
HOW_TO_GET_IT = f"`az bicep install --version v{VERSION}`, then put ~/.azure/bin on the PATH"
SOURCES = ("**/*.bicep", "**/*.bicepparam")
# A deployment of nobody's, so that snapshots are the same everywhere.
WHERE = (
    *("--subscription-id", "00000000-0000-0000-0000-000000000000"),
    *("--tenant-id", "99999999-9999-9999-9999-999999999999"),
    *("--location", "northeurope"),
)


def found() -> str | None:
    return shutil.which("bicep")


def is_required() -> bool:
    """In CI the sources must be compiled."""
    return os.environ.get("CI", "").lower() == "true"


def run(*arguments, cwd):
    return subprocess.run([found(), *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def sources(infra):
    return sorted(path for pattern in SOURCES for path in infra.glob(pattern))


def shapes(infra):
    return sorted(infra.glob("shapes/*.bicepparam"))


def complaints(infra):
    """Give what the compiler and its linter say of any file."""
    for pattern in SOURCES:
        done = run("lint", "--pattern", pattern, cwd=infra)
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        yield from (line.replace(f"{infra}/", "") for line in said)
        if done.returncode and not said:
            yield f"The compiler failed on {pattern} without a word."


def unformatted(infra):
    """Name the files that the formatter would change."""
    with TemporaryDirectory() as folder:
        copy = shutil.copytree(infra, Path(folder) / "infra")
        for pattern in SOURCES:
            run("format", "--pattern", pattern, cwd=copy)
        for path in sources(infra):
            if path.read_bytes() != (copy / path.relative_to(infra)).read_bytes():
                yield f"{path.relative_to(infra)} is not as `bicep format` would have it."


def stale(infra):
    """Name the shapes whose snapshot is not what the sources make today."""
    for shape in shapes(infra):
        done = run("snapshot", str(shape), "--mode", "validate", *WHERE, cwd=infra)
        if done.returncode:
            yield f"{shape.stem}: its snapshot is not what the sources make. Run `make infra`, and read the difference."


def snapshot(infra, only=""):
    """Make the snapshots of all shapes, or of one. Outputs are sorted: the compiler writes them in any order."""
    for shape in [shape for shape in shapes(infra) if only in shape.stem]:
        done = run("snapshot", str(shape), "--mode", "overwrite", *WHERE, cwd=infra)
        if done.returncode:
            raise AssertionError(f"{shape.stem} has no snapshot: {done.stdout}{done.stderr}")
        path = shape.with_suffix(".snapshot.json")
        made = json.loads(path.read_text())
        made["outputs"] = dict(sorted(made["outputs"].items()))
        path.write_text(json.dumps(made, indent=2) + "\n")


def template(infra):
    """Give what would be sent to Azure, as JSON."""
    done = run("build", "main.bicep", "--stdout", cwd=infra)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


if __name__ == "__main__":
    if not found():
        raise SystemExit(f"The Bicep compiler is needed: {HOW_TO_GET_IT}.")
    (ROOT / "infra/alerts.json").write_text(alerts.written())
    (ROOT / "infra/workbook.json").write_text(workbook.written())
    for each in SOURCES:
        run("format", "--pattern", each, cwd=ROOT / "infra")
    if said := list(complaints(ROOT / "infra")):
        raise SystemExit("\n".join(said))
    snapshot(ROOT / "infra")
