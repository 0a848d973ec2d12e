"""The lines for TLS, which are comments until someone has a certificate."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.deploy.real_nginx import Nginx, StandIn, free_port


def test_with_its_lines_switched_on_it_speaks_tls_and_sends_everyone_there(
    tmp_path: Path, stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out",
         str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls, plain = free_port(), free_port()

    def switch_on(text: str) -> str:
        for pattern, value in (
            (r"listen 443", f"listen 127.0.0.1:{tls}"),
            (r"listen 80 ", f"listen 127.0.0.1:{plain} "),
            (r"ssl_certificate \S+;", f"ssl_certificate {certificate};"),
            (r"ssl_certificate_key \S+;", f"ssl_certificate_key {key};"),
        ):
            text, changed = re.subn(pattern, value, text)
            assert changed == 1, pattern
        return text

    behind = stand_in()
    nginx = start_nginx(NGINX_UPSTREAMS=behind.line, change=switch_on, options=["--tls"])
    done = nginx.check()
    assert done.returncode == 0, done.stderr

    with pytest.raises(ConnectionRefusedError):  # no door without TLS
        socket.create_connection(("127.0.0.1", nginx.port), timeout=5)

    page = requests.get(f"https://localhost:{tls}/chat/", verify=str(certificate), timeout=5)
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=63072000"
    asked = requests.post(f"https://localhost:{tls}/webhooks/rest/webhook", json={}, verify=str(certificate), timeout=5)
    assert asked.status_code == 200
    assert behind.received[0].headers["X-Forwarded-Proto"] == "https"

    sent_on = nginx.send("POST", "/webhooks/rest/webhook?a=b", b"{}", port=plain, Host="localhost")
    assert sent_on.status == 308
    assert sent_on.headers["Location"] == "https://localhost/webhooks/rest/webhook?a=b"

    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["h2"])
    with context.wrap_socket(socket.create_connection(("localhost", tls)), server_hostname="localhost") as it:
        assert it.version() == "TLSv1.3"
        assert it.selected_alpn_protocol() == "h2"
