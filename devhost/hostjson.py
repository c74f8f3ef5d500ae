"""host.json: what of it matters here, and a refusal, by name, of what nobody reads or this host cannot do.

The real host checks no key: a misspelt one is silently nothing. The names are those of Microsoft's reference of
host.json (2.x and later), of its part on Durable Functions, and of the extension's options; they are compared
exactly, though .NET would not, so that a file is spelt as the documents spell it.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from devhost.routes import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_VARIABLE = re.compile("%([^%]+)%")

Known = dict[str, "Known | None"]
"""Names and what may stand below each; None says that anything may."""


def names(text: str) -> Known:
    """Give names below which anything may stand."""
    return dict.fromkeys(text.split())


KNOWN: Known = {
    **names("$schema version id functions functionTimeout telemetryMode watchDirectories watchFiles"),
    "aggregator": names("batchSize flushTimeout"),
    "concurrency": names(
        "dynamicConcurrencyEnabled snapshotPersistenceEnabled maximumFunctionConcurrency totalAvailableMemoryInBytes "
        "cpuThreshold"
    ),
    "customHandler": None,
    "extensionBundle": names("id version"),
    "healthMonitor": names("enabled healthCheckInterval healthCheckWindow healthCheckThreshold counterThreshold"),
    "managedDependency": names("enabled"),
    "retry": names("strategy maxRetryCount delayInterval minimumInterval maximumInterval"),
    "singleton": names(
        "lockPeriod listenerLockPeriod listenerLockRecoveryPollingInterval lockAcquisitionTimeout "
        "lockAcquisitionPollingInterval"
    ),
    "logging": {
        "fileLoggingMode": None,
        "logLevel": None,  # categories, of which there is no list
        "console": names("isEnabled DisableColors"),
        "applicationInsights": {
            **names("enableDependencyTracking dependencyTrackingOptions enableLiveMetrics enableLiveMetricsFilters"),
            **names("enablePerformanceCountersCollection liveMetricsInitializationDelay"),
            **names("enableStandardMetrics snapshotConfiguration"),
            "samplingSettings": names(
                "isEnabled maxTelemetryItemsPerSecond evaluationInterval initialSamplingPercentage "
                "samplingPercentageIncreaseTimeout samplingPercentageDecreaseTimeout minSamplingPercentage "
                "maxSamplingPercentage movingAverageRatio excludedTypes includedTypes"
            ),
            "httpAutoCollectionOptions": names(
                "enableHttpTriggerExtendedInfoCollection enableW3CDistributedTracing enableResponseHeaderInjection"
            ),
        },
    },
    "extensions": {
        **names("blobs cosmosDB eventGrid eventHubs kafka mcp queues rabbitMQ sendGrid serviceBus signalR sql warmup"),
        "http": {
            **names("routePrefix maxConcurrentRequests maxOutstandingRequests dynamicThrottlesEnabled customHeaders"),
            "hsts": names("isEnabled excludedHosts includeSubDomains maxAge preload"),
        },
        "durableTask": {
            **names("hubName defaultVersion versionMatchStrategy versionFailureStrategy maxOrchestrationActions"),
            **names("maxConcurrentActivityFunctions maxConcurrentOrchestratorFunctions maxConcurrentEntityFunctions"),
            **names("extendedSessionsEnabled extendedSessionIdleTimeoutInSeconds useGracefulShutdown useAppLease"),
            **names("overridableExistingInstanceStates throwStatusExceptionsOnRaiseEvent localRpcEndpointEnabled"),
            **names("storeInputsInOrchestrationHistory maxEntityOperationBatchSize maxGrpcMessageSizeInBytes"),
            **names("entityMessageReorderWindowInMinutes rollbackEntityOperationsOnExceptions grpcHttpClientTimeout"),
            **names("appLeaseOptions customLifeCycleNotificationHelperType"),
            "httpSettings": names("defaultAsyncRequestSleepTimeMilliseconds useForwardedHost"),
            "tracing": names(
                "traceInputsAndOutputs traceReplayEvents distributedTracingEnabled distributedTracingProtocol version "
                "allowVerboseLinuxTelemetry"
            ),
            "notifications": {
                "eventGrid": names(
                    "topicEndpoint keySettingName publishRetryCount publishRetryInterval publishRetryHttpStatus "
                    "publishEventTypes"
                )
            },
            "storageProvider": {
                **names("type connectionName connectionStringName"),
                # Durable Task Scheduler
                **names("workItemFilteringEnabled largePayloadStorageEnabled largePayloadStorageThresholdBytes"),
                # Azure Storage
                **names("controlQueueBatchSize controlQueueBufferThreshold controlQueueVisibilityTimeout"),
                **names("workItemQueueVisibilityTimeout maxQueuePollingInterval partitionCount"),
                **names("trackingStoreConnectionName trackingStoreConnectionStringName trackingStoreNamePrefix"),
                **names("FetchLargeMessagesAutomatically QueueClientMessageEncoding"),
                **names("useLegacyPartitionManagement useTablePartitionManagement"),
                # SQL Server
                **names("taskEventLockTimeout taskEventBatchSize createDatabaseIfNotExists schemaName"),
            },
        },
    },
}

OFFERED: dict[tuple[str, ...], tuple[object, ...]] = {
    ("functions",): ([],),
    ("customHandler",): ({},),
    ("extensions", "http", "customHeaders"): ({},),
    ("extensions", "durableTask", "versionMatchStrategy"): ("CurrentOrOlder",),
    ("extensions", "durableTask", "versionFailureStrategy"): ("Reject",),
    ("extensions", "durableTask", "overridableExistingInstanceStates"): ("NonRunningStates",),
    ("extensions", "durableTask", "localRpcEndpointEnabled"): (True,),
    ("extensions", "durableTask", "storeInputsInOrchestrationHistory"): (False,),
    ("extensions", "durableTask", "storageProvider", "workItemFilteringEnabled"): (True, False),
}
"""Settings that change what an app or its callers see, with the values that this host has; null is not set."""


@dataclass(frozen=True)
class HostSettings:
    """What of host.json matters here."""

    hub_name: str = "default"
    default_version: str | None = None
    route_prefix: str = "api"
    filters_work_items: bool = False
    """Whether the task hub is asked for work of the app's own functions only, so that others stay Pending."""


def read_host_settings(folder: Path) -> HostSettings:
    """Read the host.json in `folder`. Raises `Refused` with the JSON pointer of each setting that is refused."""
    path = folder / "host.json"
    if not path.is_file():
        raise Refused(f"{folder}: there is no host.json")
    settings = read_object(path)
    if settings.get("version") != "2.0":
        raise Refused(f'{path}: this host implements version "2.0", not {json.dumps(settings.get("version"))}')
    if wrong := [*find_unknown(settings), *find_unoffered(settings)]:
        raise Refused(f"{path}: {'; '.join(wrong)}")

    def expand(found: re.Match[str]) -> str:
        value = os.environ.get(found[1])
        if value is None:
            raise Refused(f"{path}: hubName wants the setting {found[1]}, which is not set")
        return value

    durable = value_at(settings, "extensions", "durableTask") or {}
    prefix = value_at(settings, "extensions", "http", "routePrefix")
    return HostSettings(
        hub_name=_VARIABLE.sub(expand, durable.get("hubName") or "default"),
        default_version=durable.get("defaultVersion"),
        route_prefix="api" if prefix is None else prefix,
        filters_work_items=bool(value_at(durable, "storageProvider", "workItemFilteringEnabled")),
    )


def find_unknown(content: Mapping[str, Any], known: Known = KNOWN, pointer: str = "") -> Iterator[str]:
    """Give a sentence for each key that no document names, and for each value that should be an object."""
    for name, value in content.items():
        here = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in known:
            spelt = {other.lower(): other for other in known}
            near = difflib.get_close_matches(name.lower(), spelt, n=1)
            hint = f" (did you mean '{spelt[near[0]]}'?)" if near else ""
            yield f"{here} is no setting that is known{hint}; the real host would ignore it without a word"
        elif below := known[name]:
            if isinstance(value, dict):
                yield from find_unknown(value, below, here)
            elif value is not None:
                yield f"{here} must be an object"


def find_unoffered(settings: Mapping[str, Any]) -> Iterator[str]:
    """Give a sentence for each setting whose value this host cannot honour."""
    for place, offered in OFFERED.items():
        value = value_at(settings, *place)
        if value is not None and not any(value == one and type(value) is type(one) for one in offered):
            known = " or ".join(json.dumps(one) for one in offered)
            yield f"/{'/'.join(place)}: this host implements only {known}, not {json.dumps(value)}"


def value_at(settings: Mapping[str, Any], *place: str) -> Any:
    """Give the value at a place, or None where there is none."""
    found: Any = settings
    for name in place:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds a JSON object. Raises `Refused` when it does not."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise Refused(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise Refused(f"{path}: not a JSON object")
    return content
