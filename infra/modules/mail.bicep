// Mail through Azure Communication Services, from a domain that Azure manages. Nobody has a key: identities send.
param name string
param mailName string
param tags object

@description('Where what is sent is kept at rest; it cannot be changed later.')
param dataLocation string

resource mail 'Microsoft.Communication/emailServices@2025-05-01' = {
  name: mailName
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation }

  resource domain 'domains' = {
    // The one name that a domain of Azure's may have.
    name: 'AzureManagedDomain'
    location: 'global'
    tags: tags
    properties: {
      domainManagement: 'AzureManaged'
      // Nothing is put into a message to see who opened it, and no link of a person leads through somebody else.
      userEngagementTracking: 'Disabled'
    }
  }
}

resource service 'Microsoft.Communication/communicationServices@2025-05-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    linkedDomains: [mail::domain.id]
    disableLocalAuth: true
  }
}
