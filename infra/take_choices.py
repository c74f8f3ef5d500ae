"""Makes the azd environment of a pipeline: what is deployed stays, but for what the pipeline's variables say.

Reads `VARIABLES` (a JSON object of the pipeline's variables), `IS_FIRST` (`true`: nothing is deployed yet) and those
that azd needs. Needs nothing but Python and azd. A value is handed to azd as an argument, whatever is in it, and is
never printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

NEEDED = ("AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID")
SECRETS = {"CALLBACKS", "CALLERS", "NOTIFY_ROOMS", "NOTIFY_URLS", "SMTP_URL"}
PARAMETERS = Path(__file__).parent / "main.parameters.json"


def main() -> str | None:
    """Give the sentence that says why nothing can be deployed, or nothing."""
    environment = os.environ
    if missing := [name for name in NEEDED if not environment.get(name)]:
        return f"The variable {missing[0]} is not set: `azd pipeline config` sets it."
    variables = {name.upper(): value for name, value in json.loads(environment.get("VARIABLES") or "{}").items()}
    if exposed := sorted(SECRETS & variables.keys()):
        return f"{exposed[0]} is a variable, which anybody may read in the logs: make it a secret of the environment."
    name, location, subscription = (environment[each] for each in NEEDED)
    where = ("--subscription", subscription, "--location", location)
    if azd("env", "new", name, *where, "--no-prompt"):
        return "azd could not make its environment: what it said is above."
    if environment.get("IS_FIRST", "").lower() != "true" and azd("env", "refresh", "--no-prompt"):
        return (
            "What is deployed could not be read, and deploying without it would undo choices made elsewhere. "
            "If nothing is deployed yet, run this workflow by hand and say so (is_first)."
        )
    for variable in sorted(choices() & variables.keys()):
        if azd("env", "set", "--", variable, str(variables[variable])):
            return f"azd did not take {variable}: what it said is above."
    return None


def choices() -> set[str]:
    """Name the variables that are choices: what main.parameters.json takes and azd does not fill itself."""
    parameters = json.loads(PARAMETERS.read_text(encoding="utf-8"))["parameters"].values()
    named = {each["value"].removeprefix("${").removesuffix("}") for each in parameters}
    return {name for name in named if not name.startswith("AZURE_")} - SECRETS


def azd(*arguments: str) -> int:
    """Run azd, whose words go to the log; give its exit code."""
    return subprocess.run(["azd", *arguments], check=False).returncode  # noqa: S603, S607


if __name__ == "__main__":
    if refused := main():
        sys.exit(f"::error::{refused}" if os.environ.get("GITHUB_ACTIONS") else refused)
