"""Mistakes to plant in copies. Each must be found by the check that it names; what nothing finds is a hole."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.infra import agreement, bicep, package, snapshots

MODULES = "infra/modules"
SHAPES = "infra/shapes"


@dataclass(frozen=True)
class Fault:
    """One change of one file: what it would do, and which check sees it."""

    says: str
    path: str
    old: str
    new: str
    found_by: str
    everywhere: bool = False
    shape: str = "default"
    """Which shape shows it, when it has to be compiled."""

    def plant(self, root):
        path = root / self.path
        text = path.read_text()
        assert self.old in text, f"{self.path} has no {self.old!r} any more: this fault cannot be planted."
        path.write_text(text.replace(self.old, self.new, -1 if self.everywhere else 1))


def found(root):
    """Name the checks that find something wrong in a copy, without a compiler."""
    shapes = snapshots.read(root / "infra")
    names = {fact.__name__ for fact in snapshots.FACTS if any(snapshots.wrong(fact, shape) for shape in shapes)}
    names |= {agreed.__name__ for agreed in agreement.AGREEMENTS if agreement.wrong(agreed, root)}
    return names | ({"wrongly_packed"} if list(package.wrongly_packed(bicep.ROOT, root / ".funcignore")) else set())


def found_by_compiling(root, fault):
    """Name the checks that find a fault of the sources: the one it names, or those of the snapshot it makes."""
    infra = root / "infra"
    if check := COMPILED.get(fault.found_by):
        return {fault.found_by} if list(check(infra)) else set()
    try:
        bicep.snapshot(infra, only=fault.shape)
    except AssertionError:
        return {"no_snapshot"}
    return found(root)


COMPILED = {"complaints": bicep.complaints, "unformatted": bicep.unformatted, "stale": bicep.stale}

PRIVATE = f"{SHAPES}/private-network.snapshot.json"
DEFAULT = f"{SHAPES}/default.snapshot.json"
DEDICATED = f"{SHAPES}/dedicated.snapshot.json"

IN_SNAPSHOTS = [
    Fault(
        "keys open the mail service",
        DEDICATED,
        '\n        "disableLocalAuth": true\n',
        '\n        "disableLocalAuth": false\n',
        "mail_goes_from_a_domain_of_azures_by_identity_alone_where_it_is_chosen",
    ),
    Fault(
        "links in mail lead through a tracker",
        DEDICATED,
        '"userEngagementTracking": "Disabled"',
        '"userEngagementTracking": "Enabled"',
        "mail_goes_from_a_domain_of_azures_by_identity_alone_where_it_is_chosen",
    ),
    Fault(
        "shared keys open the storage",
        DEFAULT,
        '"allowSharedKeyAccess": false',
        '"allowSharedKeyAccess": true',
        "the_storage_takes_no_shared_key",
    ),
    Fault(
        "blobs are public",
        DEFAULT,
        '"allowBlobPublicAccess": false',
        '"allowBlobPublicAccess": true',
        "the_storage_shows_nothing_to_strangers",
    ),
    Fault(
        "the package is public",
        DEFAULT,
        '"publicAccess": "None"',
        '"publicAccess": "Blob"',
        "the_storage_shows_nothing_to_strangers",
    ),
    Fault("the storage speaks TLS 1.0", DEFAULT, '"TLS1_2"', '"TLS1_0"', "the_storage_speaks_tls_1_2_or_newer"),
    Fault(
        "the app answers without TLS",
        DEFAULT,
        '"httpsOnly": true',
        '"httpsOnly": false',
        "the_app_speaks_tls_1_2_or_newer",
    ),
    Fault(
        "the app speaks TLS 1.1",
        DEFAULT,
        '"minTlsVersion": "1.2"',
        '"minTlsVersion": "1.1"',
        "the_app_speaks_tls_1_2_or_newer",
    ),
    Fault(
        "files are published by FTP",
        DEFAULT,
        '"ftpsState": "Disabled"',
        '"ftpsState": "AllAllowed"',
        "nobody_publishes_or_debugs_with_a_password",
    ),
    Fault(
        "passwords publish",
        DEFAULT,
        '"allow": false',
        '"allow": true',
        "nobody_publishes_or_debugs_with_a_password",
    ),
    Fault(
        "the role is on the whole scheduler",
        DEFAULT,
        "/taskHubs/approvals', 'Microsoft.Authorization",
        "', 'Microsoft.Authorization",
        "roles_are_the_least_on_the_smallest",
    ),
    Fault(
        "the app owns the resource group",
        DEFAULT,
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "roles_are_the_least_on_the_smallest",
        everywhere=True,
    ),
    Fault(
        "a pipeline is taken for a person",
        DEFAULT,
        '"principalType": "ServicePrincipal"',
        '"principalType": "User"',
        "roles_are_the_least_on_the_smallest",
    ),
    Fault(
        "an old API",
        DEFAULT,
        '"apiVersion": "2026-02-01"',
        '"apiVersion": "2025-04-01-preview"',
        "every_resource_has_the_version_that_was_chosen_for_it",
    ),
    Fault(
        "nothing is kept",
        DEFAULT,
        '"retentionPeriodInDays": 30',
        '"retentionPeriodInDays": 0',
        "finished_requests_are_kept_as_long_as_chosen",
    ),
    Fault(
        "nobody is ready",
        PRIVATE,
        '"instanceCount": 2',
        '"instanceCount": 0',
        "instances_are_always_ready_as_chosen",
    ),
    Fault(
        "a secret is an output",
        DEFAULT,
        '"AZURE_LOCATION": "northeurope"',
        "\"AZURE_LOCATION\": \"[listKeys('x', '2025-06-01').keys[0].value]\"",
        "outputs_are_those_that_were_agreed_and_none_is_a_secret",
    ),
    Fault(
        "a connection string is an output",
        DEFAULT,
        '"AZURE_LOCATION": "northeurope"',
        '"AZURE_LOCATION": "northeurope", "INSIGHTS": "InstrumentationKey=1"',
        "outputs_are_those_that_were_agreed_and_none_is_a_secret",
    ),
    Fault(
        "a key is a setting",
        DEFAULT,
        '"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "131072"',
        '"AzureWebJobsStorage": "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=eA=="',
        "no_setting_is_a_secret",
    ),
    Fault(
        "the link keys are a setting",
        DEFAULT,
        '"APPROVAL_LINK_KEYS": "[format(\'@Microsoft.KeyVault(SecretUri={0})',
        '"APPROVAL_LINK_KEYS": "[format(\'{0}',
        "the_link_keys_are_made_by_chance_and_reach_the_app_by_reference",
    ),
    Fault(
        "the first link key is known to all",
        DEFAULT,
        '"[newGuid()]"',
        '"change-me"',
        "the_link_keys_are_made_by_chance_and_reach_the_app_by_reference",
    ),
    Fault(
        "the services that tell people are in the template",
        DEDICATED,
        "\"[parameters('notifyUrls')]\"",
        '"json://hooks.example.com/approvals"',
        "secrets_that_are_not_given_are_left_as_they_are",
    ),
    Fault(
        "a deployment that does not know the callers lets anybody call",
        DEFAULT,
        "\"[not(empty(parameters('callers')))]\"",
        '"[true()]"',
        "secrets_that_are_not_given_are_left_as_they_are",
    ),
    Fault(
        "the callers are a setting that can be read",
        DEFAULT,
        '"CALLERS": "[format(\'@Microsoft.KeyVault(SecretUri={0})\'',
        '"CALLERS": "[format(\'{0}\'',
        "secrets_that_are_not_given_are_left_as_they_are",
    ),
    Fault(
        "Microsoft's page answers at the address of the app",
        DEFAULT,
        '"AzureWebJobsDisableHomepage": "true"',
        '"AzureWebJobsDisableHomepage": "false"',
        "the_app_answers_at_its_own_address",
    ),
    Fault(
        "the requester is not told, unasked",
        DEFAULT,
        '"NOTIFY_REQUESTER": "true",\n        "NOTIFY_URLS"',
        '"NOTIFY_REQUESTER": "false",\n        "NOTIFY_URLS"',
        "the_requester_is_told_unless_chosen_otherwise",
    ),
    Fault(
        "the vault can be emptied",
        DEFAULT,
        '"enablePurgeProtection": true',
        '"enablePurgeProtection": false',
        "the_vault_is_opened_by_roles_and_cannot_be_emptied",
    ),
    Fault(
        "the scheduler's identity is left out",
        DEFAULT,
        ";ClientID={1}",
        "",
        "the_app_signs_in_to_its_scheduler",
    ),
    Fault(
        "the app looks into another task hub",
        DEFAULT,
        '"TASKHUB_NAME": "approvals"',
        '"TASKHUB_NAME": "default"',
        "the_app_signs_in_to_its_scheduler",
    ),
    Fault(
        "anyone with the key writes telemetry",
        DEFAULT,
        '"DisableLocalAuth": true',
        '"DisableLocalAuth": false',
        "telemetry_is_written_by_identities_only",
    ),
    Fault(
        "the private scheduler is public",
        PRIVATE,
        '"publicNetworkAccess": "Disabled"',
        '"publicNetworkAccess": "Enabled"',
        "what_the_private_network_closes_is_closed",
    ),
    Fault(
        "the private scheduler lets all addresses in",
        PRIVATE,
        '"10.20.0.0/16"',
        '"0.0.0.0/0"',
        "the_scheduler_is_what_was_chosen",
    ),
    Fault(
        "the scheduler has no private endpoint",
        PRIVATE,
        '"groupIds": [\n                "scheduler"',
        '"groupIds": [\n                "blob"',
        "the_private_network_leads_to_each_service",
    ),
    Fault(
        "the app goes round the private network",
        PRIVATE,
        '/subnets/app",',
        '/subnets/endpoints",',
        "the_private_network_leads_to_each_service",
    ),
    Fault(
        "whoever has not signed in cannot follow a link",
        DEDICATED,
        '"requireAuthentication": false',
        '"requireAuthentication": true',
        "sign_in_is_there_only_when_a_client_is_named",
    ),
    Fault(
        "the page goes round sign-in, and so do forged headers",
        DEDICATED,
        '"unauthenticatedClientAction": "AllowAnonymous"',
        '"unauthenticatedClientAction": "AllowAnonymous", "excludedPaths": ["/approve/*"]',
        "sign_in_is_there_only_when_a_client_is_named",
    ),
    Fault(
        "sign-in headers are believed without sign-in",
        DEFAULT,
        '"TRUST_EASY_AUTH": "false"',
        '"TRUST_EASY_AUTH": "true"',
        "sign_in_is_there_only_when_a_client_is_named",
    ),
    Fault(
        "an alert reaches nobody",
        DEDICATED,
        '"emailAddress": "operators@example.com"',
        '"emailAddress": ""',
        "somebody_hears_when_something_is_wrong",
    ),
    Fault(
        "azd deploy does not find the app",
        DEFAULT,
        '"azd-service-name": "api"',
        '"azd-service-name": "web"',
        "everything_carries_the_tags",
    ),
    Fault(
        "the app is asked for its health where it has none",
        DEFAULT,
        '"healthCheckPath": "/api/health"',
        '"healthCheckPath": "/"',
        "the_app_is_asked_for_its_health",
    ),
    Fault(
        "another kind of resource",
        DEFAULT,
        '"Microsoft.KeyVault/vaults/secrets"',
        '"Microsoft.KeyVault/vaults/keys"',
        "it_has_the_resources_of_its_shape_and_no_other",
    ),
    Fault(
        "a key is asked for",
        DEFAULT,
        '"kind": "StorageV2"',
        "\"kind\": \"[listKeys('x', '2025-06-01').keys[0].value]\"",
        "no_key_is_asked_for_anywhere",
    ),
    Fault(
        "the app has two identities",
        DEFAULT,
        '"type": "UserAssigned"',
        '"type": "SystemAssigned, UserAssigned"',
        "the_app_is_one_identity_everywhere",
    ),
    Fault(
        "links lead elsewhere",
        DEFAULT,
        "defaultHostName",
        "state",
        "links_for_people_begin_with_the_address_of_the_app",
    ),
    Fault("another plan", DEFAULT, '"name": "FC1"', '"name": "EP1"', "the_app_is_python_3_11_on_flex_consumption"),
    Fault(
        "the compiler warns",
        DEFAULT,
        '"diagnostics": []',
        '"diagnostics": ["careful"]',
        "the_compiler_has_nothing_to_say",
    ),
    Fault(
        "the host looks for a key",
        DEFAULT,
        '"managedidentity"',
        '"accesskey"',
        "the_host_finds_its_storage_without_a_key",
    ),
    Fault("the package is elsewhere", DEFAULT, "'packages')]", "'releases')]", "the_package_lies_in_the_container"),
    Fault(
        "the storage stays behind when a zone is lost",
        DEDICATED,
        "Standard_ZRS",
        "Standard_LRS",
        "the_storage_survives_a_zone_if_the_app_does",
    ),
]

BETWEEN_FILES = [
    Fault(
        "a choice is not written down",
        "docs/deploy.md",
        "`ZONE_REDUNDANT`",
        "`ZONES`",
        "every_choice_is_written_down",
    ),
    Fault(
        "health is asked at no route",
        f"{MODULES}/function-app.bicep",
        "'/api/health'",
        "'/api/alive'",
        "health_is_asked_where_it_answers_everyone",
    ),
    Fault(
        "health wants a person",
        f"{MODULES}/sign-in.bicep",
        "'AllowAnonymous'",
        "'Return401'",
        "health_is_asked_where_it_answers_everyone",
    ),
    Fault(
        "no route wants a key",
        "approvals/web/api.py",
        "http_auth_level=func.AuthLevel.FUNCTION",
        "http_auth_level=func.AuthLevel.ANONYMOUS",
        "only_links_and_health_answer_without_a_key",
    ),
    Fault(
        "the deployment says that the platform checks people",
        DEFAULT,
        '"TRUST_EASY_AUTH"',
        '"WEBSITE_AUTH_ENABLED": "True", "TRUST_EASY_AUTH"',
        "every_app_setting_is_read_by_somebody",
    ),
    Fault(
        "addresses are recorded with requests",
        "host.json",
        '"enableHttpTriggerExtendedInfoCollection": false',
        '"enableHttpTriggerExtendedInfoCollection": true',
        "the_host_records_no_address",
    ),
    Fault(
        "addresses are written to the log",
        "host.json",
        'SystemTraceMiddleware": "None"',
        'SystemTraceMiddleware": "Information"',
        "the_host_records_no_address",
    ),
    Fault(
        "an alert asks for what is not recorded",
        "infra/alerts.json",
        "Success == false and Name !in",
        "ResultCode == 500 and Name !in",
        "the_host_records_no_address",
    ),
    Fault(
        "an alert looks for a line that the app does not write",
        "infra/alerts.json",
        "call_failed ",
        "call_broke ",
        "alerts_are_made_from_the_table_of_signals",
    ),
    Fault(
        "the alerts are not those of the table",
        f"{MODULES}/alerts.bicep",
        "loadJsonContent('../alerts.json')",
        "[]",
        "alerts_are_made_from_the_table_of_signals",
    ),
    Fault(
        "an alert looks for an activity of another name",
        "approvals/durable/activities.py",
        "def process_approval(",
        "def process_result(",
        "alerts_are_made_from_the_table_of_signals",
    ),
    Fault(
        "lines that alerts look for are dropped when there are many",
        "host.json",
        '"Request;Trace;Exception"',
        '"Request"',
        "what_alerts_count_is_not_sampled",
    ),
    Fault(
        "another compiler in the devcontainer",
        ".devcontainer/devcontainer.json",
        f"v{bicep.VERSION}",
        "v0.30.3",
        "the_compiler_is_the_same_everywhere",
    ),
    Fault(
        "a choice reaches nothing",
        "infra/main.parameters.json",
        '"schedulerSku"',
        '"schedulerSkuName"',
        "azd_fills_every_parameter",
    ),
    Fault("the service has another name", "azure.yaml", "  api:\n", "  web:\n", "azd_finds_the_service"),
    Fault(
        "nothing is built remotely", "azure.yaml", "remoteBuild: true", "remoteBuild: false", "azd_finds_the_service"
    ),
    Fault("a hook that is not there", "azure.yaml", "after-provision.sh", "after.sh", "azd_runs_hooks_that_are_there"),
    Fault(
        "the hook prints what is no output",
        "infra/after-provision.sh",
        "$SERVICE_API_URL",
        "$SERVICE_WEB_URL",
        "hooks_speak_of_outputs_only",
    ),
    Fault("the host asks for another hub", "host.json", "%TASKHUB_NAME%", "%HUB%", "host_json_finds_its_settings"),
    Fault(
        "the code reads a setting by another name",
        "approvals/settings.py",
        '"PUBLIC_BASE_URL"',
        '"BASE_URL"',
        "what_the_app_needs_is_set",
        everywhere=True,
    ),
    Fault(
        "the deployment sets what nobody reads",
        DEFAULT,
        '"AZURE_CLIENT_ID"',
        '"AZURE_CLIENT"',
        "every_app_setting_is_read_by_somebody",
    ),
    Fault(
        "a local setting is misspelt",
        "local.settings.json",
        "NOTIFY_LOG",
        "NOTIFY_LOGS",
        "local_settings_are_read_by_somebody",
    ),
    Fault(
        "the emulator is open to the network",
        "docker-compose.yml",
        '"127.0.0.1:8080:8080"',
        '"8080:8080"',
        "compose_publishes_to_this_machine_only",
    ),
    Fault(
        "the emulator has another hub",
        "docker-compose.yml",
        "DTS_TASK_HUB_NAMES: default",
        "DTS_TASK_HUB_NAMES: approvals",
        "compose_offers_what_local_settings_ask_for",
    ),
    Fault(
        "the storage emulator has no tables",
        "docker-compose.yml",
        '      - "127.0.0.1:10002:10002"\n',
        "",
        "compose_offers_what_local_settings_ask_for",
    ),
    Fault(
        "the devcontainer hides the app",
        ".devcontainer/devcontainer.json",
        "7071, ",
        "",
        "the_devcontainer_has_all_of_it",
    ),
    Fault(
        "the app has another Python",
        f"{MODULES}/function-app.bicep",
        "version: '3.11'",
        "version: '3.12'",
        "python_is_the_same_everywhere",
    ),
    Fault(
        "the host refuses before the app can say why",
        f"{MODULES}/function-app.bicep",
        "'131072'",
        "'65536'",
        "the_host_takes_what_the_app_takes",
    ),
    Fault(
        "a later azd up makes new link keys",
        f"{MODULES}/key-vault.bicep",
        "module linkKeys 'first-secret.bicep'",
        "module linkKeys 'secret.bicep'",
        "the_keys_for_links_are_written_once",
    ),
    Fault(
        "a later azd up writes over what is in the vault",
        f"{MODULES}/first-secret.bicep",
        "  @onlyIfNotExists()\n",
        "",
        "a_first_secret_is_written_once_and_another_always",
    ),
    Fault(
        "at first a service is told that does not exist",
        f"{MODULES}/key-vault.bicep",
        "value: 'none'",
        "value: '-'",
        "a_vault_secret_at_first_means_nothing_set",
    ),
    Fault(
        "a pipeline that does not name the alerts' address takes it away",
        "infra/main.bicep",
        "output ALERT_EMAIL string = alertEmail\n",
        "",
        "what_was_chosen_is_known_to_the_next_deployment",
    ),
    Fault(
        "the callers are an output",
        "infra/main.bicep",
        "output ALERT_EMAIL string = alertEmail\n",
        "output ALERT_EMAIL string = alertEmail\noutput CALLERS string = callers\n",
        "what_was_chosen_is_known_to_the_next_deployment",
    ),
    Fault(
        "an action whose tag can be moved",
        ".github/workflows/check.yml",
        "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
        "actions/checkout@v4.2.2",
        "workflows_use_actions_of_one_commit",
    ),
    Fault(
        "pull requests are not tested",
        ".github/workflows/check.yml",
        "run: make test",
        "run: make demo",
        "a_pull_request_is_checked_as_here",
    ),
    Fault(
        "what is too large for every day is never tested",
        ".github/workflows/check.yml",
        "run: make test-all",
        "run: make demo",
        "a_pull_request_is_checked_as_here",
    ),
    Fault(
        "the deployment has a secret",
        ".github/workflows/deploy.yml",
        "toJSON(vars)",
        "secrets.AZURE_CREDENTIALS",
        "the_main_branch_is_deployed_without_a_secret",
    ),
    Fault(
        "passwords are taken from variables, which no log masks",
        ".github/workflows/deploy.yml",
        "${{ secrets.NOTIFY_URLS }}",
        "${{ vars.NOTIFY_URLS }}",
        "the_main_branch_is_deployed_without_a_secret",
    ),
    Fault(
        "a variable with a line end becomes two",
        ".github/workflows/deploy.yml",
        "run: azd deploy --no-prompt",
        'run: echo "X=$VARIABLES" >> "$GITHUB_ENV" && azd deploy --no-prompt',
        "the_main_branch_is_deployed_without_a_secret",
    ),
    Fault(
        "whoever may push a branch may deploy it",
        ".github/workflows/deploy.yml",
        "    if: github.ref == 'refs/heads/main'\n",
        "",
        "no_other_branch_is_deployed",
    ),
    Fault("what can be tried is gone", "docs/try.http", "/api/requests", "/api/asks", "what_can_be_tried_is_there"),
    Fault(
        "the manual way is gone",
        "docs/deploy.md",
        "az durabletask taskhub create",
        "az durabletask hub create",
        "the_manual_way_is_written_down",
    ),
    Fault("the local host would be deployed", ".funcignore", "devhost/\n", "", "wrongly_packed"),
    Fault("the app would not be deployed", ".funcignore", "tests/\n", "tests/\n*.py\n", "wrongly_packed"),
    Fault("the environment would be deployed", ".funcignore", ".*\n", "", "wrongly_packed"),
]

IN_SOURCES = [
    Fault(
        "a property is misspelt",
        f"{MODULES}/storage.bicep",
        "allowSharedKeyAccess",
        "allowSharedKeysAccess",
        "complaints",
    ),
    Fault(
        "shared keys are allowed",
        f"{MODULES}/storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "the_storage_takes_no_shared_key",
    ),
    Fault("nobody took a new snapshot", f"{MODULES}/storage.bicep", "days: 7", "days: 8", "stale", everywhere=True),
    Fault("a line is where it likes", f"{MODULES}/identity.bicep", "  name: name", "    name: name", "unformatted"),
    Fault(
        "a role is dropped",
        f"{MODULES}/roles.bicep",
        "for (secret, i) in secretNames:",
        "for (secret, i) in skip(secretNames, 1):",
        "roles_are_the_least_on_the_smallest",
    ),
    Fault(
        "a role is on all of the storage's group",
        f"{MODULES}/roles.bicep",
        "  scope: storage\n",
        "",
        "roles_are_the_least_on_the_smallest",
    ),
    Fault(
        "the app may write what it runs",
        f"{MODULES}/roles.bicep",
        "    principalId: publisherPrincipalId\n",
        "    principalId: appPrincipalId\n",
        "roles_are_the_least_on_the_smallest",
    ),
    Fault(
        "the app may write to all containers, its package among them",
        f"{MODULES}/roles.bicep",
        "    scope: storage::blobs::ofTheHost[i]\n",
        "    scope: storage\n",
        "roles_are_the_least_on_the_smallest",
    ),
    Fault(
        "the app stores its package itself",
        f"{MODULES}/function-app.bicep",
        "userAssignedIdentityResourceId: publisher.id",
        "userAssignedIdentityResourceId: identity.id",
        "the_app_is_one_identity_everywhere",
    ),
    Fault(
        "the storage gives its key away",
        f"{MODULES}/storage.bicep",
        "resource account",
        "output key string = account.listKeys().keys[0].value\n\nresource account",
        "complaints",
    ),
    Fault(
        "a parameter does nothing",
        "infra/main.bicep",
        "param isZoneRedundant bool",
        "param isIdle bool = true\n\nparam isZoneRedundant bool",
        "complaints",
    ),
    Fault(
        "the switch leaves the vault open",
        f"{MODULES}/key-vault.bicep",
        "publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'",
        "publicNetworkAccess: 'Enabled'",
        "what_the_private_network_closes_is_closed",
        shape="private-network",
    ),
    Fault(
        "an operator's settings go before ours",
        f"{MODULES}/function-app.bicep",
        "      TASKHUB_NAME: taskHubName\n",
        "      TASKHUB_NAME: appSettings.?TASKHUB_NAME ?? taskHubName\n",
        "the_app_signs_in_to_its_scheduler",
        shape="dedicated",
    ),
    Fault(
        "a role assignment is not named for its principal",
        f"{MODULES}/roles.bicep",
        "guid(storage.id, appPrincipalId, roles.storageTableDataContributor)",
        "guid(storage.id, roles.storageTableDataContributor)",
        "roles_are_named_for_whom_they_are_given",
    ),
    Fault(
        "the developer is given the role unasked",
        "infra/main.bicep",
        "isDeveloper ? principalId : ''",
        "!isDeveloper ? principalId : ''",
        "roles_are_the_least_on_the_smallest",
    ),
    Fault(
        "the retention of a Consumption scheduler is impossible",
        f"{SHAPES}/default.bicepparam",
        "param location",
        "param retentionInDays = 31\nparam location",
        "no_snapshot",
    ),
]


def words(fault):
    """Name a fault for the list of tests."""
    return re.sub(r"\W+", "_", fault.says)
