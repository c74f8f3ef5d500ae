#!/bin/sh
# Says where things are, from the outputs of main.bicep, and how to make the first request.
set -eu
cat <<END

The app         $SERVICE_API_URL (once \`azd deploy\` has put it there; \`azd up\` goes on to do so)
Its health      $SERVICE_API_URL/api/health
The scheduler   $SCHEDULER_ENDPOINT, task hub $TASK_HUB_NAME
Its dashboard   $TASK_HUB_DASHBOARD_URL (needs a role on the task hub: azd env set DEVELOPER_ACCESS true)

Any key may do everything while the secret 'callers' of the vault $AZURE_KEY_VAULT_NAME is {}, as it is at first:
name your callers before production (docs/deploy.md).

The first request:

  key=\$(az functionapp keys list -g $AZURE_RESOURCE_GROUP -n $AZURE_FUNCTION_NAME --query functionKeys.default -o tsv)
  curl -s $SERVICE_API_URL/api/requests -H "x-functions-key: \$key" -H 'Content-Type: application/json' \\
    -d '{"requester": "ada@example.com", "item": "New laptop", "timeout_hours": 24}'

END
