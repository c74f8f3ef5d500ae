// The Durable Task Scheduler and its task hub: where approvals wait. It takes Entra identities only; it has no keys.
param name string
param taskHubName string
param location string
param tags object
param isPrivate bool

@allowed(['Consumption', 'Dedicated'])
param sku string

@description('Capacity units of a Dedicated scheduler; three make it highly available.')
@minValue(1)
@maxValue(3)
param capacity int

@description('Addresses that may connect. An empty list lets nobody in.')
param ipAllowlist string[]

@description('How long finished orchestrations are kept.')
@minValue(1)
@maxValue(90)
param retentionInDays int

var retention = sku == 'Consumption' && retentionInDays > 30
  ? fail('A Consumption scheduler keeps finished orchestrations for 30 days at most.')
  : retentionInDays

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: sku == 'Dedicated' ? { name: sku, capacity: capacity } : { name: sku }
    ipAllowlist: ipAllowlist
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }

  resource hub 'taskHubs' = {
    name: taskHubName
    properties: {}
  }

  resource policy 'retentionPolicies' = {
    name: 'default'
    properties: {
      retentionPolicies: [{ retentionPeriodInDays: retention }]
    }
  }
}

output endpoint string = scheduler.properties.endpoint
output dashboardUrl string = scheduler::hub.properties.dashboardUrl
