"""What is tried, over HTTP alone. Each check gives what it saw in a sentence, or raises Failed or NotFromHere.

Everything that is made has `MARK` as its item, and is taken back again.
"""

from __future__ import annotations

import base64
import html
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests
from joserfc import jws
from joserfc.jwk import KeySet

MARK = "make verify: please ignore"
ADA, GRACE, EVE = (f"{name}@verify.example" for name in ("ada", "grace", "eve"))
CALL_SECONDS = 60
TIMER_SECONDS = 5
"""How long the request lives that nobody answers."""
LATE_SECONDS = 60
"""How much later its end may be seen."""


class Failed(Exception):
    """It is not as it should be."""


class NotFromHere(Exception):
    """It cannot be shown with these keys, or over HTTP."""


def demand(condition: object, words: str) -> None:
    """See that something is so. Raises Failed."""
    if not condition:
        raise Failed(words)


@dataclass
class Service:
    """A deployed app, and the keys there are."""

    url: str
    function_key: str
    caller_key: str = ""
    callback_url: str = ""
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open a connection that goes by no proxy's settings but the machine's own."""
        self.url = self.url.rstrip("/")
        self.session = requests.Session()

    def call(self, method: str, path: str, body: Any = None, *, keys: bool = True, **headers: str) -> requests.Response:
        """Make a call. Raises Failed when there is no answer; its text never has a key."""
        known = {"x-functions-key": self.function_key, "x-approvals-key": self.caller_key} if keys else {}
        sent = {name: value for name, value in known.items() if value} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        address = path if path.startswith("http") else f"{self.url}{path}"
        try:
            return self.session.request(
                method, address, json=body, headers=sent, timeout=CALL_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise Failed(f"{method} {path.partition('?')[0]} got no answer: {type(error).__name__}") from None

    def ask(self, **fields: Any) -> dict[str, Any]:
        """Make a request. Raises Failed."""
        answer = self.call("POST", "/api/requests", {"requester": ADA, "item": MARK, "timeout": "PT1H", **fields})
        demand(answer.status_code == requests.codes.created, f"a request is answered {said(answer)}, not 201")
        made: dict[str, Any] = answer.json()
        self.made.append(made["request_id"])
        return made

    def decide(self, request_id: str, **fields: Any) -> requests.Response:
        """Decide as a system does."""
        return self.call("POST", f"/api/approvals/{request_id}", {"is_approved": True, "approver": GRACE, **fields})

    def approved(self, **fields: Any) -> str:
        """Make a request and have it approved; give its id."""
        made = self.ask(approvers=[GRACE], **fields)
        answer = self.decide(made["request_id"])
        demand(answer.status_code == requests.codes.ok, f"a decision is answered {said(answer)}, not 200")
        return str(made["request_id"])

    def link(self, **fields: Any) -> tuple[str, str]:
        """Make a request; give its id, and the link of the one who is asked. Raises NotFromHere."""
        made = self.ask(approvers=[GRACE], **fields)
        links = made.get("approvals")
        if not links:
            raise NotFromHere("this caller is shown no links: it has not the right `decide`")
        return made["request_id"], links[0]["approval_url"]

    def story(self, request_id: str) -> dict[str, Any]:
        """Look at a request. Raises Failed."""
        answer = self.call("GET", f"/api/requests/{request_id}")
        demand(answer.status_code == requests.codes.ok, f"a look is answered {said(answer)}, not 200")
        return dict(answer.json())

    def clean_up(self) -> list[str]:
        """Take back what is open; give the ids of what could not be taken back."""
        left = []
        for request_id in self.made:
            try:
                path = f"/api/requests/{request_id}/cancel"
                answer = self.call("POST", path, {"by": ADA, "reason": MARK}, If_Match="*")
            except Failed:
                left.append(request_id)
                continue
            ended = (requests.codes.ok, requests.codes.accepted, requests.codes.conflict, requests.codes.gone)
            left += [] if answer.status_code in ended else [request_id]
        return left


def said(answer: requests.Response) -> str:
    """Say how a call was answered: its status, and the code of a problem."""
    try:
        return f"{answer.status_code} {answer.json().get('code', '')}".strip()
    except (ValueError, AttributeError):
        return str(answer.status_code)


def app_starts(service: Service) -> str:
    """The app answers, and the scheduler, the records and the key of links are there: a request is made."""
    health = service.call("GET", "/api/health", keys=False)
    demand(health.status_code == requests.codes.ok, f"/api/health is answered {said(health)}")
    service.ask()
    return f"version {health.json()['version']} made a request"


def hub_role(service: Service) -> str:
    """The role on the task hub is enough to start, to raise and to read: a decision is confirmed."""
    begun = time.monotonic()
    request_id = service.approved()
    return f"a request was made and its decision confirmed in {time.monotonic() - begun:.1f} s: {request_id}"


def function_key(service: Service) -> str:
    """Nobody without a key of the platform gets to the API."""
    answer = service.call("GET", "/api/requests", keys=False)
    if answer.status_code == requests.codes.ok and service.url.startswith("http://"):
        raise NotFromHere("a host on this machine asks for no key")
    demand(
        answer.status_code == requests.codes.unauthorized, f"a call without a key is answered {said(answer)}, not 401"
    )
    return "a call without a key is answered 401"


def receipts(service: Service) -> str:
    """A receipt of an ended request is verified by the published keys."""
    request_id = service.approved()
    keys = service.call("GET", "/.well-known/jwks.json", keys=False)
    demand(keys.status_code == requests.codes.ok, f"the keys are answered {said(keys)}")
    receipt = service.call("GET", f"/api/requests/{request_id}/receipt")
    demand(receipt.status_code == requests.codes.ok, f"a receipt is answered {said(receipt)}")
    read = jws.deserialize_compact(receipt.content, KeySet.import_key_set(keys.json()), algorithms=["ES256"])
    told = json.loads(read.payload)
    demand(told["sub"] == request_id and told["outcome"] == "Approved", "the receipt is of another request")
    demand(told["iss"] == service.url, f"the receipt is of {told['iss']}, and the app was called at {service.url}")
    return f"signed by {told['iss']}, one of {len(keys.json()['keys'])} keys"


def forged_sign_in(service: Service) -> str:
    """Whoever sends the platform's header themselves is not believed."""
    request_id, link = service.link()
    claims = [{"typ": kind, "val": value} for kind, value in (("tid", str(uuid.uuid4())), ("oid", str(uuid.uuid4())))]
    claims += [{"typ": "email", "val": EVE}, {"typ": "xms_edov", "val": "true"}, {"typ": "name", "val": "Chief"}]
    forged = base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()
    page = service.call("GET", link, keys=False, X_MS_CLIENT_PRINCIPAL=forged, X_MS_CLIENT_PRINCIPAL_IDP="aad")
    demand(EVE not in page.text and "Chief" not in page.text, "the page says who the forged header says")
    answer = service.call(
        "POST", f"/api/approvals/{request_id}", {"is_approved": True, "approver": GRACE}, X_MS_CLIENT_PRINCIPAL=forged
    )
    demand(answer.status_code == requests.codes.ok, f"a decision with the forged header is answered {said(answer)}")
    vote = answer.json()["votes"][0]
    demand(vote["signed_in_as"] is None and vote["assurance"] == "key", "the forged header is believed")
    return "the forged header changed nothing"


def page_and_link(service: Service) -> str:
    """The link leads to the app's own address; opening it decides nothing, and keeps it out of other places."""
    request_id, link = service.link()
    demand(link.startswith(f"{service.url}/approve/"), f"the link begins with {link.partition('/approve/')[0]}")
    page = service.call("GET", link, keys=False)
    demand(page.status_code == requests.codes.ok, f"the page is answered {said(page)}")
    wanted = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    for name, value in wanted.items():
        demand(value in page.headers.get(name, ""), f"the page's {name} is {page.headers.get(name)!r}")
    demand("Content-Security-Policy" in page.headers, "the page has no Content-Security-Policy")
    demand(MARK in html.unescape(page.text), "the page does not show what is asked")
    demand(service.story(request_id)["status"] == "Pending", "opening the link decided something")
    return "opened, and nothing was decided"


def timer(service: Service) -> str:
    """Silence is heard in time: a timer of the scheduler fires, and not before its instant."""
    made = service.ask(timeout=f"PT{TIMER_SECONDS}S")
    begun = time.monotonic()
    while time.monotonic() - begun < TIMER_SECONDS + LATE_SECONDS:
        story = service.story(made["request_id"])
        if story["status"] != "Pending":
            demand(story["status"] == "Timeout", f"it ended as {story['status']}")
            demand(story["settled_at"] >= made["deadline"], "it ended before its deadline")
            return f"due {made['deadline']}, ended {story['settled_at']}"
        time.sleep(0.5)
    raise Failed(f"{LATE_SECONDS} seconds after its deadline the request is open still")


def records(service: Service) -> str:
    """The records are there: a request is listed, its history told, and a key makes one request."""
    key = uuid.uuid4().hex
    body = {"requester": ADA, "item": MARK, "timeout": "PT1H", "reference": key}
    first, second = (service.call("POST", "/api/requests", body, Idempotency_Key=key) for _ in range(2))
    service.made += dict.fromkeys(each.json()["request_id"] for each in (first, second) if each.ok)
    demand(
        (first.status_code, second.status_code) == (201, 200), f"two calls with one key: {said(first)}, {said(second)}"
    )
    request_id = first.json()["request_id"]
    demand(second.json()["request_id"] == request_id, "one key made two requests")
    listed = service.call("GET", f"/api/requests?reference={key}")
    demand(listed.status_code == requests.codes.ok, f"a list is answered {said(listed)}")
    demand([each["request_id"] for each in listed.json()["requests"]] == [request_id], "the request is not listed")
    history = service.call("GET", f"/api/requests/{request_id}/history")
    demand(history.status_code == requests.codes.ok, f"a history is answered {said(history)}")
    return "one key, one request, listed"


def long_wait(service: Service) -> str:
    """A call is held for twenty seconds, through whatever is in front of the app."""
    made = service.ask()
    begun = time.monotonic()
    answer = service.call("GET", f"/api/requests/{made['request_id']}", Prefer="wait=20")
    demand(answer.status_code == requests.codes.ok, f"a long wait is answered {said(answer)}")
    held = time.monotonic() - begun
    demand(held >= 19, f"it was held for {held:.1f} s")  # noqa: PLR2004 - 20, but for rounding
    return f"held for {held:.1f} s"


def grant(service: Service) -> str:
    """A yes is good once."""
    action = {"verify": uuid.uuid4().hex}
    request_id = service.approved(action=action)
    first, second = (service.call("POST", f"/api/requests/{request_id}/consume", {"action": action}) for _ in range(2))
    demand((first.status_code, second.status_code) == (200, 409), f"used twice: {said(first)}, {said(second)}")
    return "the second use is refused"


def callback(service: Service) -> str:
    """The receiver that is named takes a ping."""
    if not service.callback_url:
        raise NotFromHere("name a receiver that CALLBACKS allows: CALLBACK=https://…")
    answer = service.call("POST", "/api/callbacks/ping", {"callback_url": service.callback_url})
    demand(answer.status_code == requests.codes.ok, f"a ping is answered {said(answer)}")
    told = answer.json()
    demand(told["delivered"], f"{told['url']} did not take it: {told['reason']} {told['status'] or ''}")
    return f"{told['url']} answered {told['status']}"


CHECKS = {
    check.__name__.replace("_", "-"): check
    for check in (
        app_starts,
        hub_role,
        function_key,
        receipts,
        forged_sign_in,
        page_and_link,
        timer,
        records,
        long_wait,
        grant,
        callback,
    )
}
