// What the Functions host keeps for itself, the app's package, and the tables of its records. No shared keys.
param name string
param packageContainer string
param hostContainers string[]

@description('Gets a file for each day; empty: there is none.')
param exportContainer string

param location string
param tags object
param isPrivate bool
param isZoneRedundant bool

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: isZoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: 'None'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource container 'containers' = {
      name: packageContainer
      properties: { publicAccess: 'None' }
    }

    resource exports 'containers' = if (!empty(exportContainer)) {
      name: exportContainer
      properties: { publicAccess: 'None' }
    }

    resource ofTheHost 'containers' = [
      for container in hostContainers: {
        name: container
        properties: { publicAccess: 'None' }
      }
    ]
  }
}
