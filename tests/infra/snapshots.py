"""The snapshots as values, and the facts that each of them must show.

A snapshot holds the resources of one shape with their expressions evaluated; what only Azure knows (an endpoint, an
identity's ids) is left as an expression.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field

# --- what is expected -----------------------------------------------------------------------------

VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.DurableTask/schedulers": "2026-02-01",
    "Microsoft.DurableTask/schedulers/retentionPolicies": "2026-02-01",
    "Microsoft.Communication/communicationServices": "2025-05-01",
    "Microsoft.Communication/emailServices": "2025-05-01",
    "Microsoft.Communication/emailServices/domains": "2025-05-01",
    "Microsoft.DurableTask/schedulers/taskHubs": "2026-02-01",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault/vaults": "2025-05-01",
    "Microsoft.KeyVault/vaults/keys": "2025-05-01",
    "Microsoft.KeyVault/vaults/secrets": "2025-05-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2025-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2025-05-01",
    "Microsoft.Network/virtualNetworks": "2025-05-01",
    "Microsoft.OperationalInsights/workspaces": "2025-02-01",
    "Microsoft.Resources/resourceGroups": "2024-11-01",
    "Microsoft.Storage/storageAccounts": "2025-06-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2025-06-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2025-06-01",
    "Microsoft.Web/serverfarms": "2024-11-01",
    "Microsoft.Web/sites": "2024-11-01",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "2024-11-01",
    "Microsoft.Web/sites/config": "2024-11-01",
}

ALWAYS = Counter(
    {
        "Microsoft.Authorization/roleAssignments": 13,
        "Microsoft.DurableTask/schedulers": 1,
        "Microsoft.DurableTask/schedulers/retentionPolicies": 1,
        "Microsoft.DurableTask/schedulers/taskHubs": 1,
        "Microsoft.Insights/components": 1,
        "Microsoft.Insights/workbooks": 1,
        "Microsoft.KeyVault/vaults": 1,
        "Microsoft.KeyVault/vaults/keys": 1,
        # All but the first twice: as they are given, and as they are at first.
        "Microsoft.KeyVault/vaults/secrets": 11,
        "Microsoft.ManagedIdentity/userAssignedIdentities": 2,
        "Microsoft.OperationalInsights/workspaces": 1,
        "Microsoft.Resources/resourceGroups": 1,
        "Microsoft.Storage/storageAccounts": 1,
        "Microsoft.Storage/storageAccounts/blobServices": 1,
        "Microsoft.Storage/storageAccounts/blobServices/containers": 3,
        "Microsoft.Web/serverfarms": 1,
        "Microsoft.Web/sites": 1,
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies": 2,
        "Microsoft.Web/sites/config": 1,
    }
)
PRIVATELY = {
    "Microsoft.Network/privateDnsZones": 4,
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": 4,
    "Microsoft.Network/privateEndpoints": 4,
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": 4,
    "Microsoft.Network/virtualNetworks": 1,
}
BY_MAIL = {
    "Microsoft.Authorization/roleAssignments": 1,
    "Microsoft.Communication/communicationServices": 1,
    "Microsoft.Communication/emailServices": 1,
    "Microsoft.Communication/emailServices/domains": 1,
}

ROLES = {
    "09976791-48a7-449e-bb21-39d1a415f350": "Communication and Email Service Owner",
    "0ad04412-c4d5-4796-b79c-f76d14c8d402": "Durable Task Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
}
OF_THE_APP = {
    ("Durable Task Data Contributor", "Microsoft.DurableTask/schedulers/taskHubs"),
    ("Storage Blob Data Owner", "Microsoft.Storage/storageAccounts/blobServices/containers azure-webjobs-hosts"),
    ("Storage Blob Data Owner", "Microsoft.Storage/storageAccounts/blobServices/containers azure-webjobs-secrets"),
    ("Storage Table Data Contributor", "Microsoft.Storage/storageAccounts"),
    ("Monitoring Metrics Publisher", "Microsoft.Insights/components"),
    ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets approval-link-keys"),
    ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets notify-urls"),
    ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets callers"),
    ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets callbacks"),
    ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets smtp-url"),
    ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets notify-rooms"),
    ("Key Vault Crypto User", "Microsoft.KeyVault/vaults/keys receipts"),
}
OF_THE_PUBLISHER = {
    ("Storage Blob Data Contributor", "Microsoft.Storage/storageAccounts/blobServices/containers packages"),
}
FOR_EXPORTS = {
    ("Storage Blob Data Contributor", "Microsoft.Storage/storageAccounts/blobServices/containers approvals-export"),
}
FOR_MAIL = {("Communication and Email Service Owner", "Microsoft.Communication/communicationServices")}
OF_A_DEVELOPER = {("Durable Task Data Contributor", "Microsoft.DurableTask/schedulers/taskHubs")}

OUTPUTS = {
    "APP_IDENTITY_CLIENT_ID",
    "APP_IDENTITY_PRINCIPAL_ID",
    "AZURE_FUNCTION_NAME",
    "AZURE_KEY_VAULT_NAME",
    "STORAGE_NAME",
    "AZURE_LOCATION",
    "AZURE_RESOURCE_GROUP",
    "AZURE_TENANT_ID",
    "SCHEDULER_ENDPOINT",
    "SCHEDULER_NAME",
    "SERVICE_API_NAME",
    "SERVICE_API_URL",
    "TASK_HUB_DASHBOARD_URL",
    "TASK_HUB_NAME",
    # what was chosen, for `azd env refresh`
    "ADDRESS_SPACE",
    "ALERT_EMAIL",
    "APP_SETTINGS",
    "DEVELOPER_ACCESS",
    "DURABLE_ALWAYS_READY",
    "HTTP_ALWAYS_READY",
    "INSTANCE_MEMORY_MB",
    "MAIL_DATA_LOCATION",
    "MAIL_SERVICE",
    "MAXIMUM_INSTANCE_COUNT",
    "NOTIFY_REQUESTER",
    "EXPORT_CONTAINER",
    "PRIVATE_NETWORK",
    "PUBLIC_BASE_URL",
    "RESOURCE_TAGS",
    "RETENTION_IN_DAYS",
    "SCHEDULER_CAPACITY",
    "SCHEDULER_IP_ALLOWLIST",
    "SCHEDULER_LOCATION",
    "SCHEDULER_SKU",
    "SIGN_IN_CALLERS",
    "SIGN_IN_CLIENT_ID",
    "ZONE_REDUNDANT",
}

# Settings and properties of other plans: Flex Consumption takes them from functionAppConfig, or does it by itself.
NOT_ON_FLEX = {
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_VNET_ROUTE_ALL",
    "alwaysOn",
    "functionAppScaleLimit",
    "linuxFxVersion",
    "vnetContentShareEnabled",
    "vnetRouteAllEnabled",
}

A_SECRET = re.compile(
    r"AccountKey|SharedAccess(Key|Signature)|[?&;]sig=|[?&]code=|Password=|list\w*(Keys|Secrets|Sas)\w*\(|newGuid\(|secureString",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Chosen:
    """What a shape is to differ in."""

    private: bool = False
    developer: bool = False
    sku: dict = field(default_factory=lambda: {"name": "Consumption"})
    addresses: tuple = ("0.0.0.0/0",)
    retention: int = 30
    always_ready: dict = field(default_factory=dict)
    zone_redundant: bool = False
    sign_in: tuple = ()
    alerts_to: str = ""
    address: str = ""
    tells_requester: bool = True
    exports: bool = False
    mails: bool = False


SHAPES = {
    "default": Chosen(),
    "private-network": Chosen(
        private=True, developer=True, addresses=("10.20.0.0/16",), always_ready={"http": 2, "durable": 1}
    ),
    "dedicated": Chosen(
        sku={"name": "Dedicated", "capacity": 3},
        addresses=("192.0.2.0/24",),
        retention=90,
        always_ready={"http": 1},
        zone_redundant=True,
        sign_in=("33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444"),
        alerts_to="operators@example.com",
        address="https://approvals.example.com",
        tells_requester=False,
        exports=True,
        mails=True,
    ),
}

# --- the snapshots --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """The evaluated resources of one shape, and what was chosen for it."""

    name: str
    resources: list
    outputs: dict
    diagnostics: list

    @classmethod
    def read(cls, path):
        found = json.loads(path.read_text())
        return cls(
            path.name.removesuffix(".snapshot.json"),
            found["predictedResources"],
            found["outputs"],
            found["diagnostics"],
        )

    @property
    def chosen(self):
        return SHAPES[self.name]

    def all(self, kind):
        return [each for each in self.resources if each["type"] == kind]

    def one(self, kind, name=""):
        """Give the only resource of a type, or the only one with a name."""
        found = [each for each in self.all(kind) if not name or each["name"].endswith(f"/{name}")]
        if len(found) != 1:
            raise Missing(f"There are {len(found)} of {kind} {name}, not one.")
        return found[0]

    def properties(self, kind, name=""):
        return self.one(kind, name).get("properties", {})

    @property
    def settings(self):
        return self.properties("Microsoft.Web/sites/config", "appsettings")

    def identity(self, *, of_packages=False):
        """Give the id of who the app is, or of who stores and fetches its package."""
        found = [each["id"] for each in self.all("Microsoft.ManagedIdentity/userAssignedIdentities")]
        mine = [each for each in found if ("/id-packages-" in each) == of_packages]
        if len(mine) != 1:
            raise Missing(f"Of {found} {len(mine)} fit, not one.")
        return mine[0]

    @property
    def kinds(self):
        return Counter(each["type"] for each in self.resources)


class Missing(Exception):
    """A resource that every shape has is not there, or is there twice."""


def read(infra):
    """Read the snapshots. Zero are an error, and so is one too few."""
    paths = sorted(infra.glob("shapes/*.snapshot.json"))
    names = {path.name.removesuffix(".snapshot.json") for path in paths}
    assert names == SHAPES.keys(), f"There are snapshots of {sorted(names)}; SHAPES speaks of {sorted(SHAPES)}."
    return [Shape.read(path) for path in paths]


def differences(what, got, wanted):
    """Give a sentence for each property that is not as wanted; what is not mentioned is not compared."""
    for name, value in wanted.items():
        if got.get(name) != value:
            yield f"{what}: {name} is {got.get(name)!r}, not {value!r}."


# --- the facts ------------------------------------------------------------------------------------


def the_compiler_has_nothing_to_say(shape):
    yield from map(str, shape.diagnostics)


def it_has_the_resources_of_its_shape_and_no_other(shape):
    chosen = shape.chosen
    wanted = Counter(ALWAYS)
    wanted.update(PRIVATELY if chosen.private else {})
    wanted["Microsoft.Authorization/roleAssignments"] += chosen.developer
    wanted["Microsoft.Web/sites/config"] += bool(chosen.sign_in)
    wanted["Microsoft.Storage/storageAccounts/blobServices/containers"] += chosen.exports
    wanted["Microsoft.Authorization/roleAssignments"] += chosen.exports
    wanted.update(BY_MAIL if chosen.mails else {})
    if chosen.alerts_to:
        wanted.update({"Microsoft.Insights/actionGroups": 1, "Microsoft.Insights/scheduledQueryRules": 5})
    for kind in sorted(shape.kinds.keys() | wanted.keys()):
        if shape.kinds[kind] != wanted[kind]:
            yield f"{shape.kinds[kind]} of {kind}, not {wanted[kind]}."


def every_resource_has_the_version_that_was_chosen_for_it(shape):
    for each in shape.resources:
        if each["apiVersion"] != VERSIONS.get(each["type"]):
            yield f"{each['type']} is {each['apiVersion']}; {VERSIONS.get(each['type'])} was read and chosen."


def everything_carries_the_tags(shape):
    for each in shape.resources:
        if "location" in each and each.get("tags", {}).get("azd-env-name") != shape.name:
            yield f"{each['name']} has not the tag azd finds it by."
    if shape.one("Microsoft.Web/sites")["tags"].get("azd-service-name") != "api":
        yield "The app has not the tag by which azd deploy finds it."


def the_storage_takes_no_shared_key(shape):
    wanted = {"allowSharedKeyAccess": False, "defaultToOAuthAuthentication": True}
    yield from differences("storage", shape.properties("Microsoft.Storage/storageAccounts"), wanted)


def the_storage_shows_nothing_to_strangers(shape):
    wanted = {"allowBlobPublicAccess": False, "allowCrossTenantReplication": False}
    yield from differences("storage", shape.properties("Microsoft.Storage/storageAccounts"), wanted)
    for container in shape.all("Microsoft.Storage/storageAccounts/blobServices/containers"):
        yield from differences(container["name"], container["properties"], {"publicAccess": "None"})


def the_storage_speaks_tls_1_2_or_newer(shape):
    wanted = {"minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True}
    yield from differences("storage", shape.properties("Microsoft.Storage/storageAccounts"), wanted)


def the_app_speaks_tls_1_2_or_newer(shape):
    site = shape.properties("Microsoft.Web/sites")
    yield from differences("the app", site, {"httpsOnly": True})
    yield from differences("the app", site["siteConfig"], {"minTlsVersion": "1.2", "scmMinTlsVersion": "1.2"})


def nobody_publishes_or_debugs_with_a_password(shape):
    wanted = {"ftpsState": "Disabled", "remoteDebuggingEnabled": False}
    yield from differences("the app", shape.properties("Microsoft.Web/sites")["siteConfig"], wanted)
    for way in ("ftp", "scm"):
        policy = shape.properties("Microsoft.Web/sites/basicPublishingCredentialsPolicies", way)
        yield from differences(f"publishing by {way}", policy, {"allow": False})


def the_app_is_python_3_11_on_flex_consumption(shape):
    plan = shape.one("Microsoft.Web/serverfarms")
    yield from differences("the plan", plan["sku"], {"tier": "FlexConsumption", "name": "FC1"})
    wanted = {"reserved": True, "zoneRedundant": shape.chosen.zone_redundant}
    yield from differences("the plan", plan["properties"], wanted)
    site = shape.properties("Microsoft.Web/sites")
    runtime = site["functionAppConfig"]["runtime"]
    yield from differences("the app", runtime, {"name": "python", "version": "3.11"})
    chosen = shape.settings.keys() | site.keys() | site["siteConfig"].keys()
    yield from (f"{name} is not for Flex Consumption." for name in sorted(NOT_ON_FLEX & chosen))


def the_storage_survives_a_zone_if_the_app_does(shape):
    wanted = {"name": "Standard_ZRS" if shape.chosen.zone_redundant else "Standard_LRS"}
    yield from differences("storage", shape.one("Microsoft.Storage/storageAccounts")["sku"], wanted)


def instances_are_always_ready_as_chosen(shape):
    scale = shape.properties("Microsoft.Web/sites")["functionAppConfig"]["scaleAndConcurrency"]
    ready = {group["name"]: group["instanceCount"] for group in scale["alwaysReady"]}
    if ready != shape.chosen.always_ready:
        yield f"Always ready: {ready}, not {shape.chosen.always_ready}."


def the_app_is_asked_for_its_health(shape):
    wanted = {"healthCheckPath": "/api/health"}
    yield from differences("the app", shape.properties("Microsoft.Web/sites")["siteConfig"], wanted)


def the_app_is_one_identity_everywhere(shape):
    identity, publisher = shape.identity(), shape.identity(of_packages=True)
    site = shape.one("Microsoft.Web/sites")
    if site["identity"] != {"type": "UserAssigned", "userAssignedIdentities": {identity: {}, publisher: {}}}:
        yield f"The app is {site['identity']}."
    yield from differences("vault references", site["properties"], {"keyVaultReferenceIdentity": identity})
    storage = site["properties"]["functionAppConfig"]["deployment"]["storage"]
    wanted = {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": publisher}
    yield from differences("the package", storage["authentication"], wanted)
    client_id = f"reference('{identity}', '2024-11-30').clientId"
    for name in (
        "AzureWebJobsStorage__clientId",
        "AZURE_CLIENT_ID",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
        *(["OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"] if shape.chosen.sign_in else []),
    ):
        if client_id not in shape.settings.get(name, ""):
            yield f"{name} does not name the app's identity."


def the_package_lies_in_the_container(shape):
    account = shape.one("Microsoft.Storage/storageAccounts")["id"]
    container = shape.one("Microsoft.Storage/storageAccounts/blobServices/containers", "packages")["name"].rpartition(
        "/"
    )[2]
    package = shape.properties("Microsoft.Web/sites")["functionAppConfig"]["deployment"]["storage"]
    if account not in package["value"] or f"'{container}'" not in package["value"]:
        yield f"The package is looked for in {package['value']}."


def the_host_finds_its_storage_without_a_key(shape):
    account = shape.one("Microsoft.Storage/storageAccounts")["id"]
    settings = shape.settings
    yield from differences("settings", settings, {"AzureWebJobsStorage__credential": "managedidentity"})
    for name in ("AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__tableServiceUri"):
        if account not in settings.get(name, ""):
            yield f"{name} does not name the storage."
    if "AzureWebJobsStorage" in settings:
        yield "AzureWebJobsStorage is a connection string, which holds a key."


def the_app_signs_in_to_its_scheduler(shape):
    scheduler = shape.one("Microsoft.DurableTask/schedulers")["id"]
    hub = shape.one("Microsoft.DurableTask/schedulers/taskHubs")["name"].rpartition("/")[2]
    connection = shape.settings.get("DURABLE_TASK_SCHEDULER_CONNECTION_STRING", "")
    form = "[format('Endpoint={0};Authentication=ManagedIdentity;ClientID={1}', "
    if not connection.startswith(f"{form}reference('{scheduler}'"):
        yield f"The scheduler's connection string is {connection}."
    yield from differences("settings", shape.settings, {"TASKHUB_NAME": hub})
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,44}", hub):
        yield f"A task hub cannot be called {hub}."


def links_for_people_begin_with_the_address_of_the_app(shape):
    site = shape.one("Microsoft.Web/sites")["id"]
    own = f"[format('https://{{0}}', reference('{site}', '2024-11-01').defaultHostName)]"
    yield from differences("settings", shape.settings, {"PUBLIC_BASE_URL": shape.chosen.address or own})


def the_scheduler_is_what_was_chosen(shape):
    scheduler = shape.properties("Microsoft.DurableTask/schedulers")
    yield from differences("scheduler", scheduler, {"sku": shape.chosen.sku})
    yield from differences("scheduler", scheduler, {"ipAllowlist": list(shape.chosen.addresses)})


def finished_requests_are_kept_as_long_as_chosen(shape):
    wanted = [{"retentionPeriodInDays": shape.chosen.retention}]
    policy = shape.properties("Microsoft.DurableTask/schedulers/retentionPolicies", "default")
    yield from differences("retention", policy, {"retentionPolicies": wanted})
    longest = 30 if shape.properties("Microsoft.DurableTask/schedulers")["sku"]["name"] == "Consumption" else 90
    if any(each["retentionPeriodInDays"] > longest for each in policy["retentionPolicies"]):
        yield f"The scheduler keeps nothing longer than {longest} days."


def telemetry_is_written_by_identities_only(shape):
    insights = shape.properties("Microsoft.Insights/components")
    workspace = shape.one("Microsoft.OperationalInsights/workspaces")
    yield from differences("insights", insights, {"DisableLocalAuth": True, "WorkspaceResourceId": workspace["id"]})
    yield from differences("workspace", workspace["properties"]["features"], {"disableLocalAuth": True})
    if "Authorization=AAD" not in shape.settings.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", ""):
        yield "The app would write its telemetry without signing in."


def the_vault_is_opened_by_roles_and_cannot_be_emptied(shape):
    wanted = {"enableRbacAuthorization": True, "enablePurgeProtection": True, "enableSoftDelete": True}
    yield from differences("vault", shape.properties("Microsoft.KeyVault/vaults"), wanted)
    if "accessPolicies" in shape.properties("Microsoft.KeyVault/vaults"):
        yield "The vault has access policies beside its roles."


def the_link_keys_are_made_by_chance_and_reach_the_app_by_reference(shape):
    secret = shape.one("Microsoft.KeyVault/vaults/secrets", "approval-link-keys")
    yield from differences("the link keys", secret["properties"], {"value": "[newGuid()]"})
    reference = f"[format('@Microsoft.KeyVault(SecretUri={{0}})', reference('{secret['id']}', '2025-05-01').secretUri)]"
    yield from differences("settings", shape.settings, {"APPROVAL_LINK_KEYS": reference})


def the_requester_is_told_unless_chosen_otherwise(shape):
    told = "true" if shape.chosen.tells_requester else "false"
    yield from differences("settings", shape.settings, {"NOTIFY_REQUESTER": told})


def mail_goes_from_a_domain_of_azures_by_identity_alone_where_it_is_chosen(shape):
    if not shape.chosen.mails:
        yield from (
            f"Nobody chose mail, and {name} is set."
            for name in ("MAIL_ENDPOINT", "MAIL_FROM")
            if name in shape.settings
        )
        return
    domain = shape.one("Microsoft.Communication/emailServices/domains")
    service = shape.one("Microsoft.Communication/communicationServices")
    if not domain["name"].endswith("/AzureManagedDomain"):
        yield f"Azure manages no domain of the name {domain['name']}."
    untracked = {"domainManagement": "AzureManaged", "userEngagementTracking": "Disabled"}
    yield from differences("the domain", domain["properties"], untracked)
    without_keys = {"linkedDomains": [domain["id"]], "disableLocalAuth": True}
    yield from differences("the service", service["properties"], without_keys)
    kept_at = {
        shape.properties(kind)["dataLocation"]
        for kind in ("Microsoft.Communication/communicationServices", "Microsoft.Communication/emailServices")
    }
    if len(kept_at) != 1:
        yield f"What is sent is kept in {sorted(kept_at)}: a domain is linked within one place only."
    wanted = {
        "MAIL_ENDPOINT": f"[format('https://{{0}}', reference('{service['id']}', '2025-05-01').hostName)]",
        "MAIL_FROM": f"[format('DoNotReply@{{0}}', reference('{domain['id']}', '2025-05-01').mailFromSenderDomain)]",
    }
    yield from differences("settings", shape.settings, wanted)


def secrets_that_are_not_given_are_left_as_they_are(shape):
    """Who deploys need not know them; what is given is written. The app reads either by reference."""
    for setting, name, parameter in (
        ("NOTIFY_URLS", "notify-urls", "notifyUrls"),
        ("CALLERS", "callers", "callers"),
        ("CALLBACKS", "callbacks", "callbacks"),
        ("SMTP_URL", "smtp-url", "smtpUrl"),
        ("NOTIFY_ROOMS", "notify-rooms", "notifyRooms"),
    ):
        found = [each for each in shape.all("Microsoft.KeyVault/vaults/secrets") if each["name"].endswith(f"/{name}")]
        by_condition = {each.get("condition"): each["properties"]["value"] for each in found}
        given, first = f"[not(empty(parameters('{parameter}')))]", f"[empty(parameters('{parameter}'))]"
        if by_condition != {given: f"[parameters('{parameter}')]", first: "[parameters('value')]"}:
            yield f"The secret {name} is written so: {by_condition}."
        for each in found[:1]:
            reference = f"reference('{each['id']}', '2025-05-01').secretUri)]"
            wanted = f"[format('@Microsoft.KeyVault(SecretUri={{0}})', {reference}"
            yield from differences("settings", shape.settings, {setting: wanted})


def the_app_answers_at_its_own_address(shape):
    """Otherwise the host's own page is there."""
    yield from differences("settings", shape.settings, {"AzureWebJobsDisableHomepage": "true"})


def roles_are_the_least_on_the_smallest(shape):
    wanted = {(*each, "the app") for each in OF_THE_APP} | {(*each, "the publisher") for each in OF_THE_PUBLISHER}
    if shape.chosen.developer:
        wanted |= {(*each, "a developer") for each in OF_A_DEVELOPER}
    if shape.chosen.exports:
        wanted |= {(*each, "the app") for each in FOR_EXPORTS}
    if shape.chosen.mails:
        wanted |= {(*each, "the app") for each in FOR_MAIL}
    found = {assigned(each) for each in shape.all("Microsoft.Authorization/roleAssignments")}
    yield from (f"{who} has not {role} on {scope}." for role, scope, who in sorted(wanted - found))
    yield from (f"{who} has {role} on {scope}, which nobody asked for." for role, scope, who in sorted(found - wanted))


def assigned(assignment):
    """Read a role assignment: which role, on what kind of thing, to whom."""
    role = assignment["properties"]["roleDefinitionId"].rpartition("/")[2]
    principal = assignment["properties"]["principalId"]
    typed = assignment["properties"].get("principalType")
    made = re.search(r"format\('(identity|publisher)-\{0\}'.*\.outputs\.principalId\.value\]$", principal)
    if made and typed == "ServicePrincipal":
        who = {"identity": "the app", "publisher": "the publisher"}[made[1]]
    else:
        who = "a developer" if "[" not in principal else typed
    return ROLES.get(role, role), scope(assignment["id"]), who


def scope(assignment_id):
    """Give the type of what a role is on, of a container or a secret its name, too.

    It comes before the assignment in an id, evaluated or not.
    """
    found = re.match(r"\[extensionResourceId\('([^']+)'", assignment_id)
    on = found[1] if found else assignment_id.rpartition("/providers/Microsoft.Authorization/")[0]
    _, _, resource = on.partition("/providers/")
    namespace, *types_and_names = resource.split("/")
    if not resource:
        return "a resource group or more"
    kind = "/".join([namespace, *types_and_names[::2]])
    return f"{kind} {types_and_names[-1]}" if kind.endswith(("/containers", "/secrets", "/keys")) else kind


def roles_are_named_for_whom_they_are_given(shape):
    for each in shape.all("Microsoft.Authorization/roleAssignments"):
        name, principal = each["name"], each["properties"]["principalId"]
        if principal.startswith("[") and principal.strip("[]") not in name:
            yield "A role assignment's name does not come from its principal: a new identity could not take it over."


def outputs_are_those_that_were_agreed_and_none_is_a_secret(shape):
    yield from (f"{name} is an output that nobody asked for." for name in sorted(shape.outputs.keys() - OUTPUTS))
    yield from (f"{name} is not an output any more." for name in sorted(OUTPUTS - shape.outputs.keys()))
    for name, typed in shape.outputs.items():
        value = json.dumps(typed)
        if A_SECRET.search(value) or "onnectionString" in value or "/secrets/" in value:
            yield f"{name} gives {value} away."


def no_setting_is_a_secret(shape):
    for name, value in shape.settings.items():
        if A_SECRET.search(value):
            yield f"{name} holds a secret: {value}."


def no_key_is_asked_for_anywhere(shape):
    for each in shape.resources:
        text = json.dumps(each)
        if found := re.search(r"list\w*(Keys|Secrets|Sas)\w*\(", text, re.IGNORECASE):
            yield f"{each['name']} asks for keys: {found[0]}."


def what_the_private_network_closes_is_closed(shape):
    access = "Disabled" if shape.chosen.private else "Enabled"
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.DurableTask/schedulers"):
        properties = shape.properties(kind)
        yield from differences(kind, properties, {"publicNetworkAccess": access})
        if "networkAcls" in properties:
            wanted = {"defaultAction": "Deny" if shape.chosen.private else "Allow"}
            yield from differences(kind, properties["networkAcls"], wanted)
    if shape.chosen.private and any(each.endswith("/0") for each in shape.chosen.addresses):
        yield "The scheduler lets everybody in."


def the_private_network_leads_to_each_service(shape):
    if not shape.chosen.private:
        return
    network = shape.one("Microsoft.Network/virtualNetworks")
    subnets = {each["name"]: each["properties"] for each in network["properties"]["subnets"]}
    site = shape.properties("Microsoft.Web/sites")
    yield from differences("the app", site, {"virtualNetworkSubnetId": f"{network['id']}/subnets/app"})
    delegated = [each["properties"]["serviceName"] for each in subnets.get("app", {}).get("delegations", [])]
    if delegated != ["Microsoft.App/environments"]:
        yield f"The app's subnet is delegated to {delegated}."
    wanted = {
        "blob": shape.one("Microsoft.Storage/storageAccounts")["id"],
        "table": shape.one("Microsoft.Storage/storageAccounts")["id"],
        "vault": shape.one("Microsoft.KeyVault/vaults")["id"],
        "scheduler": shape.one("Microsoft.DurableTask/schedulers")["id"],
    }
    found = {}
    for each in shape.all("Microsoft.Network/privateEndpoints"):
        yield from differences(
            each["name"], each["properties"], {"subnet": {"id": f"{network['id']}/subnets/endpoints"}}
        )
        for connection in each["properties"]["privateLinkServiceConnections"]:
            found |= dict.fromkeys(
                connection["properties"]["groupIds"], connection["properties"]["privateLinkServiceId"]
            )
    yield from differences("private endpoints", found, wanted)
    for link in shape.all("Microsoft.Network/privateDnsZones/virtualNetworkLinks"):
        yield from differences(link["name"], link["properties"], {"virtualNetwork": {"id": network["id"]}})
    zones = " ".join(each["name"] for each in shape.all("Microsoft.Network/privateDnsZones"))
    for word in ("privatelink.blob.", "privatelink.table.", ".vaultcore.", "privatelink.durabletask.io"):
        if word not in zones:
            yield f"No name is served for {word}"


def sign_in_is_there_only_when_a_client_is_named(shape):
    settings = shape.settings
    if not shape.chosen.sign_in:
        if settings.get("TRUST_EASY_AUTH") != "false" or "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID" in settings:
            yield "Without sign-in the app would believe headers that anyone can send."
        return
    signing = shape.properties("Microsoft.Web/sites/config", "authsettingsV2")
    yield from differences("sign-in", signing["platform"], {"enabled": True})
    wanted = {"requireAuthentication": False, "unauthenticatedClientAction": "AllowAnonymous"}
    yield from differences("sign-in", signing["globalValidation"], wanted)
    if signing["globalValidation"].get("excludedPaths"):
        yield "On excluded paths nobody takes forged headers away."
    entra = signing["identityProviders"]["azureActiveDirectory"]
    wanted = {"clientId": shape.chosen.sign_in[0], "clientSecretSettingName": "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"}
    yield from differences("sign-in", entra["registration"], wanted)
    if "99999999-9999-9999-9999-999999999999" not in entra["registration"]["openIdIssuer"]:
        yield "Sign-in is open to other tenants."
    allowed = entra["validation"]["defaultAuthorizationPolicy"]
    yield from differences("sign-in", allowed, {"allowedApplications": list(shape.chosen.sign_in)})
    yield from differences("settings", settings, {"TRUST_EASY_AUTH": "true"})


def somebody_hears_when_something_is_wrong(shape):
    if not shape.chosen.alerts_to:
        return
    group = shape.one("Microsoft.Insights/actionGroups")
    addresses = [each["emailAddress"] for each in group["properties"]["emailReceivers"]]
    if addresses != [shape.chosen.alerts_to] or group["properties"]["enabled"] is not True:
        yield f"Alerts go to {addresses}."
    wanted = {"failed-orchestrations", "failed-deliveries", "timed-out-approvals", "late-records", "server-errors"}
    found = {each["properties"]["displayName"] for each in shape.all("Microsoft.Insights/scheduledQueryRules")}
    if found != wanted:
        yield f"There are alerts for {sorted(found)}, not {sorted(wanted)}."
    workspace = shape.one("Microsoft.OperationalInsights/workspaces")["id"]
    for each in shape.all("Microsoft.Insights/scheduledQueryRules"):
        rule = {"enabled": True, "scopes": [workspace], "actions": {"actionGroups": [group["id"]]}}
        yield from differences(each["name"], each["properties"], rule)


FACTS = [
    the_compiler_has_nothing_to_say,
    it_has_the_resources_of_its_shape_and_no_other,
    every_resource_has_the_version_that_was_chosen_for_it,
    everything_carries_the_tags,
    the_storage_takes_no_shared_key,
    the_storage_shows_nothing_to_strangers,
    the_storage_speaks_tls_1_2_or_newer,
    the_storage_survives_a_zone_if_the_app_does,
    the_app_speaks_tls_1_2_or_newer,
    nobody_publishes_or_debugs_with_a_password,
    the_app_is_python_3_11_on_flex_consumption,
    instances_are_always_ready_as_chosen,
    the_app_is_asked_for_its_health,
    the_app_is_one_identity_everywhere,
    the_package_lies_in_the_container,
    the_host_finds_its_storage_without_a_key,
    the_app_signs_in_to_its_scheduler,
    links_for_people_begin_with_the_address_of_the_app,
    the_scheduler_is_what_was_chosen,
    finished_requests_are_kept_as_long_as_chosen,
    telemetry_is_written_by_identities_only,
    the_vault_is_opened_by_roles_and_cannot_be_emptied,
    the_link_keys_are_made_by_chance_and_reach_the_app_by_reference,
    the_requester_is_told_unless_chosen_otherwise,
    mail_goes_from_a_domain_of_azures_by_identity_alone_where_it_is_chosen,
    secrets_that_are_not_given_are_left_as_they_are,
    the_app_answers_at_its_own_address,
    roles_are_the_least_on_the_smallest,
    roles_are_named_for_whom_they_are_given,
    outputs_are_those_that_were_agreed_and_none_is_a_secret,
    no_setting_is_a_secret,
    no_key_is_asked_for_anywhere,
    what_the_private_network_closes_is_closed,
    the_private_network_leads_to_each_service,
    sign_in_is_there_only_when_a_client_is_named,
    somebody_hears_when_something_is_wrong,
]


def wrong(fact, shape):
    """Give what a fact finds wrong with a shape; a resource that is missing is wrong, too."""
    try:
        return list(fact(shape))
    except (Missing, KeyError, IndexError, TypeError, AttributeError) as error:
        return [f"{fact.__name__} could not be seen: {type(error).__name__}: {error}"]
