// The private network: the app goes out through it, and storage, vault and scheduler are reached from inside only.
param name string
param endpointPrefix string
param location string
param tags object
param addressSpace string
param storageName string
param vaultName string
param schedulerName string

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressSpace] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressSpace, 24, 0)
          delegations: [
            { name: 'flex-consumption', properties: { serviceName: 'Microsoft.App/environments' } }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: cidrSubnet(addressSpace, 24, 1) }
      }
    ]
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' existing = {
  name: schedulerName
}

module toBlobs 'private-endpoint.bicep' = {
  params: {
    name: '${endpointPrefix}blob'
    location: location
    tags: tags
    networkId: network.id
    subnetId: network::endpoints.id
    targetId: storage.id
    group: 'blob'
    zone: 'privatelink.blob.${environment().suffixes.storage}'
  }
}

module toTables 'private-endpoint.bicep' = {
  params: {
    name: '${endpointPrefix}table'
    location: location
    tags: tags
    networkId: network.id
    subnetId: network::endpoints.id
    targetId: storage.id
    group: 'table'
    zone: 'privatelink.table.${environment().suffixes.storage}'
  }
}

module toVault 'private-endpoint.bicep' = {
  params: {
    name: '${endpointPrefix}vault'
    location: location
    tags: tags
    networkId: network.id
    subnetId: network::endpoints.id
    targetId: vault.id
    group: 'vault'
    zone: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
  }
}

module toScheduler 'private-endpoint.bicep' = {
  params: {
    name: '${endpointPrefix}scheduler'
    location: location
    tags: tags
    networkId: network.id
    subnetId: network::endpoints.id
    targetId: scheduler.id
    group: 'scheduler'
    zone: 'privatelink.durabletask.io'
  }
}
