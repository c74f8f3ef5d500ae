// What nobody but the app may read: the keys for links, the services that tell people, and who may call; and the key
// that signs receipts, which nobody may read at all.
param name string
param linkKeysName string
param location string
param tags object
param isPrivate bool

@description('The first key; used once, when the secret does not exist yet.')
@secure()
param firstKey string

param notifyUrlsName string

@description('The services that tell people; empty: those in the vault stay, and at first there is none.')
@secure()
param notifyUrls string

param callersName string

param callbacksName string

@description('Where callbacks may go: JSON with secrets, kept in the vault; empty: what the vault has stays, at first {}: nowhere.')
@secure()
param callbacks string

param smtpUrlName string

@description('The mail server, with its password, kept in the vault; empty: what the vault has stays, at first none.')
@secure()
param smtpUrl string

param notifyRoomsName string

@description('Webhooks of rooms in Slack and Teams, kept in the vault; empty: what the vault has stays, at first none.')
@secure()
param notifyRooms string

@description('The key that signs receipts.')
param receiptKeyName string

@description('Who may call; empty: those in the vault stay, and at first any key may do everything.')
@secure()
param callers string

var toldByType = 'text/plain; addresses of services, separated by blanks, or none'
var callbackRulesType = 'application/json; where callbacks may go'
var mailServerType = 'text/plain; a mail server with its password, or none'
var roomsType = 'text/plain; webhooks of rooms, separated by blanks, or none'
var whoMayCallType = 'application/json; callers by name'

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    // The shortest: after `azd down` the name stays taken for a week, not for three months.
    softDeleteRetentionInDays: 7
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: isPrivate ? 'AzureServices' : 'None'
    }
  }
}

// A list, the newest first, which alone signs; the others still verify.
// Written once. A later `azd up` leaves it alone: a new key would void every link that people have in their mail.
module linkKeys 'first-secret.bicep' = {
  params: {
    vaultName: vault.name
    name: linkKeysName
    value: firstKey
    contentType: 'text/plain; keys, newest first, separated by commas'
    tags: tags
  }
}

// Made once, and never exported: the vault signs. A new version is made by rotating it, and old ones still verify.
@onlyIfNotExists()
resource receiptKey 'Microsoft.KeyVault/vaults/keys@2025-05-01' = {
  parent: vault
  name: receiptKeyName
  tags: tags
  properties: { kty: 'EC', curveName: 'P-256', keyOps: ['sign', 'verify'] }
}

// What is given is written. What is not given is left as it is: whoever deploys need not know it.
module toldBy 'secret.bicep' = if (!empty(notifyUrls)) {
  params: {
    vaultName: vault.name
    name: notifyUrlsName
    value: notifyUrls
    contentType: toldByType
    tags: tags
  }
}

module toldByNone 'first-secret.bicep' = if (empty(notifyUrls)) {
  params: {
    vaultName: vault.name
    name: notifyUrlsName
    value: 'none'
    contentType: toldByType
    tags: tags
  }
}

module whoMayCall 'secret.bicep' = if (!empty(callers)) {
  params: {
    vaultName: vault.name
    name: callersName
    value: callers
    contentType: whoMayCallType
    tags: tags
  }
}

module anybodyMayCall 'first-secret.bicep' = if (empty(callers)) {
  params: {
    vaultName: vault.name
    name: callersName
    value: '{}'
    contentType: whoMayCallType
    tags: tags
  }
}

module callbackRules 'secret.bicep' = if (!empty(callbacks)) {
  params: {
    vaultName: vault.name
    name: callbacksName
    value: callbacks
    contentType: callbackRulesType
    tags: tags
  }
}

module callbackRulesAtFirst 'first-secret.bicep' = if (empty(callbacks)) {
  params: {
    vaultName: vault.name
    name: callbacksName
    value: '{}'
    contentType: callbackRulesType
    tags: tags
  }
}

module mailServer 'secret.bicep' = if (!empty(smtpUrl)) {
  params: {
    vaultName: vault.name
    name: smtpUrlName
    value: smtpUrl
    contentType: mailServerType
    tags: tags
  }
}

module mailServerAtFirst 'first-secret.bicep' = if (empty(smtpUrl)) {
  params: {
    vaultName: vault.name
    name: smtpUrlName
    value: 'none'
    contentType: mailServerType
    tags: tags
  }
}

module rooms 'secret.bicep' = if (!empty(notifyRooms)) {
  params: {
    vaultName: vault.name
    name: notifyRoomsName
    value: notifyRooms
    contentType: roomsType
    tags: tags
  }
}

module roomsAtFirst 'first-secret.bicep' = if (empty(notifyRooms)) {
  params: {
    vaultName: vault.name
    name: notifyRoomsName
    value: 'none'
    contentType: roomsType
    tags: tags
  }
}
