"""Machines open links: mail gateways, previews, crawlers, prefetching browsers. None of them decides anything.

Each profile is what one kind of machine sends; all of them visit every link of requests of many kinds, and then
everything the task hub knows of these requests is what it was before, to the byte.
"""

import collections
import concurrent.futures
import json
import re
import socket
from urllib.parse import urlencode, urlsplit

import pytest

from tests.builders import ADA, ALAN, EVE, GRACE, an_answer
from tests.chance import size, sized

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON_BODY = {"Content-Type": "application/json"}
DECISION = json.dumps({"is_approved": True, "approver": GRACE, "answer": "approve"})


def token_in(spelling):
    """Spell the token of a link otherwise."""
    return lambda link: "/".join((link.rpartition("/")[0], spelling(link.rpartition("/")[2])))


GET, HEAD, OPTIONS = ("GET", ""), ("HEAD", ""), ("OPTIONS", "")


def agent(name, **more):
    return {"User-Agent": name, **{header.replace("_", "-"): value for header, value in more.items()}}


def blank(page):
    """Send what a form has when nobody filled it in and no button was pressed: form.submit() of a script."""
    return urlencode({**an_answer(page, answer=""), "approver": "", "comments": ""}).replace("answer=&", "")


def filled(page):
    """Send what a form filler guesses; no button is pressed."""
    fields = {name: value for name, value in an_answer(page).items() if name != "answer"}
    return urlencode({**fields, "approver": "John Doe", "comments": "test", "form/cost_center": "123"})


def every_button(page):
    """Send all that has a name, as a naive crawler serialises a form: every button at once."""
    return urlencode([*filled_pairs(page), ("answer", "approve"), ("answer", "reject")])


def filled_pairs(page):
    return [("page", an_answer(page)["page"]), ("comments", ""), ("approver", "")]


def without_the_page(_page):
    """Send a button without ever having seen the page."""
    return urlencode({"answer": "approve", "comments": "", "approver": GRACE})


PROFILES = {
    # name: (headers, visits of (method, what is appended to the link, or a change of it[, body]))
    "HEAD": ({}, [HEAD]),
    "GET twice": (agent(CHROME), [GET, GET]),
    "HEAD, then GET": (agent(CHROME), [HEAD, GET]),
    "OPTIONS, then GET": (agent(CHROME, Access_Control_Request_Method="POST"), [OPTIONS, GET]),
    "prefetch by Chrome": (agent(CHROME, Purpose="prefetch", Sec_Purpose="prefetch"), [GET]),
    "prerender by Chrome": (agent(CHROME, Sec_Purpose="prefetch;prerender", Sec_Fetch_Dest="document"), [GET, GET]),
    "prefetch by Firefox": (agent("Mozilla/5.0 Firefox/127.0", X_Moz="prefetch"), [GET]),
    "preview by Safari": (agent(IPHONE, X_Purpose="preview"), [GET]),
    "Outlook SafeLinks": (agent(CHROME, X_MS_Exchange_Organization="x"), [HEAD, GET, GET]),
    "Outlook itself": (agent(OUTLOOK), [OPTIONS, HEAD, GET]),
    "Microsoft Defender detonates": (
        agent(CHROME, Referer="https://outlook.office.com/"),
        [GET, GET, ("POST", "", blank)],
    ),
    "Proofpoint URL Defense": (agent("Mozilla/5.0 (compatible; Proofpoint)", Accept="*/*"), [GET, GET, HEAD]),
    "Mimecast": (agent("Mimecast-URL-Protect", Accept_Encoding="gzip"), [HEAD, GET]),
    "Barracuda Link Protection": (agent("BarracudaCentral/1.0"), [GET, GET, GET]),
    "Cisco Secure Email": (agent("Cisco-ESA-URL/1.0"), [HEAD, GET, GET]),
    "Sophos": (agent("SophosLabs-UrlAnalysis"), [GET, GET]),
    "Google image proxy": (agent("GoogleImageProxy", Accept="image/*"), [GET]),
    "Googlebot": (agent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", From="x"), [GET]),
    "Bing preview": (agent("Mozilla/5.0 (compatible) BingPreview/1.0b"), [HEAD, GET]),
    "Apple Mail privacy proxy": (agent("Mozilla/5.0", Via="1.1 icloud"), [GET, GET]),
    "Slackbot": (agent("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Range="bytes=0-32768"), [GET]),
    "Teams preview": (agent("Mozilla/5.0 SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"), [HEAD, GET]),
    "WhatsApp": (agent("WhatsApp/2.23.20.0 A", Accept="*/*"), [GET]),
    "Facebook": (agent("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"), [GET]),
    "Twitter": (agent("Twitterbot/1.0"), [GET]),
    "Discord": (agent("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"), [GET]),
    "Telegram": (agent("TelegramBot (like TwitterBot)"), [GET]),
    "curl": (agent("curl/8.6.0", Accept="*/*"), [GET, HEAD]),
    "wget with a spider": (agent("Wget/1.24.5"), [HEAD, GET]),
    "no headers to speak of": (agent("", Accept=""), [GET]),
    "tracking parameters": (agent(CHROME), [("GET", "?utm_source=mail&utm_campaign=x"), ("GET", "?fbclid=1#top")]),
    "a query that looks like an answer": (
        agent(CHROME),
        [
            ("GET", "?answer=approve&page=x&approver=grace@example.com"),
            ("HEAD", "?is_approved=true"),
            ("GET", "?_method=POST"),
        ],
    ),
    "overridden methods": (
        agent(CHROME, X_HTTP_Method_Override="POST", X_HTTP_Method="POST", X_Method="POST"),
        [GET, HEAD],
    ),
    "a fragment": (agent(CHROME), [("GET", "#approve"), ("GET", "%23approve")]),
    "a slash behind": (agent(CHROME), [("GET", "/"), ("GET", "//"), ("GET", "/.")]),
    "torn out of a sentence": (
        agent(CHROME),
        [("GET", "."), ("GET", ")"), ("GET", "%3E"), ("GET", ","), ("GET", "%20")],
    ),
    "the token in capitals": (
        agent(CHROME),
        [("GET", token_in(str.upper)), ("GET", token_in(str.lower)), ("POST", token_in(str.upper), blank)],
    ),
    "the path in capitals": (agent(CHROME), [("GET", lambda link: link.replace("/approve/", "/APPROVE/"))]),
    "an encoded link": (agent(CHROME), [("GET", token_in(lambda token: token.replace(".", "%2E")))]),
    "POST of nothing": (agent(CHROME), [("POST", "", ""), ("POST", "")]),
    "POST of nothing as a form": (agent(CHROME) | FORM, [("POST", "", ""), ("POST", "?answer=approve", "")]),
    "POST of JSON": (agent("python-requests/2.32") | JSON_BODY, [("POST", "", DECISION), ("POST", "", "{}")]),
    "POST of JSON said to be a form": (agent("python-requests/2.32") | FORM, [("POST", "", DECISION)]),
    "a form sent by a script": (agent(CHROME) | FORM, [GET, ("POST", "", blank), ("POST", "", blank)]),
    "a form filled in by guessing": (agent(CHROME) | FORM, [GET, ("POST", "", filled)]),
    "a form with every button at once": (agent(CHROME) | FORM, [GET, ("POST", "", every_button)]),
    "a form sent by GET": (agent(CHROME), [("GET", "?page=x&comments=&answer=approve"), ("GET", "?approver=&page=")]),
    "a button without the page": (agent(CHROME) | FORM, [("POST", "", without_the_page)]),
    "a form from another site": (
        agent(CHROME, Sec_Fetch_Site="cross-site") | FORM,
        [GET, ("POST", "", without_the_page)],
    ),
    "a form in parts": ({"Content-Type": "multipart/form-data; boundary=x"}, [("POST", "", "--x--\r\n")]),
    "SOAP and XML": ({"Content-Type": "text/xml"}, [("POST", "", "<approve/>")]),
    "a push of reports": ({"Content-Type": "application/csp-report"}, [("POST", "", "{}")]),
    "a ranged download": (agent("aria2/1.37", Range="bytes=0-100"), [GET, HEAD]),
    "a conditional GET": (agent(CHROME, If_None_Match="*", If_Modified_Since="Wed, 25 Nov 2026 00:00:00 GMT"), [GET]),
    "a conditional POST": (agent(CHROME, If_Match="*") | FORM, [("POST", "", blank)]),
    "PUT and PATCH": (
        agent("Microsoft-WebDAV-MiniRedir") | FORM,
        [("PUT", "", without_the_page), ("PATCH", "", blank)],
    ),
    "DELETE and TRACE": (agent("nikto/2.5"), [("DELETE", ""), ("TRACE", "")]),
    "WebDAV": (agent("Microsoft Office Existence Discovery"), [HEAD, OPTIONS, ("PROPFIND", ""), ("LOCK", "")]),
    "a body with a GET": (agent("scanner/1.0") | FORM, [("GET", "", without_the_page), ("HEAD", "", without_the_page)]),
    "methods in small letters": (agent("scanner/1.0") | FORM, [("get", ""), ("post", "", blank), ("Post", "", filled)]),
    "forwarded headers": (
        agent(CHROME, X_Original_Method="POST", X_Forwarded_Host="evil.example", Forwarded="for=1"),
        [GET],
    ),
    "a forged sign-in": (agent(CHROME, X_MS_CLIENT_PRINCIPAL="e30=", X_MS_CLIENT_PRINCIPAL_NAME=GRACE), [GET, HEAD]),
    "cookies of other sites": (agent(CHROME, Cookie="session=1; answer=approve"), [GET]),
    "a burst of one link": (agent(CHROME), [GET] * 10),
    "a mixed burst": (agent(CHROME) | FORM, [GET, HEAD, OPTIONS, ("POST", "", blank)] * 3),
}

RAW = {
    # sent as bytes, for what no proper client sends: {link} is the path, {host} the address
    "HTTP/1.0": "GET {link} HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with a body": "POST {link} HTTP/1.0\r\nContent-Length: 14\r\n\r\nanswer=approve",
    "the absolute form": "GET http://{host}{link} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
    "chunked": (
        "POST {link} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
        "e\r\nanswer=approve\r\n0\r\n\r\n"
    ),
    "more promised than sent": "POST {link} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 999\r\n\r\nanswer=approve",
    "gone before the end": "GET {link} HTTP/1.1\r\nHost: {host}\r\n",
    "two in one breath": "GET {link} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    "HEAD {link} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
    "smuggled": (
        "POST {link} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5c\r\nanswer=approve\r\n0\r\n\r\n"
    ),
    "expects to go on": (
        "POST {link} HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ),
    "an upgrade": "GET {link} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
}


def visits(caller, link, profile):
    """Visit a link as a profile does. Gives the statuses."""
    headers, steps = PROFILES[profile]
    page, seen = "", collections.Counter()
    if any(callable(body) for *_, body in (step for step in steps if len(step) > 2)):
        page = caller.http.get(link).text
        seen["page"] += 1
    for method, change, *body in steps:
        url = change(link) if callable(change) else link + change
        content = body[0](page) if body and callable(body[0]) else body[0] if body else None
        answer = caller.http.request(method, url, headers=headers, content=content)
        seen[answer.status_code] += 1
    return seen


def sent_raw(host, link, profile):
    """Send the bytes, read what comes until nothing does, and go. Gives the statuses."""
    parts = urlsplit(link)
    text = RAW[profile].format(link=parts.path, host=parts.netloc)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return collections.Counter([int(answer.split()[1]) if answer else 0])


@pytest.fixture(scope="module")
def live(caller):
    """Give requests of many kinds that all wait for answers, and every link of each."""
    form = {"type": "object", "properties": {"cost_center": {"type": "string"}}}
    asked = [
        {},
        {"approvers": [GRACE]},
        {"approvers": [GRACE, ALAN], "required": "all"},
        {"stages": [{"approvers": [GRACE]}, {"approvers": [ALAN]}, {}]},
        {"approvers": [GRACE], "on_timeout": "escalate", "escalate_to": [EVE]},
        {"approvers": [GRACE], "form": form},
        {"approvers": [GRACE], "options": [{"name": "for good", "approves": True}]},
        {"approvers": [GRACE], "details": {"price": 1200}},
        {"approvers": [GRACE, ALAN], "required": "all", "comment_required": "always"},
    ]
    made = [caller.ask(**fields).raise_for_status().json() for fields in asked]
    # one has an answer already, and one was passed on
    caller.decide(made[2]["request_id"], approver=ALAN).raise_for_status()
    passed_on = {"by": ADA, "from": ALAN, "to": EVE}
    caller.http.post(
        f"/api/requests/{made[8]['request_id']}/reassign", json=passed_on, headers={"If-Match": "*"}
    ).raise_for_status()
    links = [each["approval_url"] for one in made for each in one["approvals"]]
    return [one["request_id"] for one in made], links


def known(caller, host, request_id):
    """Give all that is known of a request: what the API tells, and what the task hub has, its history included."""
    told = caller.look(request_id)
    instance = caller.http.get(
        f"{host.rpc_url}instances/{request_id}",
        params={"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"},
    )
    assert told.status_code == 200
    assert instance.json()["runtimeStatus"] == "Running"
    assert len(instance.json()["historyEvents"]) >= 1
    return told.content, told.headers["ETag"], instance.content


def test_there_are_enough_profiles_and_links(live):
    assert len(PROFILES) + len(RAW) >= 60
    assert len(live[1]) == 14


@sized(2)
def test_two_thousand_visits_of_machines_change_nothing_at_all(caller, host, live, few):
    """Every day hundreds: of two links, by every machine."""
    requests, links = live
    before = {request_id: known(caller, host, request_id) for request_id in requests}

    jobs = [(visits, caller, link, profile) for profile in PROFILES for link in few(links)]
    jobs += [(sent_raw, host, link, profile) for profile in RAW for link in few(links)]
    seen = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(8) as machines:
        for running in [machines.submit(*job) for job in jobs]:
            seen += running.result()

    assert seen.total() >= size(250, 2000)
    assert set(seen) <= {"page", 0, 200, 204, 308, 400, 403, 404, 405, 409, 413, 415, 422}, seen
    assert seen[200] > size(20, 700)
    assert {request_id: known(caller, host, request_id) for request_id in requests} == before


def test_all_links_of_a_message_one_after_another_by_one_machine_change_nothing(caller, host, live):
    requests, links = live
    before = {request_id: known(caller, host, request_id) for request_id in requests}

    for method in ("HEAD", "GET", "OPTIONS", "GET"):
        for link in links:
            caller.http.request(method, link, headers=agent("Mimecast-URL-Protect"))

    assert {request_id: known(caller, host, request_id) for request_id in requests} == before


def test_a_machine_that_follows_everything_a_page_refers_to_changes_nothing(caller, host, live):
    requests, links = live
    before = {request_id: known(caller, host, request_id) for request_id in requests}
    followed = 0

    for link in links:
        page = caller.http.get(link)
        for target in re.findall(r'(?:href|src|action)="([^"]*)"', page.text):
            for method in ("HEAD", "GET"):
                caller.http.request(method, page.url.join(target or link))
                followed += 1

    assert followed > 2 * len(links)
    assert {request_id: known(caller, host, request_id) for request_id in requests} == before


def test_after_all_that_a_person_still_decides_with_the_same_link(caller, live):
    requests, links = live

    page = caller.http.get(links[1]).text
    answer = caller.http.post(links[1], data=an_answer(page))

    assert answer.status_code == 303
    assert caller.look(requests[1]).json()["decision"]["approver"] == GRACE
