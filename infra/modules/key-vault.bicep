// What nobody but the app may read: the keys for links, and the services that tell people.
param name string
param linkKeysName string
param location string
param tags object
param isPrivate bool

@description('The first key; used once, when the secret does not exist yet.')
@secure()
param firstKey string

@description('Whether there are services that tell people.')
param isTelling bool

param notifyUrlsName string

@secure()
param notifyUrls string

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

  // A list, the newest first, which alone signs; the others still verify.
  // Written once. A later `azd up` leaves it alone: a new key would void every link that people have in their mail.
  @onlyIfNotExists()
  resource linkKeys 'secrets' = {
    name: linkKeysName
    tags: tags
    properties: {
      value: firstKey
      contentType: 'text/plain; keys, newest first, separated by commas'
    }
  }

  // They hold passwords.
  resource toldBy 'secrets' = if (isTelling) {
    name: notifyUrlsName
    tags: tags
    properties: {
      value: notifyUrls
      contentType: 'text/plain; addresses of services, separated by blanks'
    }
  }
}
