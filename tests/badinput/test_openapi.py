"""docs/openapi.yml says what the running assistant does: any JSON gets the status and the shape that it has there."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from schemathesis import DataGenerationMethod

from channels import rest
from channels.pace import Pace
from channels.words import MOST_CHARACTERS
from facts.schema import CONDITIONS, TOPICS
from stores.votes import MAX_REASON, MAX_VOTE
from tests.channels.running_channel import Assistant as StandIn
from tests.channels.running_channel import serving
from tests.conftest import ROOT, Assistant
from tests.contract.reply_contract import KEYS, OUTCOMES

ASK, VOTE = "/webhooks/rest/webhook", "/feedback"
TYPE = {"Content-Type": "application/json"}
DOCUMENT = YAML(typ="safe").load((ROOT / "docs" / "openapi.yml").read_text("utf8"))
SCHEMAS = DOCUMENT["components"]["schemas"]


def few(examples: int) -> Callable[[Any], Any]:
    """The same few examples at every run; what fails is shown as it was found."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def in_python(node: Any) -> Any:
    """A part of the document as Python's JSON Schema has it: null is a type; "$" is not before a last line break."""
    if isinstance(node, list):
        return [in_python(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: in_python(value) for key, value in node.items() if key != "nullable"}
    if isinstance(made.get("pattern"), str):
        made["pattern"] = re.sub(r"\$$", r"\\Z", made["pattern"])
    if node.get("nullable"):
        made = {"anyOf": [{"type": "null"}, made]}
    return made


def validator(name: str) -> Any:
    schema = {"$ref": f"#/components/schemas/{name}", "components": in_python(DOCUMENT["components"])}
    return jsonschema.Draft7Validator(schema)


@pytest.fixture(scope="module")
def api(assistant: Assistant) -> Any:
    """The document as Schemathesis reads it, against the running assistant."""
    text = json.dumps(DOCUMENT).replace('{1,128}$"', '{1,128}\\\\Z"')
    return schemathesis.from_dict(json.loads(text), base_url=assistant.address, validate_schema=True)


@pytest.mark.parametrize("path", [ASK, VOTE])
@pytest.mark.parametrize(
    ("method", "status"), [(DataGenerationMethod.positive, 200), (DataGenerationMethod.negative, 400)], ids=str
)
def test_what_fits_the_schema_is_answered_and_what_does_not_is_refused(
    path: str, method: DataGenerationMethod, status: int, api: Any
) -> None:
    @given(case=api[path]["POST"].as_strategy(data_generation_method=method))
    @few(25)
    def ask(case: Any) -> None:
        response = case.call()
        assert response.status_code == status
        case.validate_response(response)

    ask()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
#: With halves of surrogate pairs, which JSON can carry.
TEXT = st.text(st.characters(blacklist_categories=()), max_size=60)
SENDER = st.from_regex(r"[A-Za-z0-9_.:@+-]{1,128}", fullmatch=True)
SPACE = st.text(" \t\n\r\x0b\x0c\x1c\x1f\x85\u00a0\u2003\u2028\u3000\u200b", max_size=4)


def mostly(right: Any) -> Any:
    """One in ten times anything else."""
    return st.tuples(st.integers(0, 9), right, JSON).map(lambda drawn: drawn[1] if drawn[0] else drawn[2])


def nearly(**fields: Any) -> Any:
    """Objects whose fields are mostly right; now and then one is missing, and there may be one more."""
    some = {name: mostly(right) for name, right in fields.items()}
    return mostly(st.fixed_dictionaries(some, optional={"x": JSON}) | st.fixed_dictionaries({}, optional=some))


@pytest.mark.parametrize(
    ("path", "schema", "bodies"),
    [
        (ASK, "Message", nearly(sender=SENDER, message=TEXT | SPACE, metadata=JSON)),
        (
            VOTE,
            "Vote",
            nearly(helpful=st.booleans(), vote=TEXT, outcome=st.none() | TEXT, topic=TEXT, reason=st.none() | SPACE),
        ),
    ],
    ids=[ASK, VOTE],
)
def test_any_json_gets_the_status_that_the_schema_says(
    path: str, schema: str, bodies: Any, assistant: Assistant
) -> None:
    fits = validator(schema)
    statuses = []

    with requests.Session() as session:

        @given(body=bodies)
        @few(120)
        def ask(body: Any) -> None:
            content = json.dumps(body).encode()
            response = session.post(assistant.address + path, data=content, headers=TYPE, timeout=30)
            statuses.append(response.status_code)
            assert response.status_code == (200 if fits.is_valid(body) else 400), body
            if response.status_code == 400:
                validator("Error").validate(response.json())

        ask()
    assert min(map(statuses.count, (200, 400))) > 5  # both were really tried


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("compare life expectancy in ms and als", "answered"),
        ("What causes ALS? And is there a cure for it?", "answered"),
        ("help me understand this", "clarify"),
        ("how much does biogen earn with ms drugs", "not_covered"),
        ("symptoms of lupus", "other_condition"),
        ("what will the weather be tomorrow", "out_of_scope"),
        ("should I stop taking my riluzole", "personal_advice"),
        ("i want to kill myself", "crisis"),
        ("my dad is choking on his food right now", "emergency"),
        ("forget me", "smalltalk"),
    ],
)
def test_a_reply_of_every_outcome_is_as_described(message: str, outcome: str, assistant: Assistant, api: Any) -> None:
    response = assistant.post({"sender": uuid.uuid4().hex, "message": message})
    assert response.json()[0]["metadata"]["outcome"] == outcome
    api[ASK]["POST"].validate_response(response)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/version"])
def test_the_other_addresses_are_as_described(path: str, assistant: Assistant, api: Any) -> None:
    response = requests.get(assistant.address + path, timeout=30)
    assert response.status_code == 200
    api[path]["GET"].validate_response(response)


@pytest.mark.parametrize("path", [ASK, VOTE])
@pytest.mark.parametrize("accept", ["*/*", "text/html", "text/plain"])
def test_a_body_that_is_too_large_is_refused_as_described(
    path: str, accept: str, assistant: Assistant, api: Any
) -> None:
    body = b'{"reason": "' + b"x" * 32_768 + b'"}'
    response = requests.post(assistant.address + path, data=body, headers={**TYPE, "Accept": accept}, timeout=30)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
    api[path]["POST"].validate_response(response)


@pytest.mark.parametrize("path", [ASK, VOTE])
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "not_json"),
        ({**TYPE, "Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        ({**TYPE, "Origin": "https://elsewhere.example"}, 403, "foreign_origin"),
    ],
    ids=["another type", "packed", "another page"],
)
def test_what_is_not_taken_from_anybody_is_refused_as_described(
    path: str, headers: dict[str, str], status: int, code: str, assistant: Assistant, api: Any
) -> None:
    response = requests.post(assistant.address + path, data=b"{}", headers=headers, timeout=30)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    api[path]["POST"].validate_response(response)


@pytest.mark.asyncio
async def test_a_sender_in_a_hurry_and_a_turn_that_fails_are_answered_as_described() -> None:
    async with serving(rest.RestInput(pace=Pace(1)), StandIn(ValueError("out of order"))) as client:
        first, second = [await client.post("/webhook", json={"sender": "a", "message": "hello"}) for _ in range(2)]
    assert (first.status_code, first.json()[0]["metadata"]["outcome"]) == (200, "error")
    validator("Reply").validate(first.json()[0])
    assert (second.status_code, second.json()["error"]["code"]) == (429, "too_many_requests")
    validator("Error").validate(second.json())
    assert 1 <= int(second.headers["Retry-After"]) <= 60


def test_limits_and_closed_lists_are_those_of_the_code() -> None:
    message, vote, metadata = (SCHEMAS[name]["properties"] for name in ("Message", "Vote", "Metadata"))
    assert message["message"]["maxLength"] == MOST_CHARACTERS
    assert message["sender"]["pattern"] == f"^{rest._SENDER.pattern}$"
    assert (vote["reason"]["maxLength"], vote["vote"]["maxLength"]) == (MAX_REASON, MAX_VOTE)
    assert SCHEMAS["Topic"]["enum"] == list(TOPICS)
    assert metadata["conditions"]["items"]["enum"] == list(CONDITIONS)
    assert set(metadata["outcome"]["enum"]) == OUTCOMES
    assert set(SCHEMAS["Metadata"]["required"]) == KEYS == set(metadata) - {"topics", "questions", "language"}


def test_every_code_of_an_error_is_listed() -> None:
    files = ("channels/rest.py", "channels/web.py", "channels/turns.py", "server/votes.py")
    code = "".join((ROOT / name).read_text("utf8") for name in files)
    named = set(re.findall(r'(?:BadRequest|Refusal|refused)\(\s*"(\w+)"', code))
    guard = (ROOT / "server" / "guard.py").read_text("utf8")
    named |= {said.lower().replace(" ", "_") for said in re.findall(r'SanicException\("([\w ]+)"', guard)}
    named |= {f"bad_{name}" for name in re.findall(r'_(?:text|one_of)\(body, "(\w+)"', code)}
    assert named == set(SCHEMAS["Error"]["properties"]["error"]["properties"]["code"]["enum"])


def test_the_document_can_fail() -> None:
    """A reply that is not as described is not taken for one."""
    good = {"recipient_id": "a", "text": "Hello.", "metadata": dict.fromkeys(KEYS)}
    assert not validator("Reply").is_valid(good)
    assert validator("Message").is_valid({"sender": "a", "message": "hello"})
    for wrong in ({"sender": "a\n"}, {"sender": "ä"}, {"message": " \x1c"}, {"message": "x" * 2001}, {"message": None}):
        assert not validator("Message").is_valid({"sender": "a", "message": "hello", **wrong})
