// Sign-in with Entra in front of the app (Easy Auth), without a client secret.
param siteName string
param clientId string

@description('Other applications of the tenant whose tokens are taken, besides the sign-in itself.')
param callerClientIds string[]

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: siteName

  resource signIn 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      httpSettings: { requireHttps: true }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        // A signed link says by itself who holds it; health says nothing about anyone.
        excludedPaths: ['/approve/*', '/api/health']
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: clientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
          }
          validation: {
            allowedAudiences: [clientId, 'api://${clientId}']
            defaultAuthorizationPolicy: { allowedApplications: [clientId, ...callerClientIds] }
          }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
}
