"""host.json: each key is known or refused, each value honoured or refused, by name."""

import json

import pytest

from devhost.hostjson import HostSettings, find_unknown, read_host_settings
from devhost.routes import Refused
from tests.localhost import ROOT, LocalHost

DURABLE = ("extensions", "durableTask")


@pytest.fixture
def read(tmp_path):
    def write_and_read(*place_and_value):
        *place, value = place_and_value
        for name in reversed(place):
            value = {name: value}
        (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", **value}))
        return read_host_settings(tmp_path)

    return write_and_read


def test_what_is_not_set_has_the_value_of_the_reference(read):
    assert read({}) == HostSettings("default", None, "api", filters_work_items=False)


def test_our_own_host_json_is_read_without_a_word(monkeypatch):
    monkeypatch.setenv("TASKHUB_NAME", "ours")
    assert read_host_settings(ROOT).hub_name == "ours"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (("extention",), r"/extention is no setting that is known \(did you mean 'extensions'\?\)"),
        (("extensions", "durabletask"), r"/extensions/durabletask .* 'durableTask'"),
        (("extensions", "http", "routeprefix"), r"/extensions/http/routeprefix .* 'routePrefix'"),
        ((*DURABLE, "hubname"), r"/extensions/durableTask/hubname .* 'hubName'"),
        ((*DURABLE, "maxConcurrentActivityFunction"), r"'maxConcurrentActivityFunctions'"),
        ((*DURABLE, "storageProvider", "workItemFilterEnabled"), r"'workItemFilteringEnabled'"),
        ((*DURABLE, "tracing", "traceInputAndOutputs"), r"'traceInputsAndOutputs'"),
        (("logging", "applicationInsights", "samplingSettings", "isenabled"), r"'isEnabled'"),
        (("a/b~c",), r"/a~1b~0c is no setting"),
    ],
)
def test_a_misspelt_key_is_refused_with_its_pointer_and_the_name_that_is_near(read, place, says):
    with pytest.raises(Refused, match=says):
        read(*place, {})


def test_all_that_is_misspelt_is_said_at_once():
    assert len(list(find_unknown({"one": 1, "logging": {"two": 2}, "extensions": {"three": {}}}))) == 3


def test_what_should_hold_settings_must_be_an_object(read):
    with pytest.raises(Refused, match="/extensions/durableTask must be an object"):
        read(*DURABLE, "default")


def test_categories_of_the_log_may_have_any_name(read):
    assert read("logging", "logLevel", {"Function.mine": "None"})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((*DURABLE, "versionMatchStrategy"), "Strict"),
        ((*DURABLE, "versionFailureStrategy"), "Fail"),
        ((*DURABLE, "overridableExistingInstanceStates"), "AnyState"),
        ((*DURABLE, "localRpcEndpointEnabled"), False),
        ((*DURABLE, "storeInputsInOrchestrationHistory"), True),
        ((*DURABLE, "storageProvider", "workItemFilteringEnabled"), "true"),
        (("extensions", "http", "customHeaders"), {"X-Frame-Options": "DENY"}),
        (("functions",), ["one"]),
    ],
)
def test_a_value_that_this_host_cannot_honour_is_refused(read, place, value):
    with pytest.raises(Refused, match=f"/{'/'.join(place)}: this host implements only"):
        read(*place, value)


def test_the_local_host_does_not_start_on_a_misspelt_key(tmp_path):
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", "extension": {}}))
    with pytest.raises(AssertionError, match=r"Cannot start: .*host\.json: /extension is no setting"):
        LocalHost(app=tmp_path).start()
