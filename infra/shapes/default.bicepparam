// What `azd up` makes when nothing is chosen.
using '../main.bicep'

param environmentName = 'default'
param location = 'northeurope'
param principalId = '11111111-1111-1111-1111-111111111111'
