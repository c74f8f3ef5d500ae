// Everything the app needs in Azure. `azd up` fills the parameters from its environment, by main.parameters.json.
targetScope = 'subscription'

@description('Names the environment, and with it every resource.')
@minLength(1)
@maxLength(40)
param environmentName string

@metadata({ azd: { type: 'location' } })
param location string

@description('Where the scheduler is, if not where the app is.')
param schedulerLocation string = location

@description('Added to every resource.')
param tags object = {}

// --- the scheduler

@allowed(['Consumption', 'Dedicated'])
param schedulerSku string = 'Consumption'

@description('Capacity units of a Dedicated scheduler; three make it highly available.')
@minValue(1)
@maxValue(3)
param schedulerCapacity int = 1

@description('Addresses that may reach the scheduler, which also wants an Entra identity with a role. The addresses of Flex Consumption are not fixed, so that without the private network only all of them will do.')
@minLength(1)
param schedulerIpAllowlist string[] = ['0.0.0.0/0']

@minLength(3)
@maxLength(45)
param taskHubName string = 'approvals'

@description('How long finished requests are kept in the scheduler: 30 days at most on Consumption, 90 on Dedicated.')
@minValue(1)
@maxValue(90)
param retentionInDays int = 30

// --- the app

@description('Instances that are always ready to answer HTTP.')
@minValue(0)
param httpAlwaysReady int = 0

@description('Instances that are always ready to run orchestrations and activities.')
@minValue(0)
param durableAlwaysReady int = 0

@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

param isZoneRedundant bool = false

@description('The address with which links for people begin, on a domain of your own; empty: the address of the app.')
param publicBaseUrl string = ''

@description('The services that tell people, as docs/settings.md has them. They hold passwords and are kept in the vault; empty: what the vault has stays, at first nobody; none: nobody is told.')
@secure()
param notifyUrls string = ''

@description('Who may call, and what each may do: JSON, kept in the vault; empty: what the vault has stays, at first {}, with which any key may do everything.')
@secure()
param callers string = ''

@description('Where callbacks may go: JSON with secrets, kept in the vault; empty: what the vault has stays, at first {}: nowhere.')
@secure()
param callbacks string = ''

@description('The mail server, with its password, kept in the vault; empty: what the vault has stays, at first none.')
@secure()
param smtpUrl string = ''

@description('Webhooks of rooms in Slack and Teams, kept in the vault; empty: what the vault has stays, at first none.')
@secure()
param notifyRooms string = ''

@description('Deploy Azure Communication Services, and have the app send mail by it from a domain that Azure manages.')
param isMailServiceOn bool = false

@description('Where what is mailed is kept at rest, such as Europe or United States; it cannot be changed later.')
param mailDataLocation string = 'Europe'

@description('Tell the requester the outcome.')
param notifyRequester bool = true

@description('Put a file for each day, of what ended then, into a container of its own.')
param exportContainer bool = false

@description('What docs/settings.md offers, by name. Values are strings; a secret belongs in the vault, and here its reference.')
param appSettings object = {}

// --- switches

@description('Reach storage, vault and scheduler through a private network only.')
param isPrivate bool = false

param addressSpace string = '10.20.0.0/16'

@description('Let the one who deploys use the task hub, too.')
param isDeveloper bool = false

@description('Who deploys; azd fills it.')
param principalId string = ''

@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string = 'User'

@description('The app registration people sign in to; empty: no sign-in.')
param signInClientId string = ''

@description('Other applications of the tenant whose tokens are believed, when sign-in is on.')
param signInCallers string[] = []

@description('Who is told when something is wrong; empty: nobody.')
param alertEmail string = ''

@description('The first key for links; used once, when there is none yet. Later deployments leave the key alone.')
@secure()
param firstLinkKey string = newGuid()

var serviceName = 'api'
var linkKeysName = 'approval-link-keys'
var notifyUrlsName = 'notify-urls'
var callersName = 'callers'
var callbacksName = 'callbacks'
var smtpUrlName = 'smtp-url'
var notifyRoomsName = 'notify-rooms'
var receiptKeyName = 'receipts'
var packageContainer = 'packages'
var exportName = exportContainer ? 'approvals-export' : ''
// Where the Functions host keeps its leases and its keys. It would make them itself, with a right to all containers.
var hostContainers = ['azure-webjobs-hosts', 'azure-webjobs-secrets']
var isSignInOn = !empty(signInClientId)
var allTags = union(tags, { 'azd-env-name': environmentName })

var prefix = loadJsonContent('abbreviations.json')
var token = uniqueString(subscription().id, environmentName, location)
var names = {
  identity: '${prefix.identity}${token}'
  publisher: '${prefix.identity}packages-${token}'
  workspace: '${prefix.workspace}${token}'
  insights: '${prefix.insights}${token}'
  storage: '${prefix.storage}${token}'
  scheduler: '${prefix.scheduler}${token}'
  vault: '${prefix.vault}${token}'
  network: '${prefix.network}${token}'
  plan: '${prefix.plan}${token}'
  app: '${prefix.functionApp}${token}'
  actionGroup: '${prefix.actionGroup}${token}'
  communication: '${prefix.communication}${token}'
  mail: '${prefix.mail}${token}'
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: '${prefix.resourceGroup}${environmentName}'
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: names.identity, location: location, tags: allTags }
}

module publisher 'modules/identity.bicep' = {
  scope: group
  params: { name: names.publisher, location: location, tags: allTags }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { workspaceName: names.workspace, insightsName: names.insights, location: location, tags: allTags }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: names.storage
    packageContainer: packageContainer
    hostContainers: hostContainers
    exportContainer: exportName
    location: location
    tags: allTags
    isPrivate: isPrivate
    isZoneRedundant: isZoneRedundant
  }
}

module scheduler 'modules/scheduler.bicep' = {
  scope: group
  params: {
    name: names.scheduler
    taskHubName: taskHubName
    location: schedulerLocation
    tags: allTags
    isPrivate: isPrivate
    sku: schedulerSku
    capacity: schedulerCapacity
    // Should the list be asked of the private endpoint, too, it lets in the network and nobody else.
    ipAllowlist: isPrivate ? [addressSpace] : schedulerIpAllowlist
    retentionInDays: retentionInDays
  }
}

module vault 'modules/key-vault.bicep' = {
  scope: group
  params: {
    name: names.vault
    linkKeysName: linkKeysName
    location: location
    tags: allTags
    isPrivate: isPrivate
    firstKey: firstLinkKey
    notifyUrlsName: notifyUrlsName
    notifyUrls: notifyUrls
    callersName: callersName
    callers: callers
    callbacksName: callbacksName
    callbacks: callbacks
    smtpUrlName: smtpUrlName
    smtpUrl: smtpUrl
    notifyRoomsName: notifyRoomsName
    notifyRooms: notifyRooms
    receiptKeyName: receiptKeyName
  }
}

module mail 'modules/mail.bicep' = if (isMailServiceOn) {
  scope: group
  params: { name: names.communication, mailName: names.mail, tags: allTags, dataLocation: mailDataLocation }
}

module network 'modules/network.bicep' = if (isPrivate) {
  scope: group
  dependsOn: [storage, vault, scheduler]
  params: {
    name: names.network
    endpointPrefix: prefix.endpoint
    location: location
    tags: allTags
    addressSpace: addressSpace
    storageName: names.storage
    vaultName: names.vault
    schedulerName: names.scheduler
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  dependsOn: [monitoring, storage, scheduler, vault, mail]
  params: {
    appPrincipalId: identity.outputs.principalId
    publisherPrincipalId: publisher.outputs.principalId
    schedulerName: names.scheduler
    taskHubName: taskHubName
    storageName: names.storage
    packageContainer: packageContainer
    hostContainers: hostContainers
    exportContainer: exportName
    insightsName: names.insights
    vaultName: names.vault
    secretNames: [linkKeysName, notifyUrlsName, callersName, callbacksName, smtpUrlName, notifyRoomsName]
    receiptKeyName: receiptKeyName
    communicationName: isMailServiceOn ? names.communication : ''
    developerPrincipalId: isDeveloper ? principalId : ''
    developerPrincipalType: principalType
  }
}

module app 'modules/function-app.bicep' = {
  scope: group
  // What it names exists by then, and so do its rights, with which its settings are resolved when it starts.
  dependsOn: [roles, network]
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: allTags
    serviceName: serviceName
    identityName: names.identity
    publisherName: names.publisher
    storageName: names.storage
    packageContainer: packageContainer
    insightsName: names.insights
    schedulerName: names.scheduler
    taskHubName: taskHubName
    vaultName: names.vault
    linkKeysName: linkKeysName
    notifyUrlsName: notifyUrlsName
    callersName: callersName
    callbacksName: callbacksName
    smtpUrlName: smtpUrlName
    notifyRoomsName: notifyRoomsName
    receiptKeyName: receiptKeyName
    notifyRequester: notifyRequester
    exportContainer: exportName
    communicationName: isMailServiceOn ? names.communication : ''
    mailName: names.mail
    publicBaseUrl: publicBaseUrl
    networkName: isPrivate ? names.network : ''
    isSignInOn: isSignInOn
    appSettings: appSettings
    isZoneRedundant: isZoneRedundant
    httpAlwaysReady: httpAlwaysReady
    durableAlwaysReady: durableAlwaysReady
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
  }
}

module signIn 'modules/sign-in.bicep' = if (isSignInOn) {
  scope: group
  dependsOn: [app]
  params: { siteName: names.app, clientId: signInClientId, callerClientIds: signInCallers }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  dependsOn: [monitoring]
  params: { location: location, tags: allTags, workspaceName: names.workspace }
}

module alerts 'modules/alerts.bicep' = if (!empty(alertEmail)) {
  scope: group
  dependsOn: [monitoring]
  params: {
    location: location
    tags: allTags
    actionGroupName: names.actionGroup
    alertPrefix: prefix.alert
    workspaceName: names.workspace
    email: alertEmail
  }
}

// For azd, which keeps them in its environment, and for people. None is a secret.
output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = names.app
output STORAGE_NAME string = names.storage
output AZURE_KEY_VAULT_NAME string = names.vault
output SERVICE_API_NAME string = names.app
output SERVICE_API_URL string = app.outputs.url
output SCHEDULER_NAME string = names.scheduler
output SCHEDULER_ENDPOINT string = scheduler.outputs.endpoint
output TASK_HUB_NAME string = taskHubName
output TASK_HUB_DASHBOARD_URL string = scheduler.outputs.dashboardUrl
output APP_IDENTITY_CLIENT_ID string = identity.outputs.clientId
output APP_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

// What was chosen, under the names by which azd takes it: `azd env refresh` brings it to a machine or a pipeline that
// has not chosen, so that the next deployment from there leaves it as it is. Secrets stay in the vault, likewise.
output SCHEDULER_LOCATION string = schedulerLocation
output SCHEDULER_SKU string = schedulerSku
output SCHEDULER_CAPACITY int = schedulerCapacity
output SCHEDULER_IP_ALLOWLIST array = schedulerIpAllowlist
output RETENTION_IN_DAYS int = retentionInDays
output HTTP_ALWAYS_READY int = httpAlwaysReady
output DURABLE_ALWAYS_READY int = durableAlwaysReady
output INSTANCE_MEMORY_MB int = instanceMemoryMB
output MAXIMUM_INSTANCE_COUNT int = maximumInstanceCount
output ZONE_REDUNDANT bool = isZoneRedundant
output PUBLIC_BASE_URL string = publicBaseUrl
output MAIL_SERVICE bool = isMailServiceOn
output MAIL_DATA_LOCATION string = mailDataLocation
output NOTIFY_REQUESTER bool = notifyRequester
output EXPORT_CONTAINER bool = exportContainer
output APP_SETTINGS object = appSettings
output PRIVATE_NETWORK bool = isPrivate
output ADDRESS_SPACE string = addressSpace
output DEVELOPER_ACCESS bool = isDeveloper
output SIGN_IN_CLIENT_ID string = signInClientId
output SIGN_IN_CALLERS array = signInCallers
output ALERT_EMAIL string = alertEmail
output RESOURCE_TAGS object = tags
