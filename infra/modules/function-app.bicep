// The app, on Flex Consumption.
param name string
param planName string
param location string
param tags object
param serviceName string

param identityName string

@description('The identity with which the platform stores and fetches the package.')
param publisherName string

param storageName string
param packageContainer string
param insightsName string
param schedulerName string
param taskHubName string
param vaultName string
param linkKeysName string

param notifyUrlsName string
param callersName string
param callbacksName string
param smtpUrlName string
param notifyRoomsName string
param receiptKeyName string

param notifyRequester bool
param exportContainer string

@description('The service that sends mail; empty: there is none.')
param communicationName string

@description('The service whose domain the mail is from.')
param mailName string

@description('The address with which links begin; empty: the address of the app.')
param publicBaseUrl string

@description('The network to go out through; empty: none.')
param networkName string

param isSignInOn bool

@description('Further settings; of those made here they replace PUBLIC_BASE_URL and those of NOTIFY alone.')
param appSettings object

param isZoneRedundant bool

@description('Instances that are always ready to answer HTTP.')
@minValue(0)
param httpAlwaysReady int

@description('Instances that are always ready to run orchestrations and activities.')
@minValue(0)
param durableAlwaysReady int

@allowed([512, 2048, 4096])
param instanceMemoryMB int

@minValue(40)
@maxValue(1000)
param maximumInstanceCount int

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource publisher 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: publisherName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' existing = {
  name: schedulerName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  resource linkKeys 'secrets' existing = {
    name: linkKeysName
  }

  resource toldBy 'secrets' existing = {
    name: notifyUrlsName
  }

  resource whoMayCall 'secrets' existing = {
    name: callersName
  }

  resource callbackRules 'secrets' existing = {
    name: callbacksName
  }

  resource mailServer 'secrets' existing = {
    name: smtpUrlName
  }

  resource rooms 'secrets' existing = {
    name: notifyRoomsName
  }

  resource receiptKey 'keys' existing = {
    name: receiptKeyName
  }
}

var sendsMail = !empty(communicationName)

resource communication 'Microsoft.Communication/communicationServices@2025-05-01' existing = if (sendsMail) {
  name: communicationName
}

resource mail 'Microsoft.Communication/emailServices@2025-05-01' existing = if (sendsMail) {
  name: mailName

  resource domain 'domains' existing = {
    name: 'AzureManagedDomain'
  }
}

var isPrivate = !empty(networkName)

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = if (isPrivate) {
  name: networkName

  resource app 'subnets' existing = {
    name: 'app'
  }
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: {
    reserved: true
    zoneRedundant: isZoneRedundant
  }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {}, '${publisher.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Otherwise Key Vault references would try a system-assigned identity, and there is none.
    keyVaultReferenceIdentity: identity.id
    // On Flex Consumption everything then goes that way.
    virtualNetworkSubnetId: isPrivate ? network::app.id : null
    functionAppConfig: {
      runtime: { name: 'python', version: '3.11' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: publisher.id }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: filter(
          [
            { name: 'http', instanceCount: httpAlwaysReady }
            { name: 'durable', instanceCount: durableAlwaysReady }
          ],
          group => group.instanceCount > 0
        )
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      healthCheckPath: '/api/health'
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      // What comes before the further settings can be chosen there, too; what comes after them cannot.
      PUBLIC_BASE_URL: empty(publicBaseUrl) ? 'https://${site.properties.defaultHostName}' : publicBaseUrl
      NOTIFY_REQUESTER: notifyRequester ? 'true' : 'false'
      NOTIFY_URLS: '@Microsoft.KeyVault(SecretUri=${vault::toldBy.properties.secretUri})'
      ...appSettings
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.properties.clientId
      AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
      AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${scheduler.properties.endpoint};Authentication=ManagedIdentity;ClientID=${identity.properties.clientId}'
      TASKHUB_NAME: taskHubName
      // Otherwise Microsoft's page answers at the address of the app.
      AzureWebJobsDisableHomepage: 'true'
      // The app refuses bodies of more than 64 KiB; the host need not take in a hundred megabytes first.
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '131072'
      AZURE_CLIENT_ID: identity.properties.clientId
      // The secret's address without a version, so that a rotated one is found.
      APPROVAL_LINK_KEYS: '@Microsoft.KeyVault(SecretUri=${vault::linkKeys.properties.secretUri})'
      CALLERS: '@Microsoft.KeyVault(SecretUri=${vault::whoMayCall.properties.secretUri})'
      CALLBACKS: '@Microsoft.KeyVault(SecretUri=${vault::callbackRules.properties.secretUri})'
      SMTP_URL: '@Microsoft.KeyVault(SecretUri=${vault::mailServer.properties.secretUri})'
      NOTIFY_ROOMS: '@Microsoft.KeyVault(SecretUri=${vault::rooms.properties.secretUri})'
      // Without a version: the newest signs.
      RECEIPT_KEY: vault::receiptKey.properties.keyUri
      RECORDS_TABLE_ENDPOINT: storage.properties.primaryEndpoints.table
      ...(empty(exportContainer)
        ? {}
        : { EXPORT_CONTAINER: '${storage.properties.primaryEndpoints.blob}${exportContainer}' })
      ...(sendsMail
        ? {
            MAIL_ENDPOINT: 'https://${communication!.properties.hostName}'
            MAIL_FROM: 'DoNotReply@${mail::domain!.properties.mailFromSenderDomain}'
          }
        : {})
      // Without sign-in anyone can send the headers in which the platform says who has signed in.
      TRUST_EASY_AUTH: isSignInOn ? 'true' : 'false'
      // Names the identity whose federated assertion stands in for a client secret.
      ...(isSignInOn ? { OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identity.properties.clientId } : {})
    }
  }
}

output url string = 'https://${site.properties.defaultHostName}'
