// For a company: a highly available scheduler of its own, sign-in, alerts; deployed by a pipeline.
using '../main.bicep'

param environmentName = 'dedicated'
param location = 'northeurope'
param tags = { owner: 'finance' }
param principalId = '22222222-2222-2222-2222-222222222222'
param principalType = 'ServicePrincipal'
param schedulerSku = 'Dedicated'
param schedulerCapacity = 3
param schedulerIpAllowlist = ['192.0.2.0/24']
param retentionInDays = 90
param isZoneRedundant = true
param httpAlwaysReady = 1
param publicBaseUrl = 'https://approvals.example.com'
param notifyUrls = 'json://hooks.example.com/approvals'
param notifyRequester = false
param exportContainer = true
param isMailServiceOn = true
// The last is not taken: what the deployment must set itself stands.
param appSettings = {
  NOTIFY_LOG: 'true'
  TASKHUB_NAME: 'not-this-one'
}
param signInClientId = '33333333-3333-3333-3333-333333333333'
param signInCallers = ['44444444-4444-4444-4444-444444444444']
param alertEmail = 'operators@example.com'
