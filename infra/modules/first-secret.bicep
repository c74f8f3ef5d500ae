// A secret that is written when there is none of its name, and left alone from then on.
param vaultName string
param name string
param contentType string
param tags object

@secure()
param value string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  @onlyIfNotExists()
  resource secret 'secrets' = {
    name: name
    tags: tags
    properties: { value: value, contentType: contentType }
  }
}
