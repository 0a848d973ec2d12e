"""Too many requests, assistants that are down or slow, and clients that are."""

from __future__ import annotations

import http.client
import re
import runpy
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from channels.turns import ALARM_SECONDS, TURN_SECONDS
from server.action_endpoint import TIMEOUT_SECONDS
from server.guard import REQUEST_SECONDS
from stores.redis_stores import WAIT_SECONDS
from tests.deploy.real_nginx import ASK, ROOT, Nginx, StandIn, free_port, render, reply, seconds, size

SITE = "https://www.example.org"
PROXY = "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"


def refusals(nginx: Nginx, count: int, **headers: str) -> list[int]:
    return [nginx.ask(**headers).status for _ in range(count)]


# --- too many ---


@pytest.fixture
def strict(stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]) -> Nginx:
    """Takes three questions from an address, then one a minute; addresses come in a header."""
    return start_nginx(
        NGINX_UPSTREAMS=stand_in().line,
        NGINX_RATE="1r/m",
        NGINX_BURST="2",
        NGINX_REAL_IP=PROXY,
        WEB_ORIGINS=f"https://example.org, {SITE}/",
    )


def test_too_many_questions_are_json_429_that_says_when_to_come_back(strict: Nginx) -> None:
    assert refusals(strict, 3) == [200, 200, 200]
    answer = strict.ask()
    assert answer.status == 429
    assert answer.json()["error"]["code"] == "too_many_requests"
    assert answer.json()["error"]["message"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert strict.send("POST", "/feedback", b"{}").status == 429


def test_a_browser_may_still_ask_whether_it_may_ask(strict: Nginx) -> None:
    refusals(strict, 4)
    assert {strict.send("OPTIONS", ASK).status for _ in range(5)} == {200}
    assert strict.send("GET", "/chat/").status == 200


def test_each_address_has_its_own_limit(strict: Nginx) -> None:
    assert refusals(strict, 4, X_Forwarded_For="192.0.2.1") == [200, 200, 200, 429]
    assert refusals(strict, 1, X_Forwarded_For="192.0.2.2") == [200]


def test_all_of_one_ipv6_network_is_one_address(strict: Nginx) -> None:
    # With 0a, a line feed, among the bytes that are compared.
    near = [f"2001:db8:a0a:a::{number:x}" for number in (1, 10, 0xFFFF, 0xA0A)]
    assert [strict.ask(X_Forwarded_For=one).status for one in near] == [200, 200, 200, 429]
    assert strict.ask(X_Forwarded_For="2001:db8:a0a:b::1").status == 200


def test_without_a_trusted_proxy_nobody_can_write_himself_an_address(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    nginx = start_nginx(NGINX_UPSTREAMS=stand_in().line, NGINX_RATE="1r/m", NGINX_BURST="1")
    assert [nginx.ask(X_Forwarded_For=f"192.0.2.{n}").status for n in range(3)] == [200, 200, 429]


def test_slack_and_telegram_are_not_held_to_one_persons_limit(strict: Nginx) -> None:
    for path in ("/webhooks/slack/webhook", "/webhooks/telegram/webhook"):
        assert {strict.send("POST", path, b"{}").status for _ in range(20)} == {200}


def test_everything_together_is_limited_too(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    nginx = start_nginx(NGINX_UPSTREAMS=stand_in().line)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: nginx.send("GET", "/chat/").status, range(300)))
    assert set(statuses) == {200, 429}


def test_one_address_holds_only_so_many_connections(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    release = threading.Event()
    behind = stand_in(answer=lambda handler: (release.wait(5), reply(handler, 200, b"[]")))
    nginx = start_nginx(NGINX_UPSTREAMS=behind.line, NGINX_CONNECTIONS="2")
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(nginx.ask) for _ in range(2)]
        for _ in range(200):
            if len(behind.received) == 2:
                break
            time.sleep(0.01)
        third = nginx.ask()
        release.set()
        assert {one.result().status for one in held} == {200}
    assert third.status == 429
    assert third.json()["error"]["code"] == "too_many_requests"
    assert third.headers["Retry-After"]


# --- refusals that the widget on another website can read ---


@pytest.mark.parametrize(
    ("listed", "origin", "readable"),
    [
        (SITE, SITE, True),
        (f"https://a.example,{SITE}", SITE, True),
        (f"https://a.example , {SITE}/ ,https://b.example", SITE, True),
        (f"{SITE},https://b.example", "https://b.example", True),
        ("", SITE, False),
        ("https://www.example.org.evil.example", SITE, False),
        (SITE, "https://www.example.org.evil.example", False),
        (SITE, "https://wwwxexample.org", False),
        (SITE, "https://www.example", False),
        (SITE, "http://www.example.org", False),
        (SITE, "null", False),
        (SITE, "www.example.org", False),
        (f"https://a.example,{SITE}", f"https://a.example,{SITE}", False),
    ],
)
def test_only_listed_origins_can_read_a_refusal(
    listed: str, origin: str, readable: bool, start_nginx: Callable[..., Nginx]
) -> None:
    nginx = start_nginx(
        NGINX_UPSTREAMS=f"server 127.0.0.1:{free_port()};", NGINX_RATE="1r/m", NGINX_BURST="1", WEB_ORIGINS=listed
    )
    answers = [nginx.ask(Origin=origin) for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 503, 429]
    for answer in answers:
        assert answer.headers.get_all("Access-Control-Allow-Origin") == ([origin] if readable else None)
        assert answer.headers.get_all("Access-Control-Expose-Headers") == (["Retry-After"] if readable else None)
        assert answer.headers.get_all("Vary") == ["Origin"]


def test_what_the_assistant_says_about_origins_and_waiting_is_said_once(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    """It has limits of its own, and does CORS itself."""
    said = {"Access_Control_Allow_Origin": SITE, "Vary": "Origin", "Retry_After": "17"}
    behind = stand_in(answer=lambda handler: reply(handler, 429, b'{"error": "its own"}', **said))
    answer = start_nginx(NGINX_UPSTREAMS=behind.line, WEB_ORIGINS=SITE).ask(Origin=SITE)
    assert (answer.status, answer.body) == (429, b'{"error": "its own"}')
    for name, value in said.items():
        assert answer.headers.get_all(name.replace("_", "-")) == [value]


# --- assistants that are down or slow ---


def test_with_no_assistant_up_the_answer_is_json_503_at_once(start_nginx: Callable[..., Nginx]) -> None:
    nginx = start_nginx(NGINX_UPSTREAMS=f"server 127.0.0.1:{free_port()}; server 127.0.0.1:{free_port()};")
    for path in (ASK, "/feedback", "/webhooks/slack/webhook", "/webhooks/telegram/webhook"):
        answer = nginx.send("POST", path, b"{}")
        assert answer.status == 503
        assert answer.json()["error"]["code"] == "unavailable"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.seconds < 1.5
    assert nginx.send("GET", "/chat/").status == 200


def test_an_address_that_does_not_answer_costs_two_short_tries(start_nginx: Callable[..., Nginx]) -> None:
    """A listener that takes no more connections stands for a machine that is gone."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(8)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        nginx = start_nginx(
            NGINX_UPSTREAMS=f"server 127.0.0.1:{port}; server 127.0.0.1:{port};", NGINX_CONNECT_TIMEOUT="300ms"
        )
        answer = nginx.ask()
        for one in fillers:
            one.close()
    assert answer.status == 503
    assert 0.3 <= answer.seconds < 1.5


def test_a_question_goes_to_another_assistant_when_one_is_down(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    behind = stand_in()
    nginx = start_nginx(NGINX_UPSTREAMS=f"server 127.0.0.1:{free_port()}; {behind.line}")
    assert refusals(nginx, 10) == [200] * 10
    assert {nginx.send("POST", "/webhooks/slack/webhook", b"{}").status for _ in range(5)} == {200}
    assert len(behind.received) == 15


def test_a_question_that_was_sent_is_never_sent_again(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    """The assistant may have answered it already: it stops, or is slow, after it has read it."""

    def vanish(handler: object) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
        handler.close_connection = True  # type: ignore[attr-defined]

    for answer in (vanish, lambda handler: time.sleep(1)):
        one, other = stand_in(answer=answer), stand_in(answer=answer)
        nginx = start_nginx(NGINX_UPSTREAMS=one.line + other.line, NGINX_READ_TIMEOUT="300ms")
        for count in range(1, 4):
            assert nginx.ask().status == 503
            assert len(one.received) + len(other.received) == count


def test_a_slow_assistant_is_given_up(stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]) -> None:
    behind = stand_in(answer=lambda handler: time.sleep(3))
    answer = start_nginx(NGINX_UPSTREAMS=behind.line, NGINX_READ_TIMEOUT="400ms").ask()
    assert answer.status == 503
    assert answer.json()["error"]["code"] == "unavailable"
    assert 0.4 <= answer.seconds < 1.5


def values() -> Iterator[tuple[str, dict[str, str]]]:
    """The variables as the renderer and as the container's image have them."""
    yield "render", runpy.run_path(str(ROOT / "deploy" / "nginx" / "render"))["VALUES"]
    text = (ROOT / "deploy" / "container" / "Dockerfile").read_text("utf8").split(" AS web\n")[1].split("\nFROM ")[0]
    yield "Dockerfile", {k: v.strip('"') for k, v in re.findall(r'\b((?:NGINX|WEB)_\w+)=("[^"]*"|\S*)', text)}


@pytest.mark.parametrize(("place", "variables"), values(), ids=lambda value: value if isinstance(value, str) else "")
def test_nothing_takes_longer_than_ten_seconds(place: str, variables: dict[str, str]) -> None:
    connect, read, client = (seconds(variables[f"NGINX_{name}_TIMEOUT"]) for name in ("CONNECT", "READ", "CLIENT"))
    assert 2 * connect + read < 10
    assert client < 10
    # Whoever waits for another gives up after it: alarm, lock, action, turn, proxy.
    waits = (ALARM_SECONDS, WAIT_SECONDS, TIMEOUT_SECONDS, TURN_SECONDS, read, REQUEST_SECONDS)
    assert list(waits) == sorted(set(waits))


@pytest.mark.parametrize(("place", "variables"), values(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_variable_of_the_template_has_a_value(place: str, variables: dict[str, str]) -> None:
    template = (ROOT / "deploy" / "nginx" / "nginx.conf.template").read_text("utf8")
    used = set(re.findall(r"\$\{([A-Z_]+)\}", template))
    # The image's own start script finds the resolvers when it is asked to.
    if variables.pop("NGINX_ENTRYPOINT_LOCAL_RESOLVERS", ""):
        variables["NGINX_LOCAL_RESOLVERS"] = "found"
    image = ("NGINX_ENVSUBST_FILTER", "NGINX_ENVSUBST_OUTPUT_DIR", "NGINX_ENTRYPOINT_QUIET_LOGS")
    assert set(variables) - set(image) == used


def test_an_idle_connection_is_closed_by_nginx_before_rasa_closes_it() -> None:
    rasa = find_spec("rasa")
    assert rasa
    assert rasa.origin
    constants = (Path(rasa.origin).parent / "core" / "constants.py").read_text("utf8")
    (theirs,) = re.findall(r"DEFAULT_KEEP_ALIVE_TIMEOUT = (\d+)", constants)
    for upstream in re.findall(r"upstream \w+ \{(.*?)\n    \}", render(), re.DOTALL):
        (ours,) = re.findall(r"keepalive_timeout (\w+);", upstream)
        assert 0 < seconds(ours) < int(theirs) / 2


def test_connections_to_the_assistant_are_kept(assistant_behind: tuple[Nginx, StandIn]) -> None:
    nginx, behind = assistant_behind
    assert refusals(nginx, 20) == [200] * 20
    assert behind.connections <= 2  # one per worker process


def test_questions_are_spread_and_a_service_stays_with_one_assistant(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    behind = [stand_in() for _ in range(3)]
    nginx = start_nginx(NGINX_UPSTREAMS="".join(one.line for one in behind))
    for path in ("/webhooks/slack/webhook", "/webhooks/telegram/webhook"):
        for _ in range(10):
            nginx.send("POST", path, b"{}")
        assert sum(any(r.path == path for r in one.received) for one in behind) == 1
    refusals(nginx, 12)
    assert all(any(r.path == ASK for r in one.received) for one in behind)


# --- clients that are slow ---


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\n",
        b"POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    ],
    ids=["nothing", "half a header", "half a body"],
)
def test_a_client_that_stops_halfway_is_let_go(
    begun: bytes, stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    behind = stand_in()
    nginx = start_nginx(NGINX_UPSTREAMS=behind.line, NGINX_CLIENT_TIMEOUT="400ms")
    begin = time.monotonic()
    nginx.raw(begun, wait=5)
    assert time.monotonic() - begin < 2
    assert behind.received == []


# --- the configuration itself ---


def test_the_configuration_for_one_machine_is_valid(tmp_path: Path) -> None:
    done = Nginx(tmp_path).check()
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_what_people_send_never_goes_to_disk() -> None:
    """A body larger than the buffer, or an answer larger than its buffers, would go to a file."""
    text = re.sub(r"#.*", "", render())
    blocks = re.findall(r"client_max_body_size (\w+);\s*client_body_buffer_size (\w+);", text)
    assert len(blocks) == text.count("client_max_body_size") >= 2
    for body, buffer in blocks:
        assert size(buffer) >= size(body)
    assert "proxy_max_temp_file_size 0;" in text
    assert "client_body_in_file_only" not in text
    assert "proxy_store" not in text
    assert "proxy_cache" not in text


def test_over_ipv6_and_ipv4_on_one_socket_each_ipv4_address_has_limits_of_its_own(
    stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    port = free_port()
    nginx = start_nginx(
        NGINX_UPSTREAMS=stand_in().line, NGINX_LISTEN=f"[::]:{port} ipv6only=off", NGINX_RATE="1r/m", NGINX_BURST="1"
    )

    def ask(source: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
        connection.request("POST", ASK, b"{}")
        return connection.getresponse().status

    assert [ask("127.0.0.2") for _ in range(3)] == [200, 200, 429]
    assert ask("127.0.0.9") == 200
    assert '"client":"127.0.0.0"' in nginx.access_log.read_text("utf8")
