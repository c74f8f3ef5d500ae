// Sign-in with Entra in front of the app (Easy Auth), without a client secret.
param siteName string
param clientId string

@description('Other applications of the tenant whose tokens are believed, besides the sign-in itself.')
param callerClientIds string[]

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: siteName

  resource signIn 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      httpSettings: { requireHttps: true }
      globalValidation: {
        // Nobody is turned away here: function keys guard the routes for programs, links guard the page. No path goes
        // round the check, which takes forged headers away and says who has signed in.
        requireAuthentication: false
        unauthenticatedClientAction: 'AllowAnonymous'
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
