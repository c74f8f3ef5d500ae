# Says where things are, from the outputs of main.bicep, and how to make the first request.
$ErrorActionPreference = 'Stop'
Write-Host @"

The app         $env:SERVICE_API_URL (once ``azd deploy`` has put it there; ``azd up`` goes on to do so)
Its health      $env:SERVICE_API_URL/api/health
The scheduler   $env:SCHEDULER_ENDPOINT, task hub $env:TASK_HUB_NAME
Its dashboard   $env:TASK_HUB_DASHBOARD_URL (needs a role on the task hub: azd env set DEVELOPER_ACCESS true)

Any key may do everything while the secret 'callers' of the vault $env:AZURE_KEY_VAULT_NAME is {}, as it is at first:
name your callers before production (docs/deploy.md).

The first request:

  `$key = az functionapp keys list -g $env:AZURE_RESOURCE_GROUP -n $env:AZURE_FUNCTION_NAME --query functionKeys.default -o tsv
  Invoke-RestMethod $env:SERVICE_API_URL/api/requests -Method Post -Headers @{ 'x-functions-key' = `$key } ``
    -ContentType application/json -Body '{"requester": "ada@example.com", "item": "New laptop", "timeout_hours": 24}'

"@
