"""What files must agree about, read from the files themselves. Each function gives a sentence for what is wrong."""

from __future__ import annotations

import ast
import json
import re

from approvals.signals import MEASURES, SIGNALS
from tests.infra import alerts, bicep, snapshots, workbook

# Set by the deployment for the host, the SDKs and the platform, which read them; the app does not.
OF_THE_HOST = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AZURE_CLIENT_ID",
    "AzureWebJobsDisableHomepage",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__tableServiceUri",
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
    "TASKHUB_NAME",
}
# Provided before the code that reads them, because the resources behind them are part of the deployment. Whoever
# makes approvals/settings.py read one takes it off this list.
AHEAD_OF_THE_CODE = {}
# What azd fills itself.
OF_AZD = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
# What only the vault may keep.
SECRETS = {"NOTIFY_URLS", "CALLERS", "CALLBACKS", "SMTP_URL", "NOTIFY_ROOMS"}
# What the app cannot do without when it is deployed.
NEEDED = {"APPROVAL_LINK_KEYS", "PUBLIC_BASE_URL"}
# The platform's own word, which no deployment may speak for it.
OF_THE_PLATFORM = "WEBSITE_"
# What they log has the address of the request in it: it goes nowhere.
SILENT = ("Microsoft.Azure.WebJobs.Script.WebHost.Middleware.SystemTraceMiddleware", "Microsoft.AspNetCore")

SEED_COMMANDS = (
    "az extension add --name durabletask",
    "az durabletask scheduler create",
    "az durabletask taskhub create",
    "az durabletask scheduler show",
    "az durabletask retention-policy create",
    "az role assignment create",
    "ENDPOINT=",
    "TASKHUB=",
)

# --- reading --------------------------------------------------------------------------------------


def text(root, path):
    return (root / path).read_text()


def plain_json(root, path):
    """Read JSON in which whole lines may be comments."""
    return json.loads(re.sub(r"^\s*//.*$", "", text(root, path), flags=re.MULTILINE))


def parameters(root):
    """Give the names of main.bicep's parameters."""
    return set(re.findall(r"^param (\w+) ", text(root, "infra/main.bicep"), re.MULTILINE))


def variables(root):
    """Give which environment variable azd fills which parameter from."""
    passed = plain_json(root, "infra/main.parameters.json")["parameters"]
    return {name: each["value"].removeprefix("${").removesuffix("}") for name, each in passed.items()}


def outputs(root):
    return set(re.findall(r"^output (\w+) ", text(root, "infra/main.bicep"), re.MULTILINE))


def settings_read(root):
    """Give the settings that the code asks the environment for."""
    tree = ast.parse(text(root, "approvals/settings.py"))
    names = re.compile(r"[A-Z][A-Z0-9_]+")
    return {
        node.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call | ast.Subscript)
        for node in ast.walk(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and names.fullmatch(node.value)
    }


def settings_set(root):
    """Give the app settings of all shapes, and who chose them: the deployment, or an operator."""
    made = {name for shape in snapshots.read(root / "infra") for name in shape.settings}
    chosen = re.search(r"param appSettings = \{(.*?)\}", text(root, "infra/shapes/dedicated.bicepparam"), re.DOTALL)
    return made, set(re.findall(r"(\w+): ", chosen[1]))


def local_settings(root):
    return plain_json(root, "local.settings.json")["Values"]


def parts(connection):
    return dict(part.split("=", 1) for part in connection.split(";") if part)


def durable(root):
    return plain_json(root, "host.json")["extensions"]["durableTask"]


def ports(root):
    """Give the ports docker-compose.yml publishes, each with the address it is bound to."""
    return re.findall(r'^\s*- "?((?:[\d.]+:)?)(\d+):\d+"?', text(root, "docker-compose.yml"), re.MULTILINE)


def code(root):
    return [path.read_text() for path in sorted((root / "approvals").rglob("*.py"))]


def routes(root):
    """Give the routes of the app, and those that need no key."""
    every, anonymous = set(), set()
    for source in code(root):
        otherwise = re.search(r"http_auth_level=func\.AuthLevel\.(\w+)", source)
        for route, rest in re.findall(r"\.route\(\s*route=route\(\"([^\"]+)\"\)(.*?)\)\n", source, re.DOTALL):
            level = re.search(r"AuthLevel\.(\w+)", rest) or otherwise
            every.add(route)
            if level and level[1] == "ANONYMOUS":
                anonymous.add(route)
    return every, anonymous


def workflows(root):
    return {path.name: path.read_text() for path in sorted((root / ".github/workflows").glob("*.yml"))}


# --- azd ------------------------------------------------------------------------------------------


def azd_fills_every_parameter(root):
    """The key for links is chance, used once: nobody is to choose it."""
    names, passed = parameters(root), variables(root)
    yield from (f"main.parameters.json leaves {name} out." for name in sorted(names - passed.keys() - {"firstLinkKey"}))
    yield from (f"main.bicep has no parameter {name}." for name in sorted(passed.keys() - names))
    if len(set(passed.values())) < len(passed):
        yield "Two parameters come from one variable."
    standard = {
        "environmentName": "AZURE_ENV_NAME",
        "location": "AZURE_LOCATION",
        "principalId": "AZURE_PRINCIPAL_ID",
        "principalType": "AZURE_PRINCIPAL_TYPE",
    }
    yield from snapshots.differences("main.parameters.json", passed, standard)


def azd_finds_the_service(root):
    said = text(root, "azure.yaml")
    name = re.search(r"^var serviceName = '(\w+)'", text(root, "infra/main.bicep"), re.MULTILINE)[1]
    service = re.search(r"^services:\n  (\w+):\n((?:    .*\n)+)", said, re.MULTILINE)
    if not service or service[1] != name:
        yield f"azure.yaml does not name the service {name}, by which azd finds the app."
        return
    lines = {line.strip() for line in service[2].splitlines()}
    for line in ("project: .", "language: python", "host: function", "remoteBuild: true"):
        if line not in lines:
            yield f"azure.yaml does not say `{line}` of the service."
    if not {f"SERVICE_{name.upper()}_NAME", f"SERVICE_{name.upper()}_URL"} <= outputs(root):
        yield f"main.bicep has no outputs SERVICE_{name.upper()}_NAME and _URL."


def azd_runs_hooks_that_are_there(root):
    named = re.findall(r"run: \./(\S+)", text(root, "azure.yaml"))
    if {path.rpartition(".")[2] for path in named} != {"sh", "ps1"}:
        yield f"The hooks are {named}: one is for sh, one for pwsh."
    for path in named:
        if not (root / path).is_file():
            yield f"azure.yaml runs {path}, which is not there."


def hooks_speak_of_outputs_only(root):
    for path in ("infra/after-provision.sh", "infra/after-provision.ps1"):
        named = set(re.findall(r"\$(?:env:)?([A-Z][A-Z_]+)", text(root, path)))
        yield from (f"{path} prints {name}, which is no output." for name in sorted(named - outputs(root)))
        for name in ("SERVICE_API_URL", "SCHEDULER_ENDPOINT", "TASK_HUB_NAME", "TASK_HUB_DASHBOARD_URL"):
            if name not in named:
                yield f"{path} does not say {name}."
        if "Any key may do everything" not in text(root, path):
            yield f"{path} does not say what a key may do while no caller is named."
        if "/api/requests" not in text(root, path):
            yield f"{path} does not say how to make the first request."


# --- settings -------------------------------------------------------------------------------------


def host_json_finds_its_settings(root):
    connection = durable(root)["storageProvider"]["connectionStringName"]
    hub = durable(root)["hubName"].strip("%")
    made, _ = settings_set(root)
    for name in (connection, hub):
        if name not in made:
            yield f"host.json asks for {name}, which the deployment does not set."
        if name not in local_settings(root):
            yield f"host.json asks for {name}, which local.settings.json does not set."


def every_app_setting_is_read_by_somebody(root):
    made, chosen = settings_set(root)
    read = settings_read(root)
    known = OF_THE_HOST | AHEAD_OF_THE_CODE.keys() | read
    yield from (f"The deployment sets {name}, which nobody reads." for name in sorted(made - known))
    yield from (f"A shape chooses {name}, which nobody reads." for name in sorted(chosen - known))
    for name in sorted(made | chosen):
        if name.startswith(OF_THE_PLATFORM):
            yield f"The deployment sets {name}, which is the platform's to say."
    for name in sorted(AHEAD_OF_THE_CODE.keys() & read):
        yield f"The code reads {name} now: take it off AHEAD_OF_THE_CODE."
    for name in sorted(AHEAD_OF_THE_CODE.keys() - made):
        yield f"{name} is said to be provided ahead of the code, and is not."


def what_the_app_needs_is_set(root):
    for shape in snapshots.read(root / "infra"):
        yield from (f"{shape.name} does not set {name}." for name in sorted(NEEDED - shape.settings.keys()))
    yield from (f"{name} is needed, and nobody reads it." for name in sorted(NEEDED - settings_read(root)))


def local_settings_are_read_by_somebody(root):
    hosts = {"AzureWebJobsStorage", "AzureWebJobsDisableHomepage", "FUNCTIONS_WORKER_RUNTIME"}
    known = settings_read(root) | OF_THE_HOST | hosts
    yield from (f"local.settings.json sets {name}, which nobody reads." for name in local_settings(root).keys() - known)


def the_host_takes_what_the_app_takes(root):
    limit = int(re.search(r"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '(\d+)'", app_module(root))[1])
    own = re.search(r"^BODY_BYTES = ([\d *]+)", text(root, "approvals/web/bodies.py"), re.MULTILINE)
    if not own:
        yield "approvals/web/bodies.py does not say BODY_BYTES."
    elif limit < 2 * product(own[1]):
        yield f"The host refuses bodies of {limit} bytes before the app can say why."


def product(written):
    result = 1
    for factor in written.split("*"):
        result *= int(factor)
    return result


def app_module(root):
    return text(root, "infra/modules/function-app.bicep")


def the_keys_for_links_are_written_once(root):
    source = text(root, "infra/modules/key-vault.bicep")
    if not re.search(r"module linkKeys 'first-secret\.bicep' = \{", source):
        yield "A later `azd up` would make new keys, and void every link that people have."
    if "param firstLinkKey string = newGuid()" not in text(root, "infra/main.bicep"):
        yield "The first key is not made by chance."


def a_first_secret_is_written_once_and_another_always(root):
    once = "@onlyIfNotExists()\n  resource secret 'secrets'"
    if once not in text(root, "infra/modules/first-secret.bicep"):
        yield "A later `azd up` would write over what somebody put into the vault."
    if "@onlyIfNotExists" in text(root, "infra/modules/secret.bicep"):
        yield "A secret that is given anew would not be written."


def a_vault_secret_at_first_means_nothing_set(root):
    """A vault takes no empty secret."""
    source = text(root, "infra/modules/key-vault.bicep")
    at_first = dict(re.findall(r"name: (\w+)Name\n    value: '([^']*)'", source))
    wanted = {"notifyUrls": "none", "callers": "{}", "callbacks": "{}", "smtpUrl": "none", "notifyRooms": "none"}
    yield from snapshots.differences("At first", at_first, wanted)
    if '"none"' not in text(root, "approvals/settings.py"):
        yield "approvals/settings.py does not know that none means no service."


def what_was_chosen_is_known_to_the_next_deployment(root):
    """What is no secret is an output, under the name by which azd takes it."""
    given = re.findall(r"^output (\w+) \w+ = (\w+)$", text(root, "infra/main.bicep"), re.MULTILINE)
    for name, variable in sorted(variables(root).items()):
        if variable not in OF_AZD | SECRETS and (variable, name) not in given:
            yield f"A deployment from elsewhere would undo {variable}: main.bicep has no output of it."
    for name in sorted(SECRETS & outputs(root)):
        yield f"{name} is a secret, and an output."


# --- on this machine ------------------------------------------------------------------------------


def compose_publishes_to_this_machine_only(root):
    published = ports(root)
    if not published:
        yield "docker-compose.yml publishes nothing."
    for address, port in published:
        if address != "127.0.0.1:":
            yield f"docker-compose.yml opens {port} to the network."


def compose_offers_what_local_settings_ask_for(root):
    connection = parts(local_settings(root)["DURABLE_TASK_SCHEDULER_CONNECTION_STRING"])
    published = {port for _, port in ports(root)}
    hubs = re.search(r"DTS_TASK_HUB_NAMES: (\S+)", text(root, "docker-compose.yml"))
    if not hubs or local_settings(root)["TASKHUB_NAME"] not in hubs[1].split(","):
        yield "The emulator has no task hub of the name that local.settings.json asks for."
    if connection["Endpoint"].rpartition(":")[2] not in published:
        yield f"Nothing listens at {connection['Endpoint']}."
    if connection.get("TaskHub", local_settings(root)["TASKHUB_NAME"]) != local_settings(root)["TASKHUB_NAME"]:
        yield "The connection string names another task hub than TASKHUB_NAME."
    if local_settings(root)["AzureWebJobsStorage"] == "UseDevelopmentStorage=true":
        for port in sorted({"10000", "10001", "10002"} - published):
            yield f"The storage emulator is not at {port}."
    if "8082" not in published:
        yield "The emulator's dashboard is not at 8082, where the README says it is."


def the_devcontainer_has_all_of_it(root):
    container = plain_json(root, ".devcontainer/devcontainer.json")
    for port in sorted({7071, *(int(port) for _, port in ports(root))} - set(container["forwardPorts"])):
        yield f"The devcontainer does not forward {port}."
    features = " ".join(container["features"])
    for word in ("azure-cli", "docker-in-docker", "azd", "azure-functions-core-tools"):
        if word not in features:
            yield f"The devcontainer has no {word}."
    if "make" not in container["postCreateCommand"]:
        yield "The devcontainer does not make its environment."


def python_is_the_same_everywhere(root):
    version = re.search(r"runtime: \{ name: 'python', version: '([\d.]+)' \}", app_module(root))[1]
    said = {
        "the devcontainer": re.search(r"python:([\d.]+)", text(root, ".devcontainer/devcontainer.json"))[1],
        "the Makefile": re.search(r"PYTHONS = .*?,python([\d.]+)", text(root, "Makefile"))[1],
        ".ci/run": re.search(r"command -v python([\d.]+)", text(root, ".ci/run"))[1],
        "check.yml": re.search(r'python-version: "([\d.]+)"', workflows(root)["check.yml"])[1],
    }
    yield from (f"{who} has Python {got}, the app {version}." for who, got in said.items() if got != version)


def the_compiler_is_the_same_everywhere(root):
    for path in (".devcontainer/devcontainer.json", ".github/workflows/check.yml", "docs/deploy.md"):
        if f"az bicep install --version v{bicep.VERSION}" not in text(root, path):
            yield f"{path} gets another compiler than {bicep.VERSION}, or none."


def what_can_be_tried_is_there(root):
    known, _ = routes(root)
    shapes = {re.sub(r"\{\w+\}", "*", route) for route in known}
    asked = re.findall(r"^(?:GET|POST|PUT|PATCH|DELETE) \{\{host\}\}/(\S+)", text(root, "docs/try.http"), re.MULTILINE)
    if not asked:
        yield "docs/try.http asks nothing."
    for path in asked:
        if re.sub(r"\{\{\w+\}\}", "*", path) not in shapes:
            yield f"docs/try.http asks for /{path}, which is no route."


# --- what the deployment knows of the app ---------------------------------------------------------


def health_is_asked_where_it_answers_everyone(root):
    _, anonymous = routes(root)
    path = re.search(r"healthCheckPath: '/([^']+)'", app_module(root))[1]
    if path not in anonymous:
        yield f"/{path} is asked for the app's health, and is no route that answers without a key."
    if "unauthenticatedClientAction: 'AllowAnonymous'" not in text(root, "infra/modules/sign-in.bicep"):
        yield f"With sign-in on, /{path} would want a person."


def only_links_and_health_answer_without_a_key(root):
    """Sign-in turns nobody away: the keys do. What is the same for all needs no guard."""
    every, anonymous = routes(root)
    health = re.search(r"healthCheckPath: '/([^']+)'", app_module(root))[1]
    for route in sorted(anonymous - {health, "/", "api/openapi.json", "api/docs", ".well-known/jwks.json"}):
        if not route.startswith(("approve/{", "requested/{")) and not re.fullmatch(r"assets/[^{]+", route):
            yield f"/{route} answers anyone, and no link guards it."
    if not every - anonymous:
        yield "No route wants a key."


def the_host_records_no_address(root):
    """A link is in the address of its page."""
    logging = plain_json(root, "host.json")["logging"]
    insights = logging["applicationInsights"]
    if insights["httpAutoCollectionOptions"]["enableHttpTriggerExtendedInfoCollection"] is not False:
        yield "The telemetry of a request would have its address."
    if insights["enableLiveMetricsFilters"] is not True:
        yield "Live metrics would show what is kept out of the logs."
    for category in SILENT:
        if logging["logLevel"].get(category) != "None":
            yield f"{category} would write addresses to the log."
    source = text(root, "infra/alerts.json")
    for word in ("ResultCode", "Url"):
        if word in source:
            yield f"An alert asks for {word}, which is not recorded then."


def what_alerts_count_is_not_sampled(root):
    sampling = plain_json(root, "host.json")["logging"]["applicationInsights"]["samplingSettings"]
    tables = set(re.findall(r"\bApp(Trace|Request|Exception|Event)s", text(root, "infra/alerts.json")))
    for kind in sorted(tables - set(sampling["excludedTypes"].split(";"))):
        yield f"An alert counts {kind}s, of which the host drops some when there are many."


def alerts_are_made_from_the_table_of_signals(root):
    """That the app writes these lines is for tests/unit/test_signals.py to say."""
    if text(root, "infra/alerts.json") != alerts.written():
        yield "infra/alerts.json is not what approvals/signals.py makes: run `make infra`."
    if "var rules = loadJsonContent('../alerts.json')" not in text(root, "infra/modules/alerts.bicep"):
        yield "The alerts are not those of infra/alerts.json."
    if text(root, "infra/workbook.json") != workbook.written():
        yield "infra/workbook.json is not what approvals/signals.py makes: run `make infra`."
    said = text(root, "docs/operations.md")
    for each in dict.fromkeys((*SIGNALS, *(measure.signal for measure in MEASURES))):
        if f"| `{' '.join([each.code, *(f'{name}=…' for name in each.fields)])}` |" not in said:
            yield f"docs/operations.md does not describe {each.code} with its fields."
    activities = "".join(text(root, f"approvals/durable/{name}.py") for name in ("activities", "callbacks"))
    for names in re.findall(r"Name !?in \(([^)]*)\)", " ".join(each["query"] for each in rules(root))):
        for name in re.findall(r"\w+", names):
            if f"def {name}(" not in activities:
                yield f"An alert looks for {name}, which is no activity."


def rules(root):
    return json.loads(text(root, "infra/alerts.json"))


# --- workflows and pages --------------------------------------------------------------------------


def workflows_use_actions_of_one_commit(root):
    """A tag can be moved; a commit cannot."""
    found = [use for said in workflows(root).values() for use in re.findall(r"uses: (\S+)", said)]
    if not found:
        yield "No workflow uses any action: were they found?"
    for use in found:
        if not use.startswith("./") and not re.search(r"@[0-9a-f]{40}$", use):
            yield f"{use} names no commit."


def a_pull_request_is_checked_as_here(root):
    said = workflows(root).get("check.yml", "")
    ours = ("run: make check\n", "run: make test\n", "run: make test-all ")
    for line in ("pull_request:", *ours, "bicep lint infra/main.bicep", "bicep build infra/main."):
        if line not in said:
            yield f"check.yml does not say `{line.strip()}`."


def the_main_branch_is_deployed_without_a_secret(root):
    said = workflows(root).get("deploy.yml", "")
    lines = (
        *("branches: [main]", "id-token: write", "contents: read", "needs: check", "azd provision --no-prompt"),
        *("azd deploy --no-prompt", "--federated-credential-provider github", "run: python3 infra/take_choices.py"),
    )
    yield from (f"deploy.yml does not say `{line}`." for line in lines if line not in said)
    for name in sorted(set(re.findall(r"secrets\.(\w+)", said)) - SECRETS):
        yield f"deploy.yml uses the secret {name}; federated credentials need none."
    for name in sorted(SECRETS):
        if f"{name}: ${{{{ secrets.{name} }}}}" not in said:
            yield f"deploy.yml does not take {name} from a secret, which logs mask."
    if "GITHUB_ENV" in said:
        yield "deploy.yml writes variables to the environment file, where a line end begins another one."


def no_other_branch_is_deployed(root):
    """A workflow that is started by hand may be started on any branch."""
    said = workflows(root).get("deploy.yml", "")
    if not re.search(r"^  deploy:\n(?:    .*\n)*?    if: github\.ref == 'refs/heads/main'\n", said, re.MULTILINE):
        yield "deploy.yml deploys other branches than main."


def the_manual_way_is_written_down(root):
    said = text(root, "docs/deploy.md")
    yield from (f"docs/deploy.md does not say `{command}`." for command in SEED_COMMANDS if command not in said)


def every_choice_is_written_down(root):
    said = text(root, "docs/deploy.md")
    for name in sorted(set(variables(root).values()) - OF_AZD):
        if f"`{name}`" not in said:
            yield f"docs/deploy.md does not describe `{name}`."


AGREEMENTS = [
    azd_fills_every_parameter,
    azd_finds_the_service,
    azd_runs_hooks_that_are_there,
    hooks_speak_of_outputs_only,
    host_json_finds_its_settings,
    every_app_setting_is_read_by_somebody,
    what_the_app_needs_is_set,
    local_settings_are_read_by_somebody,
    the_host_takes_what_the_app_takes,
    the_keys_for_links_are_written_once,
    a_first_secret_is_written_once_and_another_always,
    a_vault_secret_at_first_means_nothing_set,
    what_was_chosen_is_known_to_the_next_deployment,
    compose_publishes_to_this_machine_only,
    compose_offers_what_local_settings_ask_for,
    the_devcontainer_has_all_of_it,
    python_is_the_same_everywhere,
    the_compiler_is_the_same_everywhere,
    what_can_be_tried_is_there,
    health_is_asked_where_it_answers_everyone,
    only_links_and_health_answer_without_a_key,
    the_host_records_no_address,
    what_alerts_count_is_not_sampled,
    alerts_are_made_from_the_table_of_signals,
    workflows_use_actions_of_one_commit,
    a_pull_request_is_checked_as_here,
    the_main_branch_is_deployed_without_a_secret,
    no_other_branch_is_deployed,
    the_manual_way_is_written_down,
    every_choice_is_written_down,
]


def wrong(agreement, root):
    """Give what an agreement finds wrong; a file or a line that is missing is wrong, too."""
    try:
        return list(agreement(root))
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"{agreement.__name__} could not be seen: {type(error).__name__}: {error}"]
