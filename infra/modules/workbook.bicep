// What operators look at: times, reminders, failures, answers. Its charts ask the logs.
param location string
param tags object
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

// Made from the app's own table of measures, approvals/signals.py, by `make infra`.
var charts = loadTextContent('../workbook.json')

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'durable-approvals')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Durable Approvals'
    category: 'workbook'
    sourceId: workspace.id
    serializedData: charts
  }
}
