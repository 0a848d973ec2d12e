"""Whatever comes over the wire, nothing is answered 5xx, every error is JSON, and the assistant goes on."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.badinput.raw import HELLO, REST, Answer, connect, read, request, send
from tests.conftest import Assistant, free_port, start
from tests.contract.reply_contract import keep_to_contract

CHUNKED = b"Transfer-Encoding: chunked"
CLOSED = 0


def lengthless(*headers: bytes, body: bytes = HELLO) -> bytes:
    return request(body, headers=headers, length=False)


def goes_on(assistant: Assistant) -> None:
    started = time.monotonic()
    assert requests.get(f"{assistant.address}/health/live", timeout=5).json() == {"status": "ok"}
    assert time.monotonic() - started < 5


def check(answer: Answer, *statuses: int) -> None:
    """One of these statuses, and JSON for whatever is no success."""
    assert answer.status in statuses, answer.all[:300]
    assert b"HTTP/1.1 5" not in answer.all
    if answer.status >= 400:
        assert answer.kind == "application/json"
        assert isinstance(answer.json, dict)


# --- how long a body is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (lengthless(b"Content-Length: -1"), 400),
        (lengthless(b"Content-Length: -5"), 400),
        (lengthless(b"Content-Length: -99999999999"), 400),
        (lengthless(b"Content-Length: zqx"), 400),
        (lengthless(b"Content-Length:"), 400),
        (lengthless(b"Content-Length: +39"), 400),
        (lengthless(b"Content-Length: 3_9"), 400),
        (lengthless(b"Content-Length: 39, 39"), 400),
        (lengthless(b"Content-Length: 39 "), 400),
        (lengthless("Content-Length: \uff13\uff19".encode()), 400),
        (lengthless(b"Content-Length: 0x27"), 400),
        (lengthless(b"Content-Length: 1e2"), 400),
        (lengthless(b"Content-Length: " + b"9" * 5000), 400),
        (lengthless(b"Content-Length: 39", b"Content-Length: 39"), 400),
        (lengthless(b"Content-Length: 39", b"Content-Length: 5"), 400),
        (lengthless(b"Content-Length: 39", CHUNKED), 400),
        (lengthless(b"Transfer-Encoding: gzip"), 400),
        (lengthless(b"Transfer-Encoding: identity"), 400),
        (lengthless(CHUNKED, CHUNKED), 400),
        (lengthless(b"Content-Length: 5"), 400),
        (lengthless(), 400),
        (lengthless(b"Content-Length: 262145"), 413),
        (lengthless(b"Content-Length: 999999999999999"), 413),
        (request(b"[" * 100_000), 413),
        (lengthless(CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(HELLO), HELLO)), 200),
        (lengthless(CHUNKED, body=b"".join(b"1\r\n%c\r\n" % byte for byte in HELLO) + b"0\r\n\r\n"), 200),
        (lengthless(CHUNKED, body=b"0\r\n\r\n"), 400),
        (lengthless(CHUNKED, body=b"zqx\r\n" + HELLO + b"\r\n0\r\n\r\n"), 400),
        (lengthless(CHUNKED, body=b"-5\r\n" + HELLO + b"\r\n0\r\n\r\n"), 400),
        (lengthless(CHUNKED, body=b";" * 200), 400),
        (lengthless(CHUNKED, body=b"fffffffffffffff\r\n" + HELLO), 413),
        (lengthless(CHUNKED, body=b"11170\r\n" + b"x" * 70_000 + b"\r\n0\r\n\r\n"), 413),
        (lengthless(CHUNKED, body=(b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 70 + b"0\r\n\r\n"), 413),
    ],
    ids=lambda value: value if isinstance(value, int) else repr(value[65:110]),
)
def test_a_body_of_an_odd_length_is_refused_and_nobody_waits_for_it(
    content: bytes, status: int, assistant: Assistant
) -> None:
    check(send(assistant.address, content), status)
    goes_on(assistant)


def test_an_action_server_does_not_wait_for_it_either(facts_file: Path, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    settings = {"PORT": str(port), "FACTS_FILE": str(facts_file)}
    process = start(["-m", "server", "actions"], f"{address}/health", tmp_path / "log", **settings)
    try:
        with connect(address) as connection:
            connection.sendall(lengthless(b"Content-Length: -5", body=b"{}"))
            assert connection.recv(65536).startswith(b"HTTP/1.1 400")
        assert requests.get(f"{address}/health", timeout=5).json() == {"status": "ok"}
    finally:
        process.kill()
        process.wait(20)


@pytest.mark.parametrize(
    "content",
    [
        lengthless(b"Content-Length: 500"),
        lengthless(CHUNKED, body=b"27\r\n" + HELLO[:9]),
        request()[:60],
        request().replace(b"\r\n", b"\n"),
        b"P",
    ],
    ids=["more was promised", "half a chunk", "half a header", "lines of another kind", "a letter"],
)
def test_who_goes_away_in_the_middle_leaves_nothing_behind(content: bytes, assistant: Assistant) -> None:
    for _ in range(20):
        with connect(assistant.address) as connection:
            connection.sendall(content)
    goes_on(assistant)


# --- what is no HTTP, or hardly ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (b"\r\n\r\n", (400,)),
        (b"zqx\r\n\r\n", (400,)),
        (b"GET /\r\n\r\n", (400,)),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
        (request().replace(b"HTTP/1.1", b"HTTP/9.9"), (400,)),
        (request().replace(b"HTTP/1.1", b"ZQX"), (400,)),
        (request().replace(b"HTTP/1.1", b"HTTP/1.0"), (200,)),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n", (400,)),
        (b"\xff" * 3000 + b"\r\n\r\n", (400,)),
        (b"\x00" * 20_000, (413,)),
        (request(headers=[b"X-Zqx: " + b"a" * 20_000]), (413,)),
        (request(headers=[b"X-%d: zqx" % n for n in range(2000)]), (413,)),
        (request(path=b"/" + b"zqx" * 3000), (413,)),
        (request(headers=[b"zqx without a colon"]), (400,)),
        (request(headers=[b"X-Zqx: one", b" folded"]), (400,)),
        (request(headers=[b"X-Zqx: a\x00b"]), (200, 400)),
        (request(headers=[b"X-\xff: \xfe\xff"]), (200, 400)),
        (request(headers=[b": zqx"]), (200, 400)),
        (request(headers=[b"Expect: zqx"]), (417,)),
        (request(headers=[b"Expect: 100-continue"]), (200,)),
        (request(headers=[b"Upgrade: websocket", b"Connection: Upgrade"]), (200,)),
        (request(headers=[b"Content-Encoding: gzip"]), (415,)),
        (request(headers=[b"Accept: \xff;q=zqx,,,", b"Cookie: =;;;\xff=", b"Range: bytes=zqx-"]), (200,)),
        (request(headers=[b'Forwarded: for="zqx', b"X-Forwarded-For: zqx,,,", b"X-Forwarded-Host: <zqx>/"]), (200,)),
        (request(headers=[b"Host: <script>zqx</script>"]), (200,)),
        (request().replace(b"Host: localhost\r\n", b""), (200,)),
        (request(headers=[b"Origin: null"]), (403,)),
        (request(method=b"CONNECT", path=b"zqx:80"), (CLOSED, 400, 404, 405)),
        (request(path=b"/\xff\xfe"), (CLOSED, 400, 404)),
        (request(path="/zqx-é".encode()), (CLOSED, 400, 404)),
        (request(path=b"?"), (CLOSED, 400, 404)),
        (request(path=b"#zqx"), (CLOSED, 400, 404)),
    ],
    ids=lambda value: repr(value[:70]) if isinstance(value, bytes) else None,
)
def test_what_is_hardly_http_is_refused(content: bytes, statuses: tuple[int, ...], assistant: Assistant) -> None:
    check(send(assistant.address, content), *statuses)
    goes_on(assistant)


def test_requests_may_come_one_behind_the_other_until_one_is_garbage(assistant: Assistant) -> None:
    content = request(close=False) * 2 + b"zqx \x00\xff\r\n\r\n" + request(close=False)
    answers = send(assistant.address, content).all.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200", b"400"]
    hidden = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"  # in a body it is no request
    assert send(assistant.address, request(hidden)).all.count(b"HTTP/1.1 ") == 1


# --- what a body says -------------------------------------------------------------------------------

MESSAGE = b'"message":"hello"'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b" \n\t ", 400),
        (b"null", 400),
        (b"True", 400),
        (b"NaN", 400),
        (b"-0", 400),
        (b"1." + b"0" * 20_000, 400),
        (b"9" * 30_000, 400),
        (b"\xef\xbb\xbf" + HELLO, 400),
        (HELLO.decode().encode("utf-16"), 400),
        (HELLO.decode().encode("utf-32"), 400),
        ('{"sender":"a","message":"é"}'.encode("latin-1"), 400),
        (b'{"sender":"a","message":"\xc0\xaf"}', 400),
        (b'{"sender":"a","message":"\xf5\x80\x80\x80"}', 400),
        (b'{"sender":"a","message":"\xed\xa0\x80 hello"}', (200, 400)),
        (gzip.compress(HELLO, mtime=0), 400),  # the clock in it would name the test anew in each worker
        (HELLO + b" zqx", 400),
        (HELLO + HELLO, 400),
        (HELLO + b"\x00", 400),
        (HELLO[:-1] + b",}", 400),
        (b"/* zqx */" + HELLO, 400),
        (HELLO.replace(b'"', b"'"), 400),
        (b'{"sender":"a","message":"he\x00llo"}', 400),
        (b'{"sender":"a","message":"\\x41"}', 400),
        (b'{"sender":"a","message":"\\u12"}', 400),
        (b"{\xc2\xa0" + HELLO[1:], 400),
        (b"[" * 30_000, 400),
        (b"[" * 15_000 + b"]" * 15_000, 400),
        (b'{"a":' * 6_000, 400),
        (b'{"sender":"a","x":' + b"[" * 5_000 + b"]" * 5_000 + b"," + MESSAGE + b"}", 400),
        (b'{"sender":"a","x":' + b"[" * 500 + b"]" * 500 + b"," + MESSAGE + b"}", 200),
        (b'{"sender":"a","x":NaN,' + MESSAGE + b"}", (200, 400)),
        (b'{"sender":"a","x":-Infinity,' + MESSAGE + b"}", (200, 400)),
        (b'{"sender":"a","x":1e999,' + MESSAGE + b"}", (200, 400)),
        (b'{"sender":"a","x":' + b"9" * 5_000 + b"," + MESSAGE + b"}", (200, 400)),
        (b'{"sender":"a","sender":"zqx zqx",' + MESSAGE + b"}", 400),
        (b'{"sender":"zqx zqx","sender":"a","message":5,' + MESSAGE + b"}", 200),
        (b'{"__proto__":{"sender":"a"},' + MESSAGE + b"}", 400),
        (b'{"Sender":"a","Message":"hello"}', 400),
        (b'{"sender":"a","message":{"$ne":""}}', 400),
        (b"{" + b",".join(b'"k%d":1' % n for n in range(2500)) + b',"sender":"a",' + MESSAGE + b"}", 200),
        (b'{"\\ud800":"\\udfff","sender":"a",' + MESSAGE + b"}", 200),
        (b"sender=a&message=hello", 400),
        (b"--zqx\r\nContent-Disposition: form-data; name=sender\r\n\r\na\r\n--zqx--\r\n", 400),
    ],
    ids=lambda value: repr(value[:45]) if isinstance(value, bytes) else None,
)
def test_a_body_is_json_that_can_be_used_or_refused(body: bytes, status: Any, assistant: Assistant) -> None:
    answer = send(assistant.address, request(body))
    check(answer, *(status if isinstance(status, tuple) else (status,)))
    if answer.status == 200:
        keep_to_contract(answer.json[0])
    else:
        assert set(answer.json["error"]) == {"code", "message"}
        assert b"zqx" not in answer.body
    vote = body.replace(b'"message":"hello"', b'"helpful":true')
    check(send(assistant.address, request(vote, b"/feedback")), 200, 400)
    goes_on(assistant)


@pytest.mark.parametrize("path", [REST, b"/feedback"])
@pytest.mark.parametrize(
    "kind",
    [
        None,
        b"",
        b"text/plain",
        b"text/html",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"multipart/form-data; boundary=zqx",
        b"application/xml",
        b"application/json+zqx",
        b"text/plain; application/json",
        b"application/json, text/plain",
        b"\xff\xfe;;;charset=",
        b"a" * 3000,
    ],
    ids=lambda kind: repr(kind[:45]) if kind else None,
)
def test_nothing_is_taken_for_json_but_what_says_so(kind: bytes | None, path: bytes, assistant: Assistant) -> None:
    """Some of these a browser lets any page send unasked."""
    named = b"Content-Type: application/json\r\n"
    for body in (HELLO, HELLO.replace(b'"message":"hello"', b'"helpful":true'), b"{", b"x" * 40_000):
        content = request(body, path).replace(named, b"" if kind is None else b"Content-Type: " + kind + b"\r\n")
        answer = send(assistant.address, content)
        check(answer, 415)
        assert answer.json["error"]["code"] == "not_json"
        assert b"zqx" not in answer.body


@pytest.mark.parametrize(
    "kind", [b"application/json", b"application/json; charset=utf-16", b"APPLICATION/JSON ;", b"application/json;zqx"]
)
def test_json_is_read_as_json_whatever_else_its_type_says(kind: bytes, assistant: Assistant) -> None:
    headers = [b"Content-Type: " + kind]
    check(send(assistant.address, request(headers=headers)), 200)
    check(send(assistant.address, request(b"{", headers=headers)), 400)


# --- methods and addresses --------------------------------------------------------------------------

METHODS = [b"GET", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"TRACE", b"ZQX", b"post", b"A" * 300]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[:8].decode())
@pytest.mark.parametrize("path", [REST, b"/feedback", b"/webhooks/slack/webhook", b"/webhooks/telegram/webhook"])
def test_another_method_is_refused_in_json(method: bytes, path: bytes, assistant: Assistant) -> None:
    answer = send(assistant.address, request(path=path, method=method))
    if method == b"HEAD":
        assert (answer.status, answer.all.partition(b"\r\n\r\n")[2]) == (405, b"")
    else:
        check(answer, 405)


#: Rasa's HTTP API and channels that are not switched on, and ways around an address.
NOT_SERVED = [
    *("/model/parse", "/model/train", "/model/predict", "/model/test/intents", "/model", "/domain", "/status"),
    *("/conversations/x/tracker", "/conversations/rest:a/tracker", "/conversations/rest:a/tracker/events"),
    *("/conversations/x/messages", "/conversations/x/execute", "/conversations/x/trigger_intent"),
    *("/conversations/x/predict", "/conversations/x/story", "/conversations", "/auth", "/docs", "/openapi.yml"),
    *("/docs/openapi.yml", "/socket.io/", "/webhooks/callback/webhook", "/webhooks/socketio/", "/webhooks"),
    *("/webhooks/rasa/webhook", "/webhooks/facebook/webhook", "/webhook", "/actions", "/.git/config", "/.env"),
    *("//webhooks/rest/webhook", "/webhooks//rest/webhook", "/webhooks/rest/%2e%2e/rest/webhook"),
    *("/webhooks/rest/webhook%00", "/webhooks/rest/webhook;zqx", "/webhooks/rest/WEBHOOK", "/webhooks/rest/webhook/x"),
    *("/health/../metrics", "/health/live%20", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/%", "/%zz"),
    *("/%ff%fe", "/<script>zqx</script>", "/{{7*191}}", "/webhooks/rest/webhook%3Fx", "/\\..\\domain.yml"),
]


@pytest.mark.parametrize("path", NOT_SERVED)
def test_what_is_not_public_is_not_served(path: str, assistant: Assistant) -> None:
    for method in (b"GET", b"POST", b"PUT"):
        check(send(assistant.address, request(path=path.encode(), method=method)), 404)


@pytest.mark.parametrize("accept", [b"text/html", b"text/plain, */*;q=0.1", b"image/png", b"zqx"])
def test_an_error_is_json_whatever_a_client_accepts(accept: bytes, assistant: Assistant) -> None:
    headers = [b"Accept: " + accept]
    check(send(assistant.address, request(b"{", headers=headers)), 400)
    check(send(assistant.address, request(b"x" * 40_000, headers=headers)), 413)
    promised = [*headers, b"Content-Length: 999999"]
    check(send(assistant.address, request(path=b"/webhooks/slack/webhook", headers=promised, length=False)), 413)
    check(send(assistant.address, request(headers=[*headers, b"Content-Length: -1"], length=False)), 400)
    check(send(assistant.address, request(method=b"PUT", headers=headers)), 405)
    check(send(assistant.address, request(path=b"/zqx", headers=headers)), 404)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/chat/%ff",
            "/chat/..",
            "/chat/..%2f",
            "/chat//etc/passwd",
            "/chat/%2fetc/passwd",
            "/chat/%252e%252e/VERSION",
        ),
        *("/chat/\\..\\VERSION", "/chat/%5c..%5cVERSION", "/chat/.git/config", "/chat/MS-ALS-CHAT.JS"),
    ],
)
def test_below_the_chat_page_only_its_files_are_served(path: str, assistant: Assistant) -> None:
    check(send(assistant.address, request(b"", path.encode(), b"GET")), 404)


@pytest.mark.parametrize(
    "path",
    ["/chat/%00", "/chat/a%00b", "/chat/" + "a" * 3000, "/chat/.", "/chat/..%00/", "/chat/index.html/x"],
    ids=lambda path: path[:25],
)
def test_a_name_that_no_file_can_have_is_not_found(path: str, assistant: Assistant) -> None:
    check(send(assistant.address, request(b"", path.encode(), b"GET")), 404)


def test_an_address_with_a_question_mark_or_a_slash_behind_it_is_the_same(assistant: Assistant) -> None:
    for path in (
        b"/webhooks/rest/webhook/",
        b"/webhooks/rest/webhook?zqx=%ff&%zqx",
        b"http://zqx/webhooks/rest/webhook",
    ):
        check(send(assistant.address, request(path=path)), 200)


# --- slow clients -----------------------------------------------------------------------------------


def test_clients_that_stall_keep_nobody_waiting(assistant: Assistant) -> None:
    """Half of a header, half of a body, half of a chunk, and nobody who reads: everybody else is answered."""
    halves = (
        request()[:40],
        request()[:-5],
        lengthless(CHUNKED, body=b"27\r\n" + HELLO[:9]),
        lengthless(CHUNKED, body=b""),
    )
    stalled = [connect(assistant.address) for _ in range(60)]
    try:
        for number, connection in enumerate(stalled):
            connection.sendall(halves[number % 4])
        for connection in stalled[40:]:
            connection.setsockopt(1, 8, 1024)  # SO_RCVBUF: what comes back is not taken
        for _ in range(3):
            started = time.monotonic()
            assert assistant.ask("what is als")["metadata"]["outcome"] == "answered"
            assert time.monotonic() - started < 10
        for connection, rest in zip(stalled[:2], (request()[40:], request()[-5:]), strict=True):
            connection.sendall(rest)  # slow, but in the end all there
            assert connection.recv(12) == b"HTTP/1.1 200"
    finally:
        for connection in stalled:
            connection.close()
    goes_on(assistant)


def test_a_body_that_never_comes_is_given_up(assistant: Assistant) -> None:
    with connect(assistant.address) as connection:
        connection.settimeout(30)
        started = time.monotonic()
        connection.sendall(request()[:-5])
        assert connection.recv(12) in (b"HTTP/1.1 408", b"HTTP/1.1 503")
        assert time.monotonic() - started < 20


def test_a_letter_at_a_time_is_read_too(assistant: Assistant) -> None:
    with connect(assistant.address) as connection:
        for byte in request():
            connection.sendall(bytes([byte]))
        got = b""
        while part := connection.recv(65536):
            got += part
    keep_to_contract(read(got).json[0])


def test_nothing_of_all_this_is_in_the_log(assistant: Assistant) -> None:
    log = assistant.log.read_text("utf8")
    assert "zqx" not in log
    assert "<script>" not in log
    for line in log.splitlines():
        if "is ready: http://" not in line:
            json.loads(line)
