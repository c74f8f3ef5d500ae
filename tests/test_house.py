"""The rules of the house, kept by tests: who may know whom, what must never be renamed, what must be written down."""

from __future__ import annotations

import ast
import functools
import graphlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from approvals import errors
from approvals.rules import events
from approvals.web import rights
from approvals.web.responses import METHODS

ROOT = Path(__file__).parent.parent
PRODUCT = sorted((ROOT / "approvals").glob("**/*.py"))
DEVHOST = sorted((ROOT / "devhost").glob("**/*.py"))

NO_CLOCK = [
    *(f"rules/{path.name}" for path in (ROOT / "approvals/rules").glob("*.py")),
    "durable/workflow.py",
    "durable/callback_workflow.py",
]

ROOMS = {
    # A room, or a file beside the rooms: what of ours it may import, and why it may know that. Six floors: rules;
    # errors and settings; people and records; durable; service; web. None knows one above it.
    "rules": ({}, "values and pure functions: they know nothing but each other"),
    "errors": ({"rules"}, "an error carries what stands as evidence"),
    "grant_errors": ({"rules", "errors"}, "errors of those who act on a yes"),
    "settings": ({}, "the environment alone"),
    "signals": ({}, "the lines that alerts look for: a table, and how one is written"),
    "people": (
        {"rules", "errors", "settings", "signals"},
        "who may speak for whom is judged on a story and refused by an error; channels are what the operator set",
    ),
    "rebuilding": ({"settings", "records", "durable"}, "a command that reads the scheduler as the app does"),
    "records": (
        {"rules", "settings", "rebuilding"},
        "what is remembered of requests, in a store that the operator set: it asks no scheduler and tells nobody",
    ),
    "receivers": (
        {"rules", "settings"},
        "which systems are told is the operator's choice, and what they are told is a rule",
    ),
    "durable": (
        {"rules", "errors", "settings", "signals", "people", "records", "receivers"},
        "the orchestration asks the rules, activities tell people and write records, the client says what is away",
    ),
    "callers": ({"settings", "people"}, "a command that makes a key, by the same rules that read it"),
    "old_forms": ({"rules"}, "a form of before there was a vocabulary, judged in a process of its own"),
    "service": (
        {
            "rules",
            "errors",
            "grant_errors",
            "settings",
            "signals",
            "people",
            "records",
            "receivers",
            "durable",
            "old_forms",
        },
        "a use case authorizes a person and hands an event to an instance, which it knows by type alone",
    ),
    "timers": (
        {"settings", "records", "durable", "service"},
        "what the app does by itself is a use case, too",
    ),
    "web": (
        {"rules", "errors", "grant_errors", "settings", "signals", "people", "records", "durable", "service"},
        "a route makes the service for its call; a page reads links, and stories to show them; lists are records",
    ),
}
SDK_ROOM, HTTP_ROOM = "durable", "web"
PURE = ["errors", *sorted(f"rules.{path.stem}" for path in (ROOT / "approvals/rules").glob("*.py"))]
PURE += [
    "people.links",
    "people.identity",
    "web.bodies",
    "web.headers",
    "web.representation",
    "web.fields",
    "web.jsontext",
]

AZURE = {"azure", "durabletask", "grpc"}
INPUT_AND_OUTPUT = {
    *("aiohttp", "asyncio", "concurrent", "ftplib", "glob", "http", "httpx", "io", "logging", "multiprocessing", "os"),
    *("pathlib", "requests", "selectors", "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess"),
    *("sys", "tempfile", "threading", "urllib"),
}
CHANCE_AND_TIME = {"random", "secrets", "time", "uuid", "zoneinfo"}
CHANCE_AND_TIME_CALLS = {
    *(
        "now",
        "utcnow",
        "today",
        "fromtimestamp",
        "time",
        "time_ns",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "sleep",
    ),
    *(
        "uuid1",
        "uuid4",
        "urandom",
        "getenv",
        "token_hex",
        "token_urlsafe",
        "token_bytes",
        "randint",
        "choice",
        "shuffle",
    ),
}
BUILTIN_INPUT_AND_OUTPUT = {"open", "print", "input", "exec", "eval", "__import__"}


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path):
    """Give the full names of the modules a file imports, anywhere in it, under TYPE_CHECKING too."""
    found = set()
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=module, names=names, level=0):
                found |= {module, *(f"{module}.{name.name}" for name in names)}
            case ast.ImportFrom(module=module):
                within = ".".join([path.parent.name, *([module] if module else [])])
                found |= {within, *(f"{within}.{name.name}" for name in names)}
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                found |= {name}
    return found


def roots(path):
    """Give the packages a file imports; `urllib.parse` only takes text apart, unlike the rest of its package."""
    return {name.partition(".")[0] for name in imports(path) if not name.startswith("urllib.parse")}


def written(name):
    """Read a document, or say kindly that it is not there."""
    path = ROOT / name
    if not path.exists():
        pytest.fail(f"{name} is not written yet. Whoever uses this needs it; this test reads what it promises.")
    return path.read_text(encoding="utf-8")


def known_to_git():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("This is no git checkout.")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


# --- who may know whom ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PRODUCT, ROOT / "function_app.py"], ids=lambda path: path.stem)
def test_the_product_does_not_know_where_it_runs_or_who_tests_it(path):
    wrong = roots(path) & {"devhost", "tests", "bench"}

    assert not wrong, f"{path.name} imports {wrong}: that is not deployed, and the app would not start."


@pytest.mark.parametrize("path", DEVHOST, ids=lambda path: path.stem)
def test_the_local_host_does_not_know_what_it_runs(path):
    wrong = roots(path) & {"approvals", "tests", "bench"}

    assert not wrong, f"{path.name} imports {wrong}: a host that knows its app proves nothing about another host."


@pytest.mark.parametrize("name", PURE)
def test_the_rules_touch_nothing(name):
    path = ROOT / f"approvals/{name.replace('.', '/')}.py"
    wrong = roots(path) & (AZURE | INPUT_AND_OUTPUT | CHANCE_AND_TIME)
    calls = {
        node.func.id for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not wrong, f"{name} imports {wrong}: rules and limits stay pure, so that they can be tested alone."
    assert not calls & BUILTIN_INPUT_AND_OUTPUT, f"{name} calls {calls & BUILTIN_INPUT_AND_OUTPUT}: it stays pure."


@pytest.mark.parametrize("name", NO_CLOCK)
def test_what_is_replayed_asks_no_clock_no_chance_and_no_environment(name):
    """An orchestrator is replayed: what differs from one run to the next breaks an instance that already runs."""
    path = ROOT / "approvals" / name
    wrong = roots(path) & (INPUT_AND_OUTPUT | CHANCE_AND_TIME)
    used = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}

    assert not wrong, f"{name} imports {wrong}: an orchestrator sees another world in every replay. Use an activity."
    assert not used & CHANCE_AND_TIME_CALLS, (
        f"{name} uses {used & CHANCE_AND_TIME_CALLS}: take the time from the context, and ids from the input."
    )
    assert "environ" not in used, f"{name} reads the environment: copy the setting into the input instead."


def test_the_settings_are_not_read_where_an_orchestrator_is_replayed():
    wrong = {name for name in imports(ROOT / "approvals/durable/workflow.py") if name.startswith("approvals.settings")}

    assert not wrong, "workflow.py reads settings: an operator who changes one would break instances that run."


def room_of(name):
    """Give the room of a module such as `approvals.rules.story`, or the file itself for one beside the rooms."""
    return name.split(".")[1] if name.count(".") else ""


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", PRODUCT, ids=module_of)
def test_a_room_knows_only_what_the_table_says(path):
    room = room_of(module_of(path))
    ours = {room_of(name) for name in imports(path) if name.startswith("approvals.")} & ROOMS.keys()

    if room:  # the package itself says nothing but its version
        may, why = ROOMS[room]
        wrong = ours - {*may, room}
        assert not wrong, f"{module_of(path)} imports from {wrong}; {room} may know {may or 'nothing else'}: {why}."
    else:
        assert not ours


def test_every_room_is_in_the_table_and_no_arrow_of_it_is_for_nothing():
    used = {room: set() for room in ROOMS}
    for path in PRODUCT:
        if room := room_of(module_of(path)):
            used[room] |= {room_of(name) for name in imports(path) if name.startswith("approvals.")} & ROOMS.keys()

    assert {room: found - {room} for room, found in used.items()} == {
        room: set(may) for room, (may, _) in ROOMS.items()
    }


@pytest.mark.parametrize("path", PRODUCT, ids=module_of)
def test_the_durable_sdk_and_http_each_have_one_room(path):
    """The lines that register routes need the SDK's blueprint; the client by its type is all else they know of it."""
    found, room = imports(path), room_of(module_of(path))
    durable = any(name.startswith("azure.durable_functions") for name in found)
    http = any(name.startswith("azure.functions") for name in found)
    registers = re.search(r"^@blueprint\.", path.read_text(encoding="utf-8"), re.MULTILINE)

    assert not durable or room == SDK_ROOM or registers, (
        f"{path.name} knows the durable SDK: that is approvals/durable's."
    )
    assert not http or room in {HTTP_ROOM, "timers"}, f"{path.name} knows HTTP: that is approvals/web's."


@pytest.mark.parametrize("path", PRODUCT, ids=module_of)
def test_no_file_is_longer_than_a_reader_is_patient(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, f"{path.name} has more than 500 lines: split it."


@pytest.mark.parametrize("package", ["approvals", "devhost"])
def test_modules_know_each_other_in_one_direction(package):
    known = {module_of(path): imports(path) for path in (ROOT / package).glob("**/*.py")}
    graph = {name: {other for other in known if other in found and other != name} for name, found in known.items()}

    try:
        tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        pytest.fail(f"These import each other in a circle: {' -> '.join(error.args[1])}. One of them knows too much.")


@pytest.mark.parametrize("path", DEVHOST, ids=lambda path: path.stem)
def test_a_file_of_the_local_host_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 500, f"{path.name} has more than one subject: split it."


def test_the_use_cases_know_no_azure_when_they_run():
    """All are imported in one process, one after another: the first that brings it is named."""
    names = [*PURE, "service.approvals", "people.callers"]
    code = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(f"approvals.{name}")
    if brought := {"azure", "aiohttp", "grpc"} & sys.modules.keys():
        sys.exit(f"approvals.{name} brings {brought} along; it is to be tested and reused without.")
"""

    done = subprocess.run([sys.executable, "-c", code, *names], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


# --- what must never be renamed, and who may call what --------------------------------------------

FUNCTIONS = {
    # name: trigger. The names of the orchestrator and of the activities are in the histories of instances that run:
    # to rename one strands them. Add a name; never change one, and remove one only when nothing runs any more.
    "requests": "httpTrigger",
    "request": "httpTrigger",
    "cancellation": "httpTrigger",
    "approval": "httpTrigger",
    "reassignment": "httpTrigger",
    "delegation": "httpTrigger",
    "inbox": "httpTrigger",
    "history": "httpTrigger",
    "consumption": "httpTrigger",
    "revocation": "httpTrigger",
    "receipt": "httpTrigger",
    "receipt_keys": "httpTrigger",
    "payload": "httpTrigger",
    "export": "httpTrigger",
    "approvals_batch": "httpTrigger",
    "policy_preview": "httpTrigger",
    "approval_page": "httpTrigger",
    "requester_page": "httpTrigger",
    "page_script": "httpTrigger",
    "health": "httpTrigger",
    "home": "httpTrigger",
    "description": "httpTrigger",
    "documents": "httpTrigger",
    "viewer_script": "httpTrigger",
    "approval_workflow": "orchestrationTrigger",
    "submit_approval_request": "activityTrigger",
    "process_approval": "activityTrigger",
    "callback_workflow": "orchestrationTrigger",
    "send_callback": "activityTrigger",
    "redelivery": "httpTrigger",
    "callback_ping": "httpTrigger",
    "subscription_workflow": "orchestrationTrigger",
    "subscriptions": "httpTrigger",
    "subscription": "httpTrigger",
    "sweep": "timerTrigger",
    "keep_house": "timerTrigger",
}

ROUTES = {
    # route: whom the host lets through: "function" is a holder of a key, "anonymous" is everyone; what a caller needs
    # beyond that is in approvals/web/rights.py
    "api/requests": "function",
    "api/inbox": "function",
    "api/requests/{request_id}/history": "function",
    "api/requests/{request_id}/consume": "function",
    "api/requests/{request_id}/revoke": "function",
    "api/requests/{request_id}/receipt": "function",
    "api/requests/{request_id}/redeliver": "function",
    "api/callbacks/ping": "function",
    "api/subscriptions": "function",
    "api/subscriptions/{subscription_id}": "function",
    ".well-known/jwks.json": "anonymous",
    "api/requests/{request_id}/payload": "function",
    "api/export": "function",
    "api/approvals/batch": "function",
    "api/requests/{request_id}": "function",
    "api/requests/{request_id}/cancel": "function",
    "api/approvals/{request_id}": "function",
    "api/requests/{request_id}/reassign": "function",
    "api/approvals/{request_id}/delegate": "function",
    "api/policies/preview": "function",
    "approve/{token}": "anonymous",
    "requested/{token}": "anonymous",
    "assets/time.js": "anonymous",
    "api/openapi.json": "anonymous",
    "api/docs": "anonymous",
    "assets/viewer.js": "anonymous",
    "/": "anonymous",
    "api/health": "anonymous",
}

INDEX = """
import json
import function_app
found = [(f.get_function_name(), f.get_trigger().get_dict_repr()) for f in function_app.app.get_functions()]
print(json.dumps(found, default=str))
"""


@pytest.fixture(scope="module")
def registered():
    """Give the functions as a host finds them: in a process that has imported the app and nothing else."""
    run = subprocess.run([sys.executable, "-c", INDEX], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"function_app cannot be imported alone:\n{run.stderr}"
    return json.loads(run.stdout.splitlines()[-1])


def test_the_names_of_the_functions_stay(registered):
    found = {name: trigger["type"] for name, trigger in registered}

    gone, new = FUNCTIONS.items() - found.items(), found.items() - FUNCTIONS.items()
    assert not gone, f"{sorted(gone)} is gone: instances that run call it by this name, and would wait forever."
    assert not new, f"{sorted(new)} is new: add it to FUNCTIONS in this test, where its name is promised."
    assert len(registered) == len(found)


def test_every_route_is_in_one_table_with_who_may_call_it(registered):
    found = {trigger["route"]: last_word(trigger["authLevel"]) for _, trigger in registered if "route" in trigger}

    assert found == ROUTES, (
        "A route or its auth level differs from the table of this test. Say there who may call it, and mean it."
    )


def test_every_route_has_a_row_in_the_table_of_rights_and_every_row_a_route():
    assert rights.ROUTES.keys() == ROUTES.keys()
    for route, anyone in ROUTES.items():
        for demand in rights.ROUTES[route].values():
            assert bool(demand.all or demand.own) == (anyone == "function"), f"{route}: a key there, a right here."
            assert bool(demand.why) == (anyone == "anonymous"), f"{route}: say why it is open to everyone."


def test_a_route_without_a_row_does_not_start():
    with pytest.raises(LookupError, match="who may call it"):
        rights.route("api/everything")


def test_every_route_names_all_methods_so_that_it_can_say_405_itself(registered):
    for _, trigger in registered:
        if "route" in trigger:
            found = sorted(last_word(method).upper() for method in trigger["methods"])
            assert found == sorted(METHODS), f"{trigger['route']} does not name all methods; the host would say 404."


def last_word(enumerated):
    return enumerated.rpartition(".")[2].lower()


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_offers_what_the_table_says(caller, route):
    methods = rights.ROUTES[route]

    path = route.format_map({"request_id": "0" * 32, "subscription_id": "0" * 32, "token": "none"})

    allowed = caller.http.options(f"/{path.lstrip('/')}").headers["Allow"]

    assert set(allowed.split(", ")) - {"HEAD", "OPTIONS"} == set(methods), (
        f"{route} offers {allowed}; the table of rights says {sorted(methods)}."
    )


@pytest.mark.parametrize("kind", ["decision", "decision-9-19", "change", "cancel"])
def test_event_names_are_lower_case_and_plain(kind):
    for request_id in ("0123456789abcdef" * 2, "ABCDEF" + "0" * 26):
        name = events.event_name(request_id, kind, 12)
        assert re.fullmatch(r"[a-z0-9-]+", name), f"{name}: the host compares names without case; ours have none."


# --- what must be written down --------------------------------------------------------------------


def settings_read():
    """Give the names that approvals/settings.py asks the environment for."""
    return sorted(
        {
            node.args[0].value
            for node in ast.walk(tree(ROOT / "approvals/settings.py"))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"read", "environment.get", "os.environ.get"}
            if node.args and isinstance(node.args[0], ast.Constant)
        }
        | {
            node.slice.value
            for node in ast.walk(tree(ROOT / "approvals/settings.py"))
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
            if isinstance(node.value, ast.Name) and node.value.id in {"environment", "environ"}
        }
    )


def codes():
    """Give the codes of all errors, as they are written in the two files that have any."""
    found = set()
    for name in ("errors", "web/responses"):
        for node in ast.walk(tree(ROOT / f"approvals/{name}.py")):
            match node:
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                    found.add(code)
    return sorted(found)


def test_this_test_finds_the_settings_and_the_codes():
    assert {"PUBLIC_BASE_URL", "NOTIFY_LOG"} <= set(settings_read())
    assert {errors.NotFound.code, errors.TooLate.code, "internal"} <= set(codes())


@pytest.mark.parametrize("name", settings_read())
def test_every_setting_is_described(name):
    assert f"`{name}`" in written("docs/settings.md"), f"docs/settings.md does not describe `{name}` (in backticks)."


def test_settings_are_read_in_one_place():
    for path in PRODUCT:
        used = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        if path.stem != "settings":
            assert not used & {"environ", "getenv"}, (
                f"{path.name} reads the environment; that is approvals/settings.py's."
            )


@pytest.mark.parametrize("code", codes())
def test_every_error_code_is_described(code):
    assert f"`{code}`" in written("docs/api.md"), (
        f"docs/api.md does not describe the error code `{code}` (in backticks)."
    )


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_described(route):
    for method in rights.ROUTES[route]:
        title = f"{method} /{route.lstrip('/')}"
        assert title in written("docs/api.md"), f"docs/api.md does not describe `{title}`."


def test_the_make_targets_the_readme_names_exist():
    readme = written("README.md")
    targets = set(re.findall(r"^([a-z-]+):", written("Makefile"), re.MULTILINE))
    code = re.findall(r"`([^`\n]+)`", readme) + re.findall(r"^[ \t]*(?:\$ )?(make .*)$", fenced(readme), re.MULTILINE)
    named = {name for piece in code for name in re.findall(r"\bmake ([a-z][a-z-]*)", piece)}

    assert named <= targets, f"README.md names make {named - targets}, which the Makefile does not have."


def fenced(text):
    return "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def test_every_make_target_says_what_it_does():
    makefile = written("Makefile")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()

    silent = [name for name in phony if not re.search(rf"^{name}:.*## \S", makefile, re.MULTILINE)]
    assert not silent, f"make help would not show {silent}: add ## and a few words."


# --- what the platform is told --------------------------------------------------------------------


@pytest.fixture
def host_json():
    return json.loads(written("host.json"))


@pytest.fixture
def local_settings():
    return json.loads(written("local.settings.json"))["Values"]


def test_the_routes_stand_at_the_root(host_json):
    assert host_json["extensions"]["http"]["routePrefix"] == "", (
        "Routes name /api themselves; a prefix would double it."
    )


def test_instances_carry_a_version(host_json):
    durable = host_json["extensions"]["durableTask"]

    assert durable.get("defaultVersion"), "Without defaultVersion a changed orchestrator cannot tell old instances."
    assert durable["versionMatchStrategy"] == "CurrentOrOlder"


def test_the_task_hub_and_the_scheduler_are_settings(host_json, local_settings):
    durable = host_json["extensions"]["durableTask"]
    connection = durable["storageProvider"]["connectionStringName"]

    assert durable["storageProvider"]["type"] == "azureManaged"
    assert durable["hubName"] == "%TASKHUB_NAME%"
    for name in (connection, "TASKHUB_NAME"):
        assert local_settings.get(name), (
            f"local.settings.json lacks {name}, which host.json asks for: func start fails."
        )


def test_the_task_hub_of_the_connection_is_the_task_hub_of_the_app(host_json, local_settings):
    connection = local_settings[host_json["extensions"]["durableTask"]["storageProvider"]["connectionStringName"]]
    parts = dict(part.split("=", 1) for part in connection.split(";"))

    assert parts["TaskHub"] == local_settings["TASKHUB_NAME"]


def test_local_settings_hold_no_secret(local_settings):
    text = json.dumps(local_settings)

    for word in ("AccountKey", "SharedAccessKey", "sig=", "Password", "Secret"):
        assert word not in text, f"local.settings.json holds a {word}, and it is in the repository."


def test_what_people_write_is_not_traced(host_json):
    tracing = host_json["extensions"]["durableTask"]["tracing"]

    assert (tracing["distributedTracingEnabled"], tracing["version"]) == (True, "V2"), (
        "Else the host warns at every start."
    )
    assert tracing["traceInputsAndOutputs"] is False, "Inputs hold names and comments of people; traces are kept."


def test_the_extension_bundle_is_one_that_knows_the_scheduler(host_json):
    assert host_json["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.32.0, 5.0.0)",
    }


# --- what is installed ----------------------------------------------------------------------------

IMPORTED_AS = {
    "azure-data-tables": "azure.data.tables",
    "aiosmtplib": "aiosmtplib",
    "azure-communication-email": "azure.communication.email",
    "azure-core": "azure.core",
    "azure-identity": "azure.identity",
    "azure-storage-blob": "azure.storage.blob",
    "azure-keyvault-keys": "azure.keyvault.keys",
    "joserfc": "joserfc",
    "standardwebhooks": "standardwebhooks",
    "email-validator": "email_validator",
    "requests": "requests",
    "rfc8785": "rfc8785",
    "apprise": "apprise",
    "Babel": "babel",
    "markdown-it-py": "markdown_it",
    "azure-functions": "azure.functions",
    "azure-functions-durable": "azure.durable_functions",
    "idna": "idna",
    "itsdangerous": "itsdangerous",
    "Jinja2": "jinja2",
    "jsonschema": "jsonschema",
    "pydantic": "pydantic",
}
BROUGHT_ALONG = {
    "aiohttp": "azure-functions-durable",
    "markupsafe": "Jinja2",
    "referencing": "jsonschema",
    "typing_extensions": "pydantic",
    "yarl": "azure-functions-durable",
}
"""Imported, and installed by another requirement which speaks through it: no pin of its own may disagree."""


def requirements(name):
    lines = [line.partition("#")[0].strip() for line in written(name).splitlines()]
    return [line for line in lines if line and not line.startswith("-r ")]


@functools.cache
def imported():
    return set().union(*(imports(path) for path in [*PRODUCT, ROOT / "function_app.py"]))


def among(module, names):
    return any(name == module or name.startswith(module + ".") for name in names)


@pytest.mark.parametrize(
    "name",
    [
        "requirements.in",
        "requirements.txt",
        "requirements-local.txt",
        "requirements-dev.txt",
        "constraints.txt",
    ],
)
def test_every_requirement_is_pinned(name):
    pinned = [line.partition(" ; ")[0] for line in requirements(name)]
    loose = [line for line in pinned if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)]

    assert not loose, f"{name} does not pin {loose}: what is deployed tomorrow would not be what was tested today."


def test_every_requirement_is_needed():
    for line in requirements("requirements.in"):
        name = line.partition("==")[0]
        assert name in IMPORTED_AS, f"Say in IMPORTED_AS how {name} is imported."
        assert among(IMPORTED_AS[name], imported()), f"Nothing that is deployed imports {name}: it can go."


def test_every_import_is_required():
    required = [IMPORTED_AS[line.partition("==")[0]] for line in requirements("requirements.in")]
    of_tools = {line.partition("-")[0] for line in requirements("requirements-tools.txt")}
    elsewhere = {*sys.stdlib_module_names, *BROUGHT_ALONG, *of_tools, "approvals"}
    others = {name for name in imported() - {"azure"} if name.partition(".")[0] not in elsewhere}

    missing = [name for name in others if not any(among(module, {name}) for module in required)]
    assert not missing, f"requirements.in does not bring {missing}; it is here only by chance."


def test_what_the_local_host_imports_is_installed_by_make_run():
    """`make run` installs no test tools: what devhost has only by them would be missing there."""
    local = {
        *("aiohttp", "aiosmtpd", "cronsim", "durabletask", "grpc"),
        *("azure.durable_functions", "azure.functions", "azure.identity"),
        *("google.protobuf", "multidict"),  # grpcio's and aiohttp's own
    }
    installed = " ".join(requirements("requirements-local.txt") + requirements("requirements.txt"))
    used = set().union(*(imports(path) for path in DEVHOST)) - {"azure", "google"}

    unknown = {
        name
        for name in used
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "devhost", "function_app"}
        and not any(among(m, {name}) for m in local)
    }
    assert not unknown, f"devhost imports {unknown}: put what brings it into requirements-local.txt, and here."
    for name in ("aiohttp", "aiosmtpd", "durabletask", "grpcio", "azure-functions", "azure-identity"):
        assert f"{name}==" in installed


def test_the_requirements_of_tests_include_those_of_running():
    assert "-r requirements-local.txt" in written("requirements-dev.txt").splitlines()
    assert "-r requirements.txt" in written("requirements-local.txt").splitlines()


def test_what_is_brought_along_is_still_imported():
    for module, by in BROUGHT_ALONG.items():
        assert among(module, imported()), f"{module} is not imported any more: take it off BROUGHT_ALONG."
        assert any(line.startswith(f"{by}==") for line in requirements("requirements.in"))


def test_the_constraints_agree_with_what_is_required():
    held = {plain(line) for line in requirements("constraints.txt")}

    for name in (
        *("requirements.in", "requirements.txt", "requirements-local.txt"),
        *("requirements-dev.txt",),
    ):
        differ = [line for line in requirements(name) if plain(line) not in held]
        assert not differ, f"{name} and constraints.txt disagree about {differ}."


def plain(line):
    name, _, version = line.partition(" ; ")[0].partition("==")
    return re.sub(r"[._-]+", "-", name).lower(), version


# --- what is in the repository --------------------------------------------------------------------


def test_nothing_names_a_place_on_one_machine():
    place = re.compile(rb"(?<![\w.])/(work|root)/[\w.]")

    for path in known_to_git():
        if path.is_file() and (found := place.search(path.read_bytes())):
            pytest.fail(f"{path.relative_to(ROOT)} names {found[0].decode()}..., which is there on one machine only.")


def test_nothing_generated_is_kept():
    kept = [path.name for path in known_to_git() if path.suffix in {".pyc", ".log"} or "__pycache__" in path.parts]

    assert not kept, f"{kept} is made by tools and need not be kept."
