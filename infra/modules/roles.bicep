// Who may do what: the least that works, each on the smallest thing it is needed for.
param appPrincipalId string

@description('The identity with which the platform stores and fetches the package of the app.')
param publisherPrincipalId string

param schedulerName string
param taskHubName string
param storageName string
param packageContainer string
param hostContainers string[]
param exportContainer string
param insightsName string
param vaultName string
param secretNames string[]
param receiptKeyName string

@description('The service that sends mail; empty: there is none.')
param communicationName string

@description('Gets the task hub as well, to run the app locally against it and to see its dashboard; empty: nobody.')
param developerPrincipalId string

@allowed(['User', 'ServicePrincipal', 'Group'])
param developerPrincipalType string

var roles = {
  durableTaskDataContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  communicationAndEmailServiceOwner: '09976791-48a7-449e-bb21-39d1a415f350'
  keyVaultCryptoUser: '12338af0-0e69-4776-bea7-57ae8d297424'
}

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' existing = {
  name: schedulerName

  resource hub 'taskHubs' existing = {
    name: taskHubName
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource packages 'containers' existing = {
      name: packageContainer
    }

    resource exports 'containers' existing = if (!empty(exportContainer)) {
      name: exportContainer
    }

    resource ofTheHost 'containers' existing = [for container in hostContainers: { name: container }]
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  resource secrets 'secrets' existing = [for secret in secretNames: { name: secret }]

  resource receiptKey 'keys' existing = {
    name: receiptKeyName
  }
}

// The app starts, signals and queries instances and works them off: Worker alone would not do.
resource appOnHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler::hub.id, appPrincipalId, roles.durableTaskDataContributor)
  scope: scheduler::hub
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.durableTaskDataContributor
    )
  }
}

// The host's leases and keys. The role is the one that Functions asks for, on nothing but the host's own containers.
resource appOnHostContainers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in hostContainers: {
    name: guid(storage::blobs::ofTheHost[i].id, appPrincipalId, roles.storageBlobDataOwner)
    scope: storage::blobs::ofTheHost[i]
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
    }
  }
]

resource appOnExports 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(exportContainer)) {
  name: guid(storage::blobs::exports.id, appPrincipalId, roles.storageBlobDataContributor)
  scope: storage::blobs::exports
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
  }
}

resource communication 'Microsoft.Communication/communicationServices@2025-05-01' existing = if (!empty(communicationName)) {
  name: communicationName
}

// There is no smaller role with which one may send.
resource appOnMail 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(communicationName)) {
  name: guid(communication.id, appPrincipalId, roles.communicationAndEmailServiceOwner)
  scope: communication
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.communicationAndEmailServiceOwner
    )
  }
}

// What the app runs is not the app's to write.
resource publisherOnPackages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage::blobs::packages.id, publisherPrincipalId, roles.storageBlobDataContributor)
  scope: storage::blobs::packages
  properties: {
    principalId: publisherPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
  }
}

// The host's diagnostic events, and the records that outlive the scheduler's history.
resource appOnTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, appPrincipalId, roles.storageTableDataContributor)
  scope: storage
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
  }
}

resource appOnInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appPrincipalId, roles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}

resource appOnSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (secret, i) in secretNames: {
    name: guid(vault::secrets[i].id, appPrincipalId, roles.keyVaultSecretsUser)
    scope: vault::secrets[i]
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    }
  }
]

// Signs with this key, and shows its public half.
resource appOnReceiptKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault::receiptKey.id, appPrincipalId, roles.keyVaultCryptoUser)
  scope: vault::receiptKey
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultCryptoUser)
  }
}

resource developerOnHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(developerPrincipalId)) {
  name: guid(scheduler::hub.id, developerPrincipalId, roles.durableTaskDataContributor)
  scope: scheduler::hub
  properties: {
    principalId: developerPrincipalId
    principalType: developerPrincipalType
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.durableTaskDataContributor
    )
  }
}
