from __future__ import annotations

import pytest

from devhost.routes import Refused, Route, RouteTable


def match(template: str, path: str) -> dict[str, str] | None:
    return Route.parse(template).match(path)


def test_a_parameter_takes_one_segment() -> None:
    assert match("api/requests/{request_id}/cancel", "/api/requests/r-1/cancel") == {"request_id": "r-1"}
    assert match("api/requests/{request_id}/cancel", "/api/requests/cancel") is None
    assert match("api/requests/{request_id}", "/api/requests/a/b") is None
    assert match("api/{x}/z", "/api//z") is None


def test_literals_match_without_case_and_values_keep_theirs() -> None:
    assert match("Api/Requests/{id}", "/aPI/requests/AbC") == {"id": "AbC"}


@pytest.mark.parametrize("path", ["/api/health", "/api/health/", "/api/./health", "/x/../api/health"])
def test_a_trailing_slash_and_dot_segments_say_nothing(path: str) -> None:
    assert match("api/health", path) == {}


def test_only_one_trailing_slash_is_ignored() -> None:
    assert match("api/health", "/api/health//") is None


def test_the_empty_template_is_the_root() -> None:
    assert match("", "/") == {}
    assert match("/", "/") == {}
    assert match("", "/x") is None


def test_segments_are_decoded_but_for_an_encoded_slash() -> None:
    assert match("{a}/{b}", "/caf%C3%A9%20x/1%2F2%2f%41") == {"a": "café x", "b": "1%2F2%2fA"}
    assert match("a b/{x}", "/a%20b/+") == {"x": "+"}


@pytest.mark.parametrize("segment", ["%", "%zz", "%ff", "a%C3"])
def test_a_bad_encoding_stays_as_it_came(segment: str) -> None:
    assert match("{x}", f"/{segment}") == {"x": segment}


def test_a_missing_optional_parameter_is_absent() -> None:
    route = Route.parse("files/{name?}")
    assert route.match("/files") == {}
    assert route.match("/files/") == {}
    assert route.match("/files/a") == {"name": "a"}
    assert route.match("/files/a/b") is None


def test_a_catch_all_takes_the_rest() -> None:
    route = Route.parse("files/{*path}")
    assert route.match("/files") == {}
    assert route.match("/files/") == {}
    assert route.match("/files/a/b%20c/") == {"path": "a/b c/"}
    assert route.match("/other/a") is None


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("int", ["0", "-5", "2147483647"], ["2147483648", "x", "1.5", "9" * 5000]),
        ("long", ["9223372036854775807", "-9223372036854775808"], ["9223372036854775808", "ten"]),
        ("guid", ["6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff8b86d011b42d00c04fc964ff"], ["6f9619ff", "x"]),
        ("alpha", ["abcXYZ"], ["a1", "é"]),
        ("bool", ["true", "FALSE"], ["yes", "1"]),
        ("length(3)", ["abc"], ["ab", "abcd"]),
        ("length(1,3)", ["a", "abc"], ["abcd"]),
        ("minlength(2)", ["ab"], ["a"]),
        ("maxlength(2)", ["ab"], ["abc"]),
        ("min(18)", ["18"], ["17", "x"]),
        ("max(20)", ["20", "-1"], ["21"]),
        ("range(1,3)", ["1", "3"], ["0", "4"]),
        (r"regex(^[a-f]{{2}}(0|1)$)", ["ab0", "CD1"], ["ab2", "abc0"]),
        ("int:min(5)", ["5"], ["4", "2147483648"]),
    ],
)
def test_constraints_decide_whether_a_value_fits(constraint: str, good: list[str], bad: list[str]) -> None:
    route = Route.parse(f"x/{{id:{constraint}}}")
    assert [route.match(f"/x/{value}") for value in good] == [{"id": value} for value in good]
    assert [route.match(f"/x/{value}") for value in bad] == [None] * len(bad)


def test_an_optional_parameter_can_be_constrained() -> None:
    route = Route.parse("x/{id:int?}")
    assert route.match("/x") == {}
    assert route.match("/x/1") == {"id": "1"}
    assert route.match("/x/a") is None


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("x/{id:datetime}", "constraint 'datetime'"),
        ("x/{id:range(1)}", "range"),
        ("x/{id:regex(()}", "regex"),
        ("x/{id:int(3)}", r"constraint 'int\(3\)'"),
        ("x/{id=5}", "segment '{id=5}'"),
        ("x/{a}-{b}", "segment '{a}-{b}'"),
        ("x/{a?}/y", "last segment"),
        ("{*a}/y", "last segment"),
        ("{a}/{A}", "twice"),
        ("x//y", "empty"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(template: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refusal:
        Route.parse(template)
    assert template in str(refusal.value)


def table(*entries: tuple[str, list[str]]) -> RouteTable[str]:
    return RouteTable((Route.parse(template), methods, template) for template, methods in entries)


def test_the_more_precise_route_wins_in_whatever_order_they_were_declared() -> None:
    routes = table(
        ("{*rest}", []),
        ("x/{*rest}", []),
        ("x/{id}", []),
        ("x/{id:int}", []),
        ("x/list", []),
        ("{a}/list/{b}", []),
        ("x/{id}/c", []),
    )
    found = {path: routes.find("GET", path) for path in ["/x/LIST/", "/x/1", "/x/y", "/x/y/c", "/x/y/d", "/q", "/"]}
    assert found == {
        "/x/LIST/": ("x/list", {}),
        "/x/1": ("x/{id:int}", {"id": "1"}),
        "/x/y": ("x/{id}", {"id": "y"}),
        "/x/y/c": ("x/{id}/c", {"id": "y"}),
        "/x/y/d": ("x/{*rest}", {"rest": "y/d"}),
        "/q": ("{*rest}", {"rest": "q"}),
        "/": ("{*rest}", {}),
    }
    assert routes.find("GET", "/x/list/3") == ("x/{*rest}", {"rest": "list/3"})
    assert routes.find("GET", "/y/list/3") == ("{a}/list/{b}", {"a": "y", "b": "3"})


def test_the_method_is_part_of_the_match() -> None:
    routes = table(("x", ["get"]), ("{id}", ["POST"]), ("any", []))
    assert routes.find("GET", "/x") == ("x", {})
    assert routes.find("POST", "/x") == ("{id}", {"id": "x"})
    assert routes.find("HEAD", "/x") is None
    assert routes.find("PROPFIND", "/any") == ("any", {})
    assert routes.find("POST", "/any") == ("any", {})


def test_of_equal_routes_the_first_is_taken() -> None:
    assert table(("{a}", []), ("{b}", [])).find("GET", "/1") == ("{a}", {"a": "1"})


def test_an_empty_table_finds_nothing() -> None:
    assert table().find("GET", "/") is None
