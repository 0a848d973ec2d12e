"""What the public reaches through nginx, and what it does not."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from server.guard import headers_for
from tests.deploy.real_nginx import ASK, ROOT, Nginx, StandIn, reply

WEB = ROOT / "web"
JSON = {"Content_Type": "application/json"}
PUBLIC = [
    ("POST", ASK),
    ("OPTIONS", ASK),
    ("POST", "/feedback"),
    ("OPTIONS", "/feedback"),
    ("POST", "/webhooks/slack/webhook"),
    ("POST", "/webhooks/telegram/webhook"),
    ("GET", "/webhooks/slack/"),
    ("GET", "/webhooks/telegram/"),
]
PRIVATE = [
    "/",
    "/metrics",
    "/metrics/",
    "/health/live",
    "/health/ready",
    "/version",
    "/status",
    "/model",
    "/model/parse",
    "/model/train",
    "/domain",
    "/conversations/x/tracker",
    "/conversations/x/trigger_intent",
    "/webhooks/",
    "/webhooks/rest/",
    "/webhooks/rest/webhook/",
    "/webhooks/rest/webhook/stream",
    "/webhooks/rest/../../version",
    "/webhooks/rest/webhook/../../../metrics",
    "/webhooks/rest/..%2f..%2fversion",
    "/webhooks/rest/%2e%2e/%2e%2e/version",
    "/webhooks/rest/webhook%2f..%2f..%2f..%2fmetrics",
    "/webhooks/rest/webhook%00",
    "/webhooks/rest/webhook;/../../metrics",
    "//metrics",
    "/%6detrics",
    "/METRICS",
    "/metrics?x=/webhooks/rest/webhook",
    "/metrics%3f",
    "/metrics%23",
    "/chat/../metrics",
    "/chat/..%2fVERSION",
    "/chat/%2e%2e/config.yml",
    "/chat/../../etc/passwd",
    "/chat/.htaccess",
    "/chat/nothing",
    "/webhooks/socketio/webhook",
    "/webhooks/callback/webhook",
    "/socket.io/",
    "/error",
    "/.git/config",
    "/.env",
]


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_public_addresses_reach_the_assistant(method: str, path: str, assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    assert nginx.send(method, path).status == 200
    assert [(one.method, one.path) for one in behind.received] == [(method, path)]


def test_all_private_addresses_are_json_404_and_never_reach_the_assistant(
    assistant_behind: tuple[Nginx, StandIn],
) -> None:
    nginx, behind = assistant_behind
    for path in PRIVATE:
        for method in ("GET", "POST"):
            answer = nginx.send(method, path)
            if path == "/chat/nothing" and method == "POST":
                assert answer.status == 405
                continue
            # What climbs above the root, or holds a zero byte, cannot even be read.
            assert answer.status == 404 or (answer.status == 400 and ("%" in path or ".." in path)), (path, answer)
            assert answer.json()["error"]["code"] in ("not_found", "bad_request"), path
    assert behind.received == []


def test_however_a_path_is_spelt_the_assistant_sees_its_own_and_no_query(
    assistant_behind: tuple[Nginx, StandIn],
) -> None:
    nginx, behind = assistant_behind
    spellings = ("/webhooks/./rest//webhook", "/version/..%2fwebhooks/rest/webhook", "/x/../webhooks/rest/webhook")
    for path in (*spellings, ASK + "?token=a&stream=true"):
        assert nginx.send("POST", path).status == 200
    assert {one.path for one in behind.received} == {ASK}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", ASK, "POST, OPTIONS"),
        ("DELETE", ASK, "POST, OPTIONS"),
        ("PUT", "/feedback", "POST, OPTIONS"),
        ("GET", "/webhooks/slack/webhook", "POST"),
        ("PATCH", "/webhooks/telegram/webhook", "POST"),
        ("POST", "/webhooks/slack/", "GET, HEAD"),
        ("POST", "/webhooks/telegram/", "GET, HEAD"),
        ("POST", "/chat/", "GET, HEAD"),
        ("DELETE", "/chat/index.html", "GET, HEAD"),
        ("POST", "/chat", "GET, HEAD"),
    ],
)
def test_other_methods_are_refused_with_those_that_are_taken(
    method: str, path: str, allowed: str, assistant_behind: tuple[Nginx, StandIn]
) -> None:
    nginx, behind = assistant_behind
    answer = nginx.send(method, path)
    assert answer.status == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert answer.headers.get_all("Allow") == [allowed]
    assert behind.received == []


def test_a_body_of_32k_passes_and_more_is_json_413(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    for path in (ASK, "/feedback"):
        assert nginx.send("POST", path, b"x" * 32_768).status == 200
        counted = nginx.send("POST", path, b"x" * 32_769)
        chunked = nginx.send("POST", path, iter([b"x" * 20_000, b"x" * 20_000]))
        for answer in (counted, chunked):
            assert answer.status == 413
            assert answer.json()["error"]["code"] == "too_large"
    assert {len(one.body) for one in behind.received} == {32_768}


def test_a_pressed_button_of_slack_or_telegram_may_be_larger(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    for path in ("/webhooks/slack/webhook", "/webhooks/telegram/webhook"):
        assert nginx.send("POST", path, b"x" * 200_000).status == 200
        assert nginx.send("POST", path, b"x" * 300_000).status == 413
    assert len(behind.received) == 2


def test_what_slack_signed_arrives_unchanged(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    body = bytes(range(256)) * 20
    signed = {"X_Slack_Signature": "v0=abc", "X_Slack_Request_Timestamp": "1", "X_Slack_Retry_Num": "1"}
    secret = {"X_Telegram_Bot_Api_Secret_Token": "s"}
    nginx.send("POST", "/webhooks/slack/webhook", body, Content_Type="application/json; charset=utf-8", **signed)
    nginx.send("POST", "/webhooks/telegram/webhook", body, **secret)
    slack, telegram = behind.received
    assert slack.body == telegram.body == body
    assert slack.headers["Content-Type"] == "application/json; charset=utf-8"
    for name, value in signed.items():
        assert slack.headers[name.replace("_", "-")] == value
    assert telegram.headers["X-Telegram-Bot-Api-Secret-Token"] == "s"


def test_the_assistant_gets_no_more_of_a_person_than_it_needs(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    nginx.ask(
        Cookie="c=1", Referer="https://www.example.org/als", Authorization="Basic eA==", X_Forwarded_For="9.9.9.9"
    )
    (one,) = behind.received
    assert {"Cookie", "Referer", "Authorization"} & set(one.headers) == set()
    assert one.headers["X-Forwarded-For"] == "127.0.0.1"


# --- the page and the widget ---


def test_page_and_widget_are_served_as_they_are_in_web(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    assert nginx.send("GET", "/chat/").body == (WEB / "index.html").read_bytes()
    for file in (one for one in WEB.iterdir() if one.is_file()):
        answer = nginx.send("GET", f"/chat/{file.name}")
        assert (answer.status, answer.body) == (200, file.read_bytes()), file.name
        kind = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}[file.suffix]
        assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert behind.received == []


def test_without_its_slash_the_page_is_found_too(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, _ = assistant_behind
    answer = nginx.send("GET", "/chat")
    assert (answer.status, answer.headers["Location"]) == (301, "/chat/")


def test_the_header_says_of_the_page_what_the_page_says_of_itself(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, _ = assistant_behind
    (own,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', (WEB / "index.html").read_text("utf8"))
    for path in ("/chat/", "/chat/index.html"):
        assert nginx.send("GET", path).headers.get_all("Content-Security-Policy") == [own + "; frame-ancestors 'none'"]


def test_files_may_be_kept_but_a_new_version_is_soon_seen(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, _ = assistant_behind
    for path, caching, shared_with in (
        ("/chat/", "no-cache", "same-origin"),
        ("/chat/embed.html", "no-cache", "same-origin"),
        ("/chat/ms-als-chat.js", "public, max-age=300", "cross-origin"),
        ("/chat/page.css", "public, max-age=300", "cross-origin"),
        ("/chat/drawings/nerve-ms.svg", "public, max-age=300", "cross-origin"),
    ):
        first = nginx.send("GET", path)
        again = nginx.send("GET", path, If_None_Match=first.headers["ETag"])
        assert (first.status, again.status) == (200, 304), path
        for answer in (first, again):
            assert answer.headers.get_all("Cache-Control") == [caching], path
            assert answer.headers.get_all("Cross-Origin-Resource-Policy") == [shared_with], path


def test_text_is_compressed_where_it_is_worth_it(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    long = b'[{"text": "' + b"a long answer " * 100 + b'"}]'
    nginx = start_nginx(NGINX_UPSTREAMS=stand_in(answer=lambda handler: reply(handler, 200, long)).line)
    for answer, plain in (
        (nginx.ask(Accept_Encoding="gzip", Via="1.1 cdn"), long),
        (nginx.send("GET", "/chat/ms-als-chat.js", Accept_Encoding="gzip"), (WEB / "ms-als-chat.js").read_bytes()),
    ):
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.body) == plain
        assert "Accept-Encoding" in str(answer.headers.get_all("Vary"))


# --- headers ---


def test_every_answer_has_the_security_headers_once(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    doubled = {"X_Content_Type_Options": "nosniff", "Cache_Control": "no-cache", "Referrer_Policy": "origin"}
    behind = stand_in(answer=lambda handler: reply(handler, 200, b"[]", **doubled))
    nginx = start_nginx(NGINX_UPSTREAMS=behind.line)
    answers = [nginx.ask(), nginx.send("GET", "/chat/"), nginx.send("GET", "/metrics"), nginx.send("GET", ASK)]
    assert [answer.status for answer in answers] == [200, 200, 404, 405]
    for answer in answers:
        headers = answer.headers
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert headers.get_all("X-Frame-Options") == ["DENY"]
        assert headers.get_all("Referrer-Policy") == ["no-referrer"]
        assert "microphone=(self)" in headers["Permissions-Policy"]
        assert "camera=()" in headers["Permissions-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert len(headers.get_all("Cache-Control") or []) == 1
        assert headers["Server"] == "nginx"  # no version
        assert headers["Strict-Transport-Security"] is None  # says nothing without TLS
    assert answers[0].headers["Cache-Control"] == answers[2].headers["Cache-Control"] == "no-store"


def test_only_whoever_runs_it_asks_nginx_whether_it_is_up(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    assert nginx.send("GET", "/health/live", port=nginx.health_port).json() == {"status": "ok"}
    assert nginx.send("GET", "/metrics", port=nginx.health_port).status == 404
    assert behind.received == []


def test_the_web_folder_holds_nothing_that_is_not_meant_to_be_served() -> None:
    found = {one.suffix for one in Path(WEB).rglob("*") if one.is_file()}
    assert found <= {
        ".html",
        ".css",
        ".js",
        ".svg",
        ".png",
        ".ico",
    }


def test_the_frame_page_may_be_framed_and_the_widgets_files_are_anybodys(
    assistant_behind: tuple[Nginx, StandIn],
) -> None:
    nginx, _ = assistant_behind
    frame = nginx.send("GET", "/chat/frame.html")
    assert frame.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    assert frame.headers["X-Frame-Options"] is None
    assert frame.headers["Access-Control-Allow-Origin"] is None
    part = nginx.send("GET", "/chat/chat-parts.js", Origin="https://anybody.example")
    assert part.headers.get_all("Access-Control-Allow-Origin") == ["*"]


@pytest.mark.parametrize(
    "path",
    ["/", "/chat/", "/chat/frame.html", "/chat/ms-als-chat.js", "/chat/drawings/nerve-ms.svg", "/x"],
)
def test_nginx_and_the_assistant_alone_say_the_same_to_browsers(
    path: str, assistant_behind: tuple[Nginx, StandIn]
) -> None:
    told = assistant_behind[0].send("GET", path).headers
    for name, value in headers_for(path).items():
        assert told.get_all(name) == [value], name
