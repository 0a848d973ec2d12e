"""No log of nginx holds a word that a person wrote, whatever they sent and whatever went wrong."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.deploy.real_nginx import ASK, Nginx, StandIn, free_port, render, reply

#: In upper case and letters alone, so that it can stand for a method too.
WORDS = "MYMOTHERHASALS"
MARK = WORDS.encode()
ADDRESS = "203.0.113.77"
PROXY = "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"
KEYS = {
    "time", "method", "route", "status", "seconds", "bytes", "client", "limited",
    "upstream", "upstream_status", "upstream_seconds",
}  # fmt: skip


def broken_answer(handler: BaseHTTPRequestHandler) -> None:
    """What nginx complains about, in each of the ways an assistant can break."""
    body = handler.path.encode() + MARK
    kind = handler.headers.get("X-Break", "")
    if kind == "header":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nBad " + MARK + b"\x00: x\r\n\r\n")
        handler.close_connection = True
    elif kind == "status":
        handler.wfile.write(MARK * 10 + b"\r\n\r\n")
        handler.close_connection = True
    elif kind == "large":
        reply(handler, 200, body, X_Large=WORDS * 2_000)
    elif kind == "short":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + body)
        handler.close_connection = True
    elif kind == "slow":
        time.sleep(0.6)
        handler.close_connection = True
    elif kind == "redirect":
        reply(handler, 302, body, Location=f"/{WORDS}?q={WORDS}")
    else:
        reply(handler, 200, body)


def send_everything(nginx: Nginx) -> None:
    """The marker in every place of a request, in good requests and in bad ones."""
    body = b'{"sender": "u", "message": "' + MARK + b'"}'
    everywhere = {
        "X_Forwarded_For": ADDRESS, "User_Agent": WORDS, "Referer": f"https://x.example/{WORDS}?q={WORDS}",
        "Cookie": f"a={WORDS}", "Origin": f"https://{WORDS}.example", "Authorization": f"Basic {WORDS}",
        "X_Anything": WORDS, "Accept_Language": WORDS,
    }  # fmt: skip
    for method in ("GET", "POST", "OPTIONS", "HEAD", "DELETE", "PUT", WORDS):
        for path in (ASK, "/feedback", "/webhooks/slack/webhook", "/webhooks/telegram/", "/chat/", "/metrics", "/"):
            nginx.send(method, f"{path}?q={WORDS}", body, **everywhere)
        for path in (
            f"/{WORDS}", f"/chat/{WORDS}", f"/chat/{WORDS * 40}", f"/chat/index.html/{WORDS}", f"/chat/.{WORDS}",
            f"/webhooks/rest/webhook/{WORDS}", f"/{WORDS}/../../x", f"/%00{WORDS}", f"/chat/%00{WORDS}",
            f"/chat/pipe?q={WORDS}",
            f"/conversations/{WORDS}/tracker", f"http://{WORDS}.example/{WORDS}", f"/chat/..%2f{WORDS}",
        ):  # fmt: skip
            nginx.send(method, path, body, **everywhere)
    for kind in ("header", "status", "large", "short", "slow", "redirect"):
        nginx.raw(
            b"POST %b?q=%b HTTP/1.1\r\nHost: %b.example\r\nConnection: close\r\nX-Break: %b\r\nX-Forwarded-For: %b\r\n"
            b"Content-Length: %d\r\n\r\n%b"
            % (ASK.encode(), MARK, MARK, kind.encode(), ADDRESS.encode(), len(body), body)
        )
    nginx.send("POST", f"{ASK}?q={WORDS}", MARK * 3_000, **everywhere)  # too large
    nginx.send("POST", f"{ASK}?q={WORDS}", (MARK * 1_500 for _ in range(2)), **everywhere)
    nginx.send("GET", f"/{WORDS * 1_000}")  # too long
    nginx.send("GET", "/", X_Large=WORDS * 1_000)
    line = b"POST " + ASK.encode() + b"?q=" + MARK
    for data in (
        MARK,
        MARK + b"\r\n\r\n",
        b"GET " + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + MARK + b"\r\n",
        b"GET /" + MARK + b" HTTP/9.9\r\n\r\n",
        b"GET /" + MARK + b" " + MARK + b"\r\n\r\n",
        b"GET /%zz" + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + MARK + b" HTTP/1.1\r\n\r\n",
        b"GET /" + MARK + b" HTTP/1.1\r\nHost: " + MARK + b"/\\\r\n\r\n",
        b"GET /" + MARK + b" HTTP/1.1\r\nHost: x\r\n" + MARK + b"\r\n\r\n",
        b"GET /" + MARK + b" HTTP/1.1\r\nHost: x\r\n: " + MARK + b"\r\n\r\n",
        b"GET /" + MARK + b" HTTP/1.1\r\nHost: x\r\nBad Name" + MARK + b": x\r\nConnection: close\r\n\r\n",
        b"GET /" + MARK + b" HTTP/1.1\r\nHost: x\r\nHost: " + MARK + b"\r\n\r\n",
        b"GET /" + MARK + b" HTTP/1.1\r\nHost: x\r\nA: " + MARK + b"\x00\r\n\r\n",
        line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: " + MARK + b"\r\n\r\n",
        line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + MARK,
        line + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + MARK + b"\r\n\r\n",
        line + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + MARK + b"\r\n",
        line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" + MARK,  # and no more
        line + b" HTTP/1.1\r\nHost: x\r\nX-Half: " + MARK,
        line + b" HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n" + MARK,
        b"CONNECT " + MARK + b":443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"TRACE /" + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + MARK,
        b"PROXY TCP4 " + MARK + b" 1 1 1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + MARK * 10,  # TLS where none is spoken
        b"\x00\xff" + MARK,
    ):
        nginx.raw(data, wait=0.5)
    with socket.create_connection(("127.0.0.1", nginx.port)) as hurried:  # gone before the answer
        hurried.sendall(line + b" HTTP/1.1\r\nHost: x\r\nX-Break: slow\r\nContent-Length: 2\r\n\r\n{}")
    for _ in range(30):  # too many
        nginx.send("POST", f"{ASK}?q={WORDS}", body, **everywhere)


def written(folder: Path) -> bytes:
    """Everything nginx has written: logs, its output, temporary files."""
    return b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file() and one.name != "nginx.conf")


def at_level(level: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert text.count(" emerg;") == 1
        return text.replace(" emerg;", f" {level};")

    return change


def run(
    change: Callable[[str], str], stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx], web: Path
) -> Nginx:
    (web / "index.html").write_text("a page", "utf8")
    os.mkfifo(web / "pipe")  # complained about at "crit" and not "error"
    nginx = start_nginx(
        NGINX_WEB_ROOT=str(web),
        NGINX_UPSTREAMS=stand_in(answer=broken_answer).line.replace("max_fails=5", "max_fails=0"),
        NGINX_REAL_IP=PROXY,
        NGINX_RATE="1r/s",
        NGINX_BURST="20",
        NGINX_READ_TIMEOUT="300ms",
        NGINX_CLIENT_TIMEOUT="300ms",
        change=change,
    )
    send_everything(nginx)
    nginx.stop()
    return nginx


def test_nothing_of_a_request_is_in_any_log(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx], tmp_path: Path
) -> None:
    nginx = run(str, stand_in, start_nginx, tmp_path)
    found = written(nginx.folder)
    for part in (WORDS, WORDS.lower(), WORDS[:10], WORDS.encode().hex(), ADDRESS):
        assert part.encode() not in found, part
    assert nginx.error_log.read_text("utf8") == ""


@pytest.mark.parametrize(
    ("level", "reasons"),
    [
        ("info", ("too large body", "limiting requests", "No such file", "upstream timed out", "invalid header")),
        ("crit", ("is not a regular file",)),
    ],
)
def test_the_same_requests_would_be_in_the_log_of_errors(
    level: str,
    reasons: tuple[str, ...],
    stand_in: Callable[..., StandIn],
    start_nginx: Callable[..., Nginx],
    tmp_path: Path,
) -> None:
    """So the marker is a good one, and the level matters."""
    text = run(at_level(level), stand_in, start_nginx, tmp_path).error_log.read_text("latin1")
    assert WORDS in text
    assert ADDRESS in text
    for reason in reasons:
        assert reason in text, reason


def test_the_log_says_what_an_operator_needs(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    nginx = start_nginx(
        NGINX_UPSTREAMS=f"server 127.0.0.1:{free_port()}; {stand_in().line}",
        NGINX_REAL_IP=PROXY,
        NGINX_RATE="1r/m",
        NGINX_BURST="1",
    )
    nginx.ask(X_Forwarded_For=ADDRESS)
    nginx.send("POST", "/webhooks/slack/webhook", b"{}", X_Forwarded_For="2001:db8:1:2::3")
    nginx.send("GET", "/chat/", X_Forwarded_For="::ffff:1.2.3.4")
    nginx.send(WORDS, "/x")
    nginx.ask(X_Forwarded_For=ADDRESS)
    nginx.ask(X_Forwarded_For=ADDRESS)
    nginx.stop()
    lines = [json.loads(line) for line in nginx.access_log.read_text("utf8").splitlines()]
    assert [set(line) for line in lines] == [KEYS] * 6
    told = [(line["method"], line["route"], line["status"], line["client"], line["limited"]) for line in lines]
    # nginx writes a line after the reply has left, each worker on its own: the order may be another.
    assert sorted(told) == [
        ("GET", "page", "200", "1.2.3.0", "PASSED"),
        ("POST", "ask", "200", "203.0.113.0", "PASSED"),
        ("POST", "ask", "200", "203.0.113.0", "PASSED"),
        ("POST", "ask", "429", "203.0.113.0", "REJECTED"),
        ("POST", "slack", "200", "2001:db8::", "PASSED"),
        ("other", "other", "404", "127.0.0.0", ""),
    ]
    # An assistant that is down shows beside the one that took over.
    assert any(", " in line["upstream"] and line["upstream_status"] == "502, 200" for line in lines)
    assert all(isinstance(line["seconds"], float) for line in lines)


@pytest.mark.parametrize("name", ["request", "request_uri", "uri", "args", "http_user_agent", "http_referer", "host"])
def test_the_format_of_the_log_has_no_room_for_words(name: str) -> None:
    text = render().split("log_format", 1)[1].split(";", 1)[0]
    assert f'"${name}"' not in text
