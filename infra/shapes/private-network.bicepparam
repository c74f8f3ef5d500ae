// Nothing of the app's but its own address can be reached from outside; somebody develops, and instances are ready.
using '../main.bicep'

param environmentName = 'private-network'
param location = 'northeurope'
param principalId = '11111111-1111-1111-1111-111111111111'
param isPrivate = true
param isDeveloper = true
param httpAlwaysReady = 2
param durableAlwaysReady = 1
