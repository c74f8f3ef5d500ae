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

var rules = [
  {
    name: 'failed-orchestrations'
    says: 'An approval failed inside the service: a defect.'
    severity: 1
    query: 'AppTraces | where Properties.Category == "Host.Triggers.DurableTask" and Properties.prop__functionType == "Orchestrator" and Properties.prop__state == "Failed"'
  }
  {
    name: 'failed-deliveries'
    says: 'Somebody could not be told: of a request, or of its outcome.'
    severity: 2
    query: 'AppRequests | where Name in ("submit_approval_request", "process_approval") and Success == false'
  }
  {
    name: 'timed-out-approvals'
    says: 'Nobody decided before the deadline.'
    severity: 3
    query: 'AppTraces | where Message matches regex "^Request [0-9a-f]{32}: Timeout$"'
  }
  {
    name: 'server-errors'
    says: 'A caller was answered with a status of 500 or more, or a function died.'
    severity: 2
    // No status is recorded, as no address is (host.json): the app says it itself, "POST api/requests failed".
    query: 'union (AppTraces | where SeverityLevel >= 3 and Message matches regex "^[A-Z]+ [^ ]+ failed"), (AppRequests | where Success == false and Name !in ("submit_approval_request", "process_approval"))'
  }
]

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
