"""A person signs in, fills the form, labels, comments, merges; strangers and other sites do nothing."""

from __future__ import annotations

import http.cookiejar
import http.server
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException  # noqa: TID251 - PyGithub is the independent client

from mlops_core.local.github.config import CloudWatchConfig

if TYPE_CHECKING:
    from tests.flows.local.github.conftest import Platform

pytestmark = [pytest.mark.flow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

FORM = b"""
name: Train a model
description: Asks for everything.
labels: ["mlops:request"]
body:
  - {type: input, id: model, attributes: {label: Model}, validations: {required: true}}
  - {type: dropdown, id: algorithm, attributes: {label: Algorithm, options: [xgboost, forest]}, validations: {required: true}}
  - {type: textarea, id: notes, attributes: {label: Notes}}
"""
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@dataclass
class Browser:
    """Cookies, redirects and the CSRF token of the last page; nothing else of a browser."""

    url: str
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)
    page: str = ""
    status: int = 0
    headers: Any = None
    at: str = ""

    def open(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> str:
        data = urllib.parse.urlencode(form, doseq=True).encode() if form is not None else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar))
        try:
            with opener.open(urllib.request.Request(self.url + path, data, headers), timeout=20) as answer:  # noqa: S310 - our own server
                self._take(answer)
        except urllib.error.HTTPError as error:
            with error:
                self._take(error)
        return self.page

    def _take(self, answer: Any) -> None:
        self.status, self.headers, self.at = answer.status, answer.headers, answer.url
        self.page = answer.read().decode(errors="replace")

    def send(self, path: str, **form: Any) -> str:
        token = re.search(r'name="csrf" value="([^"]+)"', self.page)
        return self.open(path, {"csrf": token[1] if token else "", **form})

    def sign_in(self, login: str) -> Browser:
        self.open("/login")
        self.send("/login", login=login, next="/")
        return self


@pytest.fixture(scope="module")
def site(platform: Platform) -> Platform:
    files = {"README.md": b"# Hi\n\n![p](p.png)\n\n<script>alert(1)</script>", "p.png": PNG, "evil.html": b"<script>alert(1)</script>"}
    platform.admin.create_repository("alice", "pages", files={**files, ".github/ISSUE_TEMPLATE/train.yml": FORM})
    platform.admin.set_permission("alice/pages", "wendy", "write")
    platform.admin.set_permission("alice/pages", "tina", "triage")
    return platform


def browser(site: Platform, login: str = "") -> Browser:
    fresh = Browser(site.server.url)
    return fresh.sign_in(login) if login else fresh


def test_a_form_becomes_an_issue_with_the_body_that_github_writes(site: Platform) -> None:
    person = browser(site, "wendy")
    page = person.open("/alice/pages/issues/new?template=train.yml&model=prefilled")
    assert 'value="prefilled"' in page
    person.send("/alice/pages/issues/new?template=train.yml", title="Train", model="adult", algorithm="forest", notes="")
    assert re.search(r"/alice/pages/issues/\d+$", person.at)
    issue = site.repository("wendy", "alice/pages").get_issue(int(person.at.rpartition("/")[2]))
    assert issue.body == "### Model\n\nadult\n\n### Algorithm\n\nforest\n\n### Notes\n\n_No response_"
    assert ([label.name for label in issue.labels], issue.user.login) == (["mlops:request"], "wendy")


def test_a_form_with_gaps_comes_back_with_what_was_typed(site: Platform) -> None:
    """abuse row 7: empty fields are refused where they are made."""
    person = browser(site, "wendy")
    person.open("/alice/pages/issues/new?template=train.yml")
    page = person.send("/alice/pages/issues/new?template=train.yml", title="", notes="typed <b>")
    assert person.status == 422
    for wanted in ("Title is required", "Model is required", "Algorithm is required", "typed &lt;b&gt;"):
        assert wanted in page


def test_labels_comments_and_states_change_by_role(site: Platform) -> None:
    number = site.repository("wendy", "alice/pages").create_issue("Roles").number
    place = f"/alice/pages/issues/{number}"
    for login, status in (("tina", 200), ("stranger", 403)):
        person = browser(site, login)
        person.open(place)
        person.send(place, action="label", label=f"by-{login}")
        assert person.status == status
    person = browser(site, "stranger")
    person.open(place)
    assert "hello there" in person.send(place, action="comment", body="hello there")
    person = browser(site, "wendy")
    person.open(place)
    assert "Closed" in person.send(place, action="close", body="")


def test_only_an_administrator_deletes_an_issue_and_it_is_gone(site: Platform) -> None:
    """abuse row 39: a deleted issue answers 410."""
    number = site.repository("wendy", "alice/pages").create_issue("Gone").number
    for login, status in (("wendy", 403), ("alice", 200)):
        person = browser(site, login)
        person.open(f"/alice/pages/issues/{number}")
        person.send(f"/alice/pages/issues/{number}", action="delete")
        assert person.status == status
    with pytest.raises(GithubException) as caught:
        site.repository("wendy", "alice/pages").get_issue(number)
    assert caught.value.status == 410


def test_every_form_needs_the_token_of_its_own_page(site: Platform) -> None:
    person = browser(site, "wendy")
    number = site.repository("wendy", "alice/pages").create_issue("CSRF").number
    for token in ("", "wrong", "é"):
        person.open(f"/alice/pages/issues/{number}", {"csrf": token, "action": "comment", "body": "x"})
        assert person.status == 403
    assert site.repository("wendy", "alice/pages").get_issue(number).comments == 0


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "127.0.0.1"}]
)
def test_other_hosts_and_origins_are_turned_away(site: Platform, headers: dict[str, Any]) -> None:
    """abuse row 80: a rebound name reaches nothing."""
    for path in ("/", "/api/v3/rate_limit", "/_local/health"):
        person = browser(site)
        person.open(path, **headers)
        assert person.status == 403


def test_pages_forbid_scripts_frames_and_sniffing(site: Platform) -> None:
    person = browser(site)
    page = person.open("/alice/pages")
    assert "script-src 'self'" in person.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in person.headers["Content-Security-Policy"]
    assert person.headers["X-Content-Type-Options"] == "nosniff"
    assert "alert(1)" not in page
    assert 'src="/alice/pages/raw/main/p.png"' in page
    assert re.findall(r"<script(?! src=\"/_static/live.js\" defer>)", page) == []


def test_images_are_served_and_html_is_a_document_that_can_do_nothing(site: Platform) -> None:
    person = browser(site)
    person.open("/alice/pages/raw/main/p.png")
    assert person.headers["Content-Type"] == "image/png"
    person.open("/alice/pages/raw/main/evil.html")
    assert person.headers["Content-Type"] == "text/html; charset=utf-8"
    assert person.headers["X-Content-Type-Options"] == "nosniff"
    policy = [part.strip() for part in person.headers["Content-Security-Policy"].split(";")]
    assert {"sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:"} <= set(policy)
    assert not any("allow-" in part or "script-src" in part for part in policy)
    person.open("/alice/pages/blob/main/p.png?raw=true")
    assert person.headers["Content-Type"] == "image/png"


def test_a_private_repository_is_not_even_named_to_strangers(site: Platform) -> None:
    site.admin.create_repository("alice", "vault", files={"README.md": b"top secret"}, private=True)
    for login in ("", "stranger"):
        person = browser(site, login)
        assert "vault" not in person.open("/")
        assert "top secret" not in person.open("/alice/vault")
        assert "top secret" not in person.open("/alice/vault/raw/main/README.md")
    assert "top secret" in browser(site, "alice").open("/alice/vault")


def test_a_pull_request_is_reviewed_and_merged_by_buttons(site: Platform) -> None:
    repository = site.repository("wendy", "alice/pages")
    repository.create_git_ref("refs/heads/promote", repository.get_branch("main").commit.sha)
    repository.create_file("production.json", "point", b'{"v": 2}\n', branch="promote")
    pull = repository.create_pull("main", "promote", title="Promote", body="please")
    place = f"/alice/pages/pull/{pull.number}"
    stranger = browser(site, "stranger")
    assert "Merge pull request" not in stranger.open(place)
    stranger.send(place, action="merge", sha=pull.head.sha)
    assert stranger.status == 403
    person = browser(site, "alice")
    page = person.open(place)
    assert "+{&#34;v&#34;: 2}" in page
    person.send(place, action="review", event="APPROVE", body="good")
    person.send(place, action="merge", sha=pull.head.sha, method="merge")
    assert "Merged by" in person.page
    assert repository.get_pull(pull.number).merged


def test_every_page_opens(site: Platform) -> None:
    site.admin.add_webhook("alice/pages", "http://127.0.0.1:9/", "s")
    site.repository("wendy", "alice/pages").create_issue("Everything").create_comment("| a |\n| --- |\n| 1 |")
    sha = site.repository("wendy", "alice/pages").get_branch("main").commit.sha
    person = browser(site, "alice")
    for path in (
        "",
        "/tree/main",
        "/blob/main/README.md",
        "/commits/main",
        f"/commit/{sha}",
        "/issues",
        "/issues?state=closed",
        "/issues/new",
        "/pulls",
        "/actions",
        "/settings/hooks",
    ):
        person.open(f"/alice/pages{path}")
        assert person.status == 200, path
    for path in (
        "/alice/pages/blob/main/none",
        "/alice/none",
        "/alice/pages/issues/999",
        "/alice/pages/issues/99999999999999999999",
        "/alice/pages/raw/main/%00",
        "/dashboards",
        "/_static/../view.py",
    ):
        person.open(path)
        assert person.status == 404, path


def test_signing_in_follows_only_own_addresses(site: Platform) -> None:
    person = browser(site)
    person.open("/login")
    person.send("/login", login="wendy", next="//evil.example/")
    assert person.at == f"{site.server.url}/"


DASHBOARD = {
    "widgets": [
        {"type": "metric", "properties": {"title": "Latency", "metrics": [["MLOps", "Latency", "Endpoint", "adult"]], "period": 60}},
        {"type": "text", "properties": {"markdown": "# Notes\n<script>alert(1)</script>"}},
        {"type": "log", "properties": {"title": "Log lines"}},
    ]
}


class Watch(http.server.BaseHTTPRequestHandler):
    """CloudWatch's three answers, for a caller that signs."""

    def do_POST(self) -> None:
        wish = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answers: dict[str, Any] = {
            "ListDashboards": {"DashboardEntries": [{"DashboardName": "mlops-adult"}]},
            "GetDashboard": {"DashboardBody": json.dumps(DASHBOARD)},
            "GetMetricData": {
                "MetricDataResults": [{"Id": "m0", "Label": "Latency", "Timestamps": [wish.get("StartTime", 0)], "Values": [7.5]}]
            },
        }
        signed = self.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
        body = json.dumps(answers[self.headers["x-amz-target"].rpartition(".")[2]] if signed else {}).encode()
        self.send_response(200 if signed else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        del args


def test_a_dashboard_is_drawn_from_its_body(make_platform: Any) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Watch) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
        with make_platform(cloudwatch=CloudWatchConfig(f"http://127.0.0.1:{server.server_address[1]}", keys)) as platform:
            person = browser(platform)
            assert "Who are you?" in person.open("/dashboards")
            person = browser(platform, "alice")
            assert "mlops-adult" in person.open("/dashboards")
            page = person.open("/dashboards/mlops-adult")
            for wanted in ("<svg", "Latency", "<title>7.5</title>", "Notes", "A widget of type log is not drawn here."):
                assert wanted in page
            assert "alert(1)" not in page
        server.shutdown()
