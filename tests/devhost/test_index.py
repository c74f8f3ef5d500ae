from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import azure.functions as func
import pytest

from devhost.hostjson import HostSettings
from devhost.index import FunctionApp, Refused, load
from devhost.invocations import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = """
import azure.functions as func
import azure.durable_functions as df
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Undo what loading changes for good: the environment, sys.path, the imported module."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    with mock.patch.dict(os.environ):
        os.environ.pop("TASKHUB_NAME", None)
        yield
    sys.modules.pop("function_app", None)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., FunctionApp]:
    def write_and_load(
        code: str = "", host: Any = None, settings: Any = None, *, head: str = HEAD, name: str = "app"
    ) -> FunctionApp:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "host.json").write_text(json.dumps({"version": "2.0"} if host is None else host))
        if settings is not None:
            (folder / "local.settings.json").write_text(json.dumps(settings))
        (folder / "function_app.py").write_text(head + code)
        return load(folder)

    return write_and_load


def test_functions_of_every_kind_are_indexed(make: Callable[..., FunctionApp]) -> None:
    app = make("""
@app.route("requests/{id}", methods=["GET", "HEAD"], auth_level=func.AuthLevel.FUNCTION)
@app.durable_client_input(client_name="client")
async def read(
    req: func.HttpRequest, client: df.DurableOrchestrationClient, context: func.Context
) -> func.HttpResponse: ...

@app.route()
def Plain(req): ...

@app.orchestration_trigger(context_name="context")
def flow(context):
    yield

@app.activity_trigger(input_name="payload", activity="Send")
@app.durable_client_input(client_name="starter")
async def send_mail(payload: dict, starter, context): ...
""")
    read, plain = app.http
    assert (read.name, read.methods, read.client_parameters) == ("read", ("GET", "HEAD"), ("client",))
    assert (read.trigger_parameter, read.wants_context, read.is_async, read.auth_level) == (
        "req",
        True,
        True,
        "function",
    )
    assert str(read.route) == "api/requests/{id}"
    assert read.route.match("/api/requests/7") == {"id": "7"}
    assert (plain.methods, plain.client_parameters, plain.wants_context, plain.is_async) == ((), (), False, False)
    assert plain.auth_level == "anonymous"
    assert plain.route.match("/api/plain") == {}

    assert list(app.orchestrators) == ["flow"]
    assert list(app.activities) == ["Send"]
    send = app.activities["Send"]
    assert (send.parameter, send.is_async, send.wants_context, send.client_parameters) == (
        "payload",
        True,
        True,
        ("starter",),
    )
    assert (send.context().function_name, send.context().function_directory) == ("send_mail", str(app.folder))
    assert app.find_activity("SEND") is send
    assert app.find_activity("send_mail") is None
    assert app.find_orchestrator("Flow") is app.orchestrators["flow"]
    assert app.find_orchestrator("other") is None


def test_functions_of_blueprints_and_of_asgi_apps_count_too(make: Callable[..., FunctionApp]) -> None:
    app = make("""
bp = df.Blueprint()
@bp.activity_trigger(input_name="x")
def one(x): ...
app.register_functions(bp)
""")
    assert list(app.activities) == ["one"]
    asgi = make(
        "import azure.functions as func\napp = func.AsgiFunctionApp(lambda *_: None)",
        {"version": "2.0", "extensions": {"http": {"routePrefix": ""}}},
        head="",
        name="asgi",
    )
    assert asgi.http[0].wants_context
    assert asgi.http[0].route.match("/any/thing") == {"route": "any/thing"}


def test_host_json_is_read(make: Callable[..., FunctionApp]) -> None:
    assert make().host == HostSettings(hub_name="default", default_version=None, route_prefix="api")
    os.environ["HUB"] = "Approvals"
    app = make(
        host={
            "version": "2.0",
            "extensions": {
                "http": {"routePrefix": ""},
                "durableTask": {"hubName": "%HUB%1", "defaultVersion": "1.0"},
            },
        }
    )
    assert app.host == HostSettings(hub_name="Approvals1", default_version="1.0", route_prefix="")


def test_local_settings_reach_the_app_unless_set_already(make: Callable[..., FunctionApp]) -> None:
    os.environ["TAKEN"] = "mine"
    values = {"TASKHUB_NAME": "hub", "TAKEN": "theirs", "FLAG": True}
    app = make(
        "import os\nassert os.environ['FLAG'] == 'true'",
        {"version": "2.0", "extensions": {"durableTask": {"hubName": "%TASKHUB_NAME%"}}},
        {"IsEncrypted": False, "Values": values},
    )
    assert app.host.hub_name == "hub"
    assert os.environ["TAKEN"] == "mine"


def test_an_unset_variable_is_refused_by_name(make: Callable[..., FunctionApp]) -> None:
    with pytest.raises(Refused, match="TASKHUB_NAME, which is not set"):
        make(host={"version": "2.0", "extensions": {"durableTask": {"hubName": "%TASKHUB_NAME%"}}})


@pytest.mark.parametrize(
    ("host", "settings", "says"),
    [
        ({}, None, r'version "2.0", not null'),
        ({"version": "1.0"}, None, r'not "1.0"'),
        ([], None, "not a JSON object"),
        ({"version": "2.0"}, {"IsEncrypted": True}, "encrypted settings"),
    ],
)
def test_files_this_host_cannot_use_are_refused(
    make: Callable[..., FunctionApp], host: Any, settings: Any, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        make(host=host, settings=settings)


def test_an_incomplete_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no host\.json"):
        load(tmp_path)
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(Refused, match="not JSON"):
        load(tmp_path)
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    with pytest.raises(Refused, match=r"no function_app\.py"):
        load(tmp_path)


def test_there_must_be_exactly_one_app_object(make: Callable[..., FunctionApp]) -> None:
    with pytest.raises(Refused, match="exactly one function app at module level, but there is none"):
        make(head="")
    with pytest.raises(Refused, match="2: app, other"):
        make("other = func.FunctionApp()")


def test_errors_of_the_apps_own_code_come_out_as_they_are(make: Callable[..., FunctionApp]) -> None:
    with pytest.raises(ZeroDivisionError):
        make("1 / 0")


def test_a_second_app_replaces_the_first_and_an_app_can_be_loaded_again(make: Callable[..., FunctionApp]) -> None:
    code = "@app.activity_trigger(input_name='x')\ndef {}(x): ...\n"
    assert list(make(code.format("one")).activities) == ["one"]
    second = make(code.format("two"), name="second")
    assert list(second.activities) == ["two"]
    assert sys.path[0] == str(second.folder)
    assert list(load(second.folder).activities) == ["two"]
    assert sys.path.count(str(second.folder)) == 1


def test_a_disabled_function_is_left_out(make: Callable[..., FunctionApp]) -> None:
    os.environ.update({"AzureWebJobs.one.Disabled": "True", "AzureWebJobs.two.Disabled": "0"})
    code = "@app.route('a')\ndef one(req): ...\n@app.route('b')\ndef two(req): ...\n"
    assert [function.name for function in make(code).http] == ["two"]


REFUSED = {
    "this host does not implement queueTrigger": """
@app.queue_trigger(arg_name="t", queue_name="q", connection="c")
def x(t): ...
""",
    "this host understands schedules of six fields": """
@app.timer_trigger(arg_name="t", schedule="* * * * *")
def x(t): ...
""",
    "six fields, not '99 ": """
@app.timer_trigger(arg_name="t", schedule="99 * * * * *")
def x(t): ...
""",
    "this host does not implement entityTrigger": """
@app.entity_trigger(context_name="context")
def x(context): ...
""",
    "type queue named 'out' beside httpTrigger": """
@app.route("x")
@app.queue_output(arg_name="out", queue_name="q", connection="c")
def x(req, out): ...
""",
    "type http named 'res' beside httpTrigger": """
@app.route("x", binding_arg_name="res")
def x(req, res): ...
""",
    "httpTrigger without the output": """
@app.generic_trigger(arg_name="req", type="httpTrigger")
def x(req): ...
""",
    "does not implement retry_policy": """
@app.activity_trigger(input_name="p")
@app.retry(strategy="fixed_delay", max_retry_count="1", delay_interval="1")
def x(p): ...
""",
    "context_name must be 'context', not 'ctx'": """
@app.orchestration_trigger(context_name="ctx")
def x(ctx): yield
""",
    "no binding for the parameters other": """
@app.route("x")
def x(req, other=None): ...
""",
    "no parameter for the bindings req": """
@app.route("x")
def x(): ...
""",
    "'context' must be an azure.functions.Context": """
@app.route("x")
def x(req, context: dict): ...
""",
    "must be async": """
@app.route("x")
@app.durable_client_input(client_name="client")
def x(req, client): ...
""",
    "client of another task hub, elsewhere": """
@app.route("x")
@app.durable_client_input(client_name="client", task_hub="elsewhere")
async def x(req, client): ...
""",
    "the worker cannot read its annotations: NameError": """
@app.activity_trigger(input_name="p")
def x(p: "Nowhere"): ...
""",
    r"not dict\[str, int\] of 'p'": """
@app.activity_trigger(input_name="p")
def x(p: dict[str, int]): ...
""",
    r"not str \| None of 'p'": """
@app.activity_trigger(input_name="p")
def x(p: str | None): ...
""",
    "no <class 'dict'> for 'req', which is bound to httpTrigger": """
@app.route("x")
def x(req: dict): ...
""",
    "no <class 'str'> for 'req', which is bound to httpTrigger": """
@app.route("x")
def x(req: str): ...
""",
    "no <class 'str'> for 'context', which is bound to orchestrationTrigger": """
@app.generic_trigger(arg_name="context", type="orchestrationTrigger")
def x(context: str): ...
""",
    "no <class 'dict'> for 'client', which is bound to durableClient": """
@app.activity_trigger(input_name="p")
@app.generic_input_binding(arg_name="client", type="durableClient")
def x(p, client: dict): ...
""",
    r"no typing.Dict\[str, int\] for 'client', which is bound to durableClient": """
import typing
@app.activity_trigger(input_name="p")
@app.generic_input_binding(arg_name="client", type="durableClient")
def x(p, client: typing.Dict[str, int]): ...
""",
    r"azure.functions._abc.Out\[str\] of 'p'": """
@app.activity_trigger(input_name="p")
def x(p: func.Out[str]): ...
""",
    "return annotation must be": """
@app.route("x")
def x(req) -> None: ...
""",
    "constraint 'datetime'": """
@app.route("x/{when:datetime}")
def x(req): ...
""",
    "another function has that name": """
@app.route("x")
def x(req): ...
@app.route("y")
def X(req): ...
""",
    "another one of its kind has the durable name 'Y'": """
@app.activity_trigger(input_name="p")
def y(p): ...
@app.activity_trigger(input_name="p", activity="Y")
def x(p): ...
""",
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_the_worker_or_this_host_cannot_run_is_refused_by_name(
    make: Callable[..., FunctionApp], says: str
) -> None:
    with pytest.raises(Refused, match=f"(?i)function 'x'.*{says}"):
        make(REFUSED[says])


def test_two_functions_of_one_name_are_refused(make: Callable[..., FunctionApp]) -> None:
    with pytest.raises(Refused, match="does not have a unique function name"):
        make("@app.route('a')\ndef x(req): ...\n@app.route('b')\ndef x(req): ...\n")


def test_a_client_needs_something_to_await_wherever_the_async_function_is(make: Callable[..., FunctionApp]) -> None:
    app = make("""
import functools
from typing import Dict

def logged(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        return call(*args, **kwargs)
    return wrapper

@app.route("a")
@app.durable_client_input(client_name="client")
@app.durable_client_input(client_name="second")
@logged
async def a(req, client, second): ...

@app.activity_trigger(input_name="p")
@app.generic_input_binding(arg_name="client", type="durableClient")
def text(p: Dict[str, int], client: str): ...
""")
    assert app.http[0].is_async
    assert set(app.http[0].client_parameters) == {"client", "second"}
    assert not app.activities["text"].is_async


def test_an_invocation_is_the_context_the_sdk_knows() -> None:
    one, two = Invocation("f", Path("/app")), Invocation("f", Path("/app"))
    assert isinstance(one, func.Context)
    assert one.invocation_id != two.invocation_id
    assert (one.function_name, one.function_directory) == ("f", "/app")
    assert (one.trace_context.trace_parent, one.retry_context.retry_count) == ("", 0)


@pytest.mark.parametrize(
    ("declared", "path"),
    [('"/"', ""), ('""', "front"), ("", "front"), ('"/x/"', "x")],
    ids=["a slash", "an empty route", "no route", "slashes at the ends"],
)
def test_a_slash_is_the_root_and_an_empty_route_is_the_functions_name(
    make: Callable[..., FunctionApp], declared: str, path: str
) -> None:
    """Tried on the real host: the route `""` is taken for none."""
    host = {"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}

    app = make(
        f"""
@app.route({declared})
def front(req): ...
""",
        host,
    )

    assert app.http[0].route.template == path


def test_an_app_that_is_misconfigured_is_refused_with_its_own_sentence(make: Callable[..., FunctionApp]) -> None:
    with pytest.raises(Refused, match=r"^COLOUR must be red\.$"):
        make("""
class Misconfigured(Exception):
    is_misconfiguration = True
raise Misconfigured("COLOUR must be red.")
""")


def test_what_else_an_app_raises_comes_out_as_it_is(make: Callable[..., FunctionApp]) -> None:
    with pytest.raises(ZeroDivisionError):
        make("1 / 0")
