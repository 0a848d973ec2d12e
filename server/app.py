"""The assistant as one web application: Rasa's channels, the chat page, health."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import tarfile
import zlib
from functools import partial
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict, List, Mapping, Optional

import rasa.core.run
import redis
import sqlalchemy as sa
from rasa.core.channels.channel import InputChannel
from rasa.core.utils import AvailableEndpoints
from rasa.model import get_latest_model
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.utils.io import read_yaml_file
from rasa.utils.endpoints import EndpointConfig
from sanic import Sanic, response
from sanic.exceptions import SanicException
from sanic.helpers import STATUS_CODES
from sanic.request import Request
from sanic.response import HTTPResponse

import channels
from actions.actions import check_facts, fact_store, facts_version
from channels.rest import RestInput
from channels.retries import LastReplies
from channels.seen import Seen
from channels.web import refused
from server import guard, metrics, rasa_patches, turns, votes
from server.action_endpoint import InProcessActions, RemoteActions
from server.question_log import QuestionLog
from server.settings import ROOT, VERSION, SettingError, Settings, is_redis
from stores import redis_stores, retention
from stores.conversations import ConversationStore
from stores.database import Database
from stores.votes import VoteStore

logger = logging.getLogger(__name__)

#: A question is a few hundred bytes, a button pressed in Slack comes with the whole reply around it.
MAX_BODY_BYTES = 262_144
#: What has not answered by then counts as not ready.
READY_SECONDS = 2.5


def endpoints(settings: Settings) -> AvailableEndpoints:
    """What Rasa would read from `endpoints.yml`, from the settings."""
    stored_in = redis_stores.RedisConversations if is_redis(settings.conversations_url) else ConversationStore
    locks = redis_stores.RedisLocks(EndpointConfig(url=settings.locks_url)) if settings.locks_url else None
    action = RemoteActions(url=settings.action_endpoint) if settings.action_endpoint else InProcessActions()
    return AvailableEndpoints(
        nlg=EndpointConfig(type="replies.nlg.DisclaimerNLG"),
        action=action,
        tracker_store=stored_in(None, host=settings.conversations_url, retention_days=settings.retention_days),
        lock_store=locks,
    )


def model_file(settings: Settings) -> Path:
    """The newest trained model.

    Raises:
        SettingError: when there is none.
    """
    found = settings.model if settings.model.is_file() else get_latest_model(str(settings.model))
    if found is None:
        raise SettingError(f"There is no trained model in {settings.model.name}/ (MODEL): run `make train`.")
    return Path(found)


def require_whole(model: Path) -> None:
    """Fail early when a model was cut short or damaged.

    Raises:
        SettingError: when it cannot be read to its end.
    """
    try:
        with tarfile.open(model) as archive:
            archive.getmembers()
            # Only at its very end is compressed data checked.
            while archive.fileobj and archive.fileobj.read(1_048_576):
                pass
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise SettingError(f"The model {model.name} (MODEL) cannot be read: run `make train`.") from error


def require_stores(settings: Settings) -> None:
    """Fail early, and by name, when there is nowhere to keep conversations. Facts may come later.

    Raises:
        SettingError: naming the variable.
    """
    for name, url in (("CONVERSATIONS_URL", settings.conversations_url), ("FEEDBACK_URL", settings.feedback_url)):
        try:
            if is_redis(url):
                redis_stores.require(url)
            else:
                opened = Database(url)
                opened.engine.connect().close()
                opened.engine.dispose()
        except (sa.exc.SQLAlchemyError, redis.RedisError, OSError, ImportError) as error:
            raise SettingError(f"{name} cannot be used ({type(error).__name__}): is it there and writable?") from error


def input_channels(
    env: Mapping[str, str], settings: Optional[Settings] = None, pace: Optional[metrics.CountedPace] = None
) -> List[InputChannel]:
    """REST always; a chat service when any of its variables is set.

    Raises:
        SettingError: naming the variable that is missing or unusable.
    """
    settings = settings or Settings.from_environment(env)
    disclaimer = read_yaml_file(ROOT / "domain.yml")["responses"]["utter_disclaimer"][0]["text"]
    pace = pace or metrics.CountedPace(settings.messages_per_minute, settings.locks_url)
    # A delivery marked twice over would count as seen before, and be lost.
    shared = redis_stores.connect(settings.locks_url, retries=0) if settings.locks_url else None
    found: List[InputChannel] = [RestInput(disclaimer, pace, LastReplies(shared=shared))]
    for name, kind in channels.services().items():
        prefix = f"{name.upper()}_"
        if not any(variable.startswith(prefix) and value.strip() for variable, value in env.items()):
            continue
        # Only what is switched on is imported: it takes time at every start.
        service = getattr(importlib.import_module(f"channels.{name}"), kind)
        credentials = {key: env.get(prefix + variable, "").strip() or None for key, variable, _ in service.SETTINGS}
        try:
            more = {"disclaimer": disclaimer, "seen": Seen(shared=shared), "pace": pace}
            found.append(service.from_credentials({**credentials, **more}))
        except InvalidConfigException as error:
            raise SettingError(str(error)) from error
    return found


def create_app(settings: Settings, model: Optional[Path] = None) -> Sanic:
    """The application, ready for `app.run`."""
    rasa_patches.apply()
    require_stores(settings)
    chosen = model or model_file(settings)
    require_whole(chosen)
    available = endpoints(settings)
    pace = metrics.CountedPace(settings.messages_per_minute, settings.locks_url)
    app: Sanic = rasa.core.run.configure_app(
        input_channels(os.environ, settings, pace),
        enable_api=False,
        port=settings.port,
        endpoints=available,
    )
    guard.limit(app, MAX_BODY_BYTES)
    guard.speak_to_browsers(app, settings.web_origins)
    app.register_listener(
        partial(rasa.core.run.load_agent_on_start, str(chosen), available, None), "before_server_start"
    )
    app.register_listener(rasa.core.run.close_resources, "after_server_stop")
    kept = VoteStore(settings.feedback_url)
    app.blueprint(votes.blueprint(kept, pace))
    questions = _question_log(settings)
    retention.keep(app, available.tracker_store.sweep, kept.sweep, *((questions.sweep,) if questions else ()))
    _add_metrics(app, questions)
    _add_page(app)
    _say_errors_in_json(app)
    _add_health(app, available)
    return app


def _say_errors_in_json(app: Sanic) -> None:
    """Sanic would choose HTML or text by what a client accepts, and fail when that cannot be read."""

    @app.exception(SanicException)
    async def problem(request: Request, error: SanicException) -> HTTPResponse:
        reason = STATUS_CODES.get(error.status_code, b"Error").decode()
        code = reason.lower().replace(" ", "_")
        return refused(code, f"{reason}.", error.status_code, getattr(error, "headers", None))


def _question_log(settings: Settings) -> Optional[QuestionLog]:
    """The log of questions, when it is switched on."""
    if settings.question_log == "off":
        return None
    redactor = None
    if settings.question_log == "text":
        # Takes memory and time, so it is imported only for those who keep texts, and then not in the middle of a turn.
        from server.redaction import Redactor

        redactor = lambda: Redactor(fact_store().snapshot().terms.values())  # noqa: E731
    return QuestionLog(settings.feedback_url, redactor=redactor)


def _add_metrics(app: Sanic, questions: Optional[QuestionLog]) -> None:
    def finished(turn: turns.Turn) -> None:
        metrics.turn(turn.channel, turn.reply.outcome, turn.reply.topic, turn.fallback, turn.seconds)
        if questions:
            questions.record(turn)

    async def watch(app: Sanic, _: asyncio.AbstractEventLoop) -> None:
        # The terminal talks over the REST channel of its own process.
        turns.watch(app.ctx.agent, finished, {"rest": "shell"} if getattr(app.ctx, "in_terminal", False) else None)

    async def close(app: Sanic, _: asyncio.AbstractEventLoop) -> None:
        if questions:
            await asyncio.to_thread(questions.close)

    app.register_listener(watch, "before_server_start")  # once the agent is loaded
    app.register_listener(close, "after_server_stop")
    metrics.describe(VERSION, lambda: turns.model_of(getattr(app.ctx, "agent", None)), facts_version)
    app.blueprint(metrics.blueprint())


def _add_page(app: Sanic) -> None:
    web = ROOT / "web"

    @app.middleware("request")
    async def home(request: Request) -> Optional[HTTPResponse]:
        # Rasa has a route of its own there, which says hello.
        return response.redirect("/chat/") if request.path == "/" and request.method in ("GET", "HEAD") else None

    @app.route("/chat", methods=["GET", "HEAD"], strict_slashes=True)
    async def without_slash(request: Request) -> HTTPResponse:
        return response.redirect("/chat/")

    @app.route("/chat/", methods=["GET", "HEAD"], strict_slashes=True)
    async def page(request: Request) -> HTTPResponse:
        return await response.file(str(web / "index.html"))

    # File by file: Sanic answers 500 to a folder, a NUL or an overlong name below a folder that it serves.
    for file in sorted(path for path in web.rglob("*") if path.is_file()):
        name = file.relative_to(web).as_posix()
        app.static(f"/chat/{name}", str(file), name=f"web-{name.replace('/', '-')}", strict_slashes=True)


def _add_health(app: Sanic, available: AvailableEndpoints) -> None:
    # Without what all assistants share they are degraded: were they unready, nobody would answer a cry for help.
    checks: Dict[str, Callable[[], Awaitable[Any]]] = {"conversations": available.tracker_store.check}
    if available.lock_store:
        checks["locks"] = available.lock_store.check
    remote = isinstance(available.action, RemoteActions)
    checks.update({"actions": available.action.check} if remote else {"facts": check_facts})
    app.ctx.checks = checks

    @app.route("/health/live", methods=["GET", "HEAD"])
    async def live(request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    @app.route("/health/ready", methods=["GET", "HEAD"])
    async def ready(request: Request) -> HTTPResponse:
        agent = getattr(request.app.ctx, "agent", None)
        found = dict(zip(checks, await asyncio.gather(*map(_works, checks.values())), strict=True))
        found["model"] = bool(agent and agent.is_ready())
        can_answer = found["model"] and found.get("facts", True)
        # Facts that were read before are served while their file cannot be read.
        fine = all(found.values()) and not fact_store().problem
        status = "ok" if fine else "degraded" if can_answer else "unready"
        return response.json({"status": status, **found}, 200 if can_answer else 503)

    @app.route("/version", methods=["GET", "HEAD"])
    async def version(request: Request) -> HTTPResponse:
        model = turns.model_of(getattr(request.app.ctx, "agent", None)) or None
        return response.json({"version": VERSION, "model": model, "facts": facts_version()}, dumps=json.dumps)


async def _works(check: Callable[[], Awaitable[Any]]) -> bool:
    """Whether something that is needed can be reached, soon."""
    try:
        await asyncio.wait_for(check(), READY_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it
        logger.warning("Not ready: %s failed (%s).", check.__qualname__, type(error).__name__)
        return False
    return True
