"""What a function app registered, as the Functions host and its Python worker index it.

The app is imported as the worker imports it and asked once for its functions. Whatever the worker would not
load, and whatever this host does not implement, is refused here, by name and before the first request.
"""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import json
import os
import sys
import tomllib
import typing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import azure.functions as func
from azure.functions import meta
from cronsim import CronSim, CronSimError

from devhost.hostjson import HostSettings, read_host_settings, read_object
from devhost.invocations import Invocation
from devhost.routes import Refused, Route

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import ModuleType

__all__ = ["Activity", "FunctionApp", "HttpFunction", "Orchestrator", "Refused", "Timer", "load"]

HTTP, ORCHESTRATION, ACTIVITY = "httpTrigger", "orchestrationTrigger", "activityTrigger"
TIMER = "timerTrigger"
CLIENT = "durableClient"
FIELDS = 6
"""Of a schedule: seconds, minutes, hours, days, months, weekdays."""
MODULE = "function_app"


@dataclass(frozen=True)
class HttpFunction:
    """A function behind a route. `methods` in upper case; none at all means every method."""

    name: str
    call: Callable[..., Any]
    route: Route  # the host's prefix included
    methods: tuple[str, ...]
    client_parameters: tuple[str, ...]
    trigger_parameter: str
    wants_context: bool
    is_async: bool
    auth_level: str


@dataclass(frozen=True)
class Orchestrator:
    """`call(context=OrchestrationContext)` runs one turn and returns the SDK's reply, a JSON string."""

    name: str  # the durable name
    call: Callable[..., Any]
    is_async: bool = False  # never as registered; so when it runs in another process


@dataclass(frozen=True)
class Activity:
    """A function that takes one input and returns what becomes its output."""

    name: str  # the durable name
    call: Callable[..., Any]
    parameter: str
    is_async: bool
    wants_context: bool
    client_parameters: tuple[str, ...]
    function_name: str = ""  # where it differs from the durable name
    folder: Path = Path()

    def context(self) -> Invocation:
        """Make the context of one more invocation."""
        return Invocation(self.function_name or self.name, self.folder)


@dataclass(frozen=True)
class Timer:
    """A function that runs by a schedule: six fields, the first are seconds, in UTC (NCRONTAB)."""

    name: str
    call: Callable[..., Any]
    schedule: str
    parameter: str
    is_async: bool
    wants_context: bool
    client_parameters: tuple[str, ...]
    runs_at_start: bool = False

    def next_after(self, now: dt.datetime) -> dt.datetime:
        """Give the next instant at which it runs."""
        return next(CronSim(self.schedule, now))


@dataclass(frozen=True)
class FunctionApp:
    """An app's index. The dicts are by durable name; the `find_` methods ignore case, as the extension does."""

    folder: Path
    host: HostSettings
    http: list[HttpFunction]
    orchestrators: dict[str, Orchestrator]
    activities: dict[str, Activity]
    timers: dict[str, Timer] = field(default_factory=dict)

    def find_orchestrator(self, name: str) -> Orchestrator | None:
        """Look an orchestrator up by its durable name, ignoring case."""
        return self._orchestrators.get(name.lower())

    def find_activity(self, name: str) -> Activity | None:
        """Look an activity up by its durable name, ignoring case."""
        return self._activities.get(name.lower())

    @cached_property
    def _orchestrators(self) -> dict[str, Orchestrator]:
        return {name.lower(): orchestrator for name, orchestrator in self.orchestrators.items()}

    @cached_property
    def _activities(self) -> dict[str, Activity]:
        return {name.lower(): activity for name, activity in self.activities.items()}


def load(folder: Path) -> FunctionApp:
    """Import the app in `folder` and index it.

    `Values` of local.settings.json go to the environment unless set already, as with `func start`; the folder
    comes first on sys.path. Raises `Refused`; what the app's own code raises on import comes out as it is, but for an
    error with a true attribute `is_misconfiguration`: its sentence is all there is to say, and it is `Refused`, too.
    """
    folder = folder.resolve()
    for name, value in local_settings(folder).items():
        os.environ.setdefault(name, value)
    host = read_host_settings(folder)
    register = _register(_import(folder))
    try:
        functions = register.get_functions()  # once: a second call takes every name for a duplicate
    except ValueError as error:
        raise Refused(f"{folder / MODULE}.py: {error}") from error

    app = FunctionApp(folder, host, http=[], orchestrators={}, activities={})
    seen: set[str] = set()
    for function in functions:
        name = function.get_function_name()
        if name.lower() in seen:
            raise Refused(f"function '{name}': another function has that name; case does not count")
        seen.add(name.lower())
        if _disabled(name):
            continue
        entry = _entry(folder, host, function)
        if isinstance(entry, HttpFunction):
            app.http.append(entry)
            continue
        if isinstance(entry, Timer):
            app.timers[name] = entry
            continue
        index: dict[str, Any] = app.orchestrators if isinstance(entry, Orchestrator) else app.activities
        if entry.name.lower() in map(str.lower, index):
            raise Refused(f"function '{name}': another one of its kind has the durable name '{entry.name}'")
        index[entry.name] = entry
    return app


def keep_in(app: Path, folder: Path, environment: MutableMapping[str, str]) -> None:
    """Let an app keep files for as long as its embedded task hub.

    It says in `[tool.devhost.run]` of its pyproject.toml which of its settings name them; `{folder}` in them is one
    that ends with this host. What is set in the environment or in local.settings.json stays.
    """
    file = app / "pyproject.toml"
    said = tomllib.loads(file.read_text()) if file.is_file() else {}
    elsewhere = local_settings(app)
    for name, value in said.get("tool", {}).get("devhost", {}).get("run", {}).items():
        if name not in environment and not elsewhere.get(name):
            environment[name] = value.replace("{folder}", str(folder))


def _entry(folder: Path, host: HostSettings, function: Any) -> HttpFunction | Orchestrator | Activity | Timer:
    """Check one function as the worker does and make its entry."""
    name, call = function.get_function_name(), function.get_user_function()
    bindings = [json.loads(text) for text in function.get_raw_bindings()]  # what the host is told of it
    trigger = bindings[function.get_bindings().index(function.get_trigger())]
    clients = tuple(binding["name"] for binding in bindings if binding["type"] == CLIENT)
    for setting in function._settings:  # noqa: SLF001 - the SDK lists them nowhere else
        if setting.setting_name != "function_name":
            raise Refused(f"function '{name}': this host does not implement {setting.setting_name}")
    _check_bindings(name, trigger, bindings, host)
    wants_context = _check_signature(
        name, call, trigger, {trigger["name"]: trigger["type"], **dict.fromkeys(clients, CLIENT)}
    )
    if not _awaitable(call):
        raise Refused(
            f"function '{name}': a function with a durable client must be async: the SDK awaits what it returns"
        )
    is_async = inspect.iscoroutinefunction(call)
    if trigger["type"] == ORCHESTRATION:
        return Orchestrator(trigger.get("orchestration") or name, call)
    if trigger["type"] == ACTIVITY:
        durable_name = trigger.get("activity") or name
        return Activity(durable_name, call, trigger["name"], is_async, wants_context, clients, name, folder)
    if trigger["type"] == TIMER:
        at_start = bool(trigger.get("runOnStartup"))
        return Timer(name, call, _schedule(name, trigger), trigger["name"], is_async, wants_context, clients, at_start)
    return HttpFunction(
        name=name,
        call=call,
        route=_route(name, host.route_prefix, trigger.get("route") or name),
        methods=tuple(dict.fromkeys(method.upper() for method in trigger.get("methods") or ())),
        client_parameters=clients,
        trigger_parameter=trigger["name"],
        wants_context=wants_context,
        is_async=is_async,
        auth_level=(trigger.get("authLevel") or "function").lower(),
    )


def _schedule(name: str, trigger: dict[str, Any]) -> str:
    """Read the schedule of a timer, which may stand in a setting."""
    schedule: str = trigger["schedule"]
    if schedule.startswith("%") and schedule.endswith("%"):
        schedule = os.environ.get(schedule[1:-1], "")
    try:
        CronSim(schedule, dt.datetime.now(dt.UTC))
        if len(schedule.split()) != FIELDS:
            raise CronSimError  # noqa: TRY301 - one sentence for both
    except CronSimError:
        raise Refused(f"function '{name}': this host understands schedules of six fields, not '{schedule}'") from None
    return schedule


def _route(name: str, prefix: str, template: str) -> Route:
    try:
        return Route.parse(f"{prefix.strip('/')}/{template.lstrip('/')}")
    except Refused as error:
        raise Refused(f"function '{name}': {error}") from None


def _check_bindings(name: str, trigger: dict[str, Any], bindings: list[dict[str, Any]], host: HostSettings) -> None:
    kind = trigger["type"]
    if kind not in {HTTP, ORCHESTRATION, ACTIVITY, TIMER}:
        raise Refused(f"function '{name}': this host does not implement {kind}")
    if kind == ORCHESTRATION and trigger["name"] != "context":
        raise Refused(
            f"function '{name}': context_name must be 'context', not '{trigger['name']}': the SDK's wrapper "
            "has that parameter whatever the function calls it, and the worker loads nothing else"
        )
    answers = False
    for binding in bindings:
        hub = binding.get("taskHub")
        if binding["type"] == CLIENT and hub and hub.lower() != host.hub_name.lower():
            raise Refused(f"function '{name}': this host does not implement a client of another task hub, {hub}")
        is_answer = kind == HTTP and (binding["type"], binding["name"]) == ("http", "$return")
        answers = answers or is_answer
        if binding is not trigger and binding["type"] != CLIENT and not is_answer:
            raise Refused(
                f"function '{name}': this host does not implement a binding of type {binding['type']} "
                f"named '{binding['name']}' beside {kind}"
            )
    if kind == HTTP and not answers:
        raise Refused(f"function '{name}': this host does not implement httpTrigger without the output '$return'")


def _awaitable(call: Callable[..., Any]) -> bool:
    """Whether the SDK's client wrapper finds something to await.

    The wrapper itself is always async, and it awaits the user's function after running it. A binding declared
    generically has no wrapper and hands over plain text, to sync functions too.
    """
    if not hasattr(call, "client_function"):
        return True
    while hasattr(call, "client_function"):
        call = call.client_function
    while not inspect.iscoroutinefunction(call) and hasattr(call, "__wrapped__"):
        call = call.__wrapped__
    return inspect.iscoroutinefunction(call)


def _check_signature(name: str, call: Callable[..., Any], trigger: dict[str, Any], bindings: dict[str, str]) -> bool:
    """Hold the parameters and annotations against the bindings; return whether the context is wanted.

    The rules are the worker's: it loads no function that breaks one of them.
    """
    parameters, bound = set(inspect.signature(call).parameters), set(bindings)
    wants_context = "context" in parameters - bound
    if extra := sorted(parameters - bound - {"context"}):
        raise Refused(f"function '{name}': no binding for the parameters {', '.join(extra)}")
    if missing := sorted(bound - parameters):
        raise Refused(f"function '{name}': no parameter for the bindings {', '.join(missing)}")
    try:
        hints = typing.get_type_hints(call)
    except Exception as error:
        raise Refused(f"function '{name}': the worker cannot read its annotations: {error!r}") from error

    if wants_context and getattr(hints.get("context", func.Context), "__name__", "") != "Context":
        raise Refused(
            f"function '{name}': the parameter 'context' must be an azure.functions.Context, not {hints['context']!r}"
        )
    for parameter in bound & hints.keys():
        if not _is_type(hints[parameter]):
            raise Refused(
                f"function '{name}': the worker takes only plain classes and typing's generics as annotations, "
                f"not {hints[parameter]!r} of '{parameter}'"
            )
        if not _is_accepted(bindings[parameter], hints[parameter]):
            raise Refused(
                f"function '{name}': the worker takes no {hints[parameter]!r} for '{parameter}', "
                f"which is bound to {bindings[parameter]}"
            )
    if trigger["type"] == HTTP:
        answer = hints.get("return", str)
        if not (isinstance(answer, type) and issubclass(answer, func.HttpResponse | str)):
            raise Refused(
                f"function '{name}': the return annotation must be azure.functions.HttpResponse or str, not {answer!r}"
            )
    return wants_context


def _is_type(annotation: Any) -> bool:
    """Whether the worker takes it: `dict` and `Dict[str, Any]` yes, `dict[str, Any]` and unions no."""
    origin = typing.get_origin(annotation)
    if func.Out in (annotation, origin):  # of outputs, of which no function here has one
        return False
    if isinstance(annotation, type):
        return True
    return type(annotation).__module__ == "typing" and isinstance(origin, type)


def _is_accepted(binding: str, annotation: Any) -> bool:
    """Whether the SDK's converter for a binding takes the type: the worker asks it when it loads a function."""
    try:
        return bool(meta.get_binding_registry().get(binding).check_input_type_annotation(annotation))
    except TypeError:  # a generic where the converter wants a class: the worker fails at it as well
        return False


def _disabled(name: str) -> bool:
    return os.environ.get(f"AzureWebJobs.{name}.Disabled", "").strip().lower() in {"true", "1"}


def _import(folder: Path) -> ModuleType:
    if not (folder / f"{MODULE}.py").is_file():
        raise Refused(f"{folder}: there is no {MODULE}.py; this host implements only the v2 programming model")
    # Afresh even from the same folder: an app object gives its functions away only once.
    sys.modules.pop(MODULE, None)
    sys.path[:] = [str(folder), *(entry for entry in sys.path if entry != str(folder))]
    importlib.invalidate_caches()
    try:
        return importlib.import_module(MODULE)
    except Exception as error:
        if getattr(error, "is_misconfiguration", False):
            raise Refused(str(error)) from error
        raise


def _register(module: ModuleType) -> Any:
    found = {name: value for name, value in vars(module).items() if isinstance(value, func.FunctionRegister)}
    if len(found) != 1:
        names = f"{len(found)}: {', '.join(found)}" if found else "none"
        raise Refused(
            f"{module.__file__}: there must be exactly one function app at module level, but there is {names}"
        )
    return next(iter(found.values()))


def local_settings(folder: Path) -> dict[str, str]:
    """Read `Values` of local.settings.json, of which there may be none. Raises Refused."""
    path = folder / "local.settings.json"
    if not path.is_file():
        return {}
    settings = read_object(path)
    if settings.get("IsEncrypted"):
        raise Refused(f"{path}: this host does not implement encrypted settings")
    values = (settings.get("Values") or {}).items()
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values if value is not None}
