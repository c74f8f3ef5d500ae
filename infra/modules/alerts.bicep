// What somebody should hear of, by e-mail. Each asks the logs every few minutes.
param location string
param tags object
param actionGroupName string
param alertPrefix string
param workspaceName string
param email string

@description('How many of a kind in a quarter of an hour are too many; 0: one is.')
@minValue(0)
param threshold int = 0

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'approvals'
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

// Made from the app's own table of signals, approvals/signals.py, by `make infra`.
var rules = loadJsonContent('../alerts.json')

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${alertPrefix}${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.name
      description: rule.says
      severity: rule.severity
      enabled: true
      scopes: [workspace.id]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      // The tables of a new workspace are empty, and a query on them would be refused.
      skipQueryValidation: true
      actions: { actionGroups: [people.id] }
    }
  }
]
