"""The assistant as one web application: Rasa's channels, the chat page, health."""

from __future__ import annotations

import errno
import importlib
import json
import os
import socket
import tarfile
import zlib
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import rasa.core.run
import sqlalchemy as sa
from rasa.core.channels.channel import InputChannel
from rasa.core.utils import AvailableEndpoints
from rasa.model import get_latest_model
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.utils.io import read_yaml_file
from rasa.utils.endpoints import EndpointConfig
from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from actions.actions import fact_store
from channels import feedback
from channels.rest import RestInput
from facts.store import StoreUnavailable
from server import rasa_patches
from server.action_endpoint import InProcessActions, RemoteActions
from server.settings import ROOT, SettingError, Settings

#: A question is a few hundred bytes; nothing larger than this is read.
MAX_BODY_BYTES = 32_768
#: Module, class, prefix of the environment variables, and which credential each of them is.
_CHAT_SERVICES = (
    (
        "channels.slack",
        "SlackInput",
        "SLACK",
        {"slack_token": "BOT_TOKEN", "slack_signing_secret": "SIGNING_SECRET", "api_url": "API_URL"},
    ),
    (
        "channels.telegram",
        "TelegramInput",
        "TELEGRAM",
        {
            "access_token": "BOT_TOKEN",
            "webhook_url": "WEBHOOK_URL",
            "webhook_secret": "WEBHOOK_SECRET",
            "api_url": "API_URL",
        },
    ),
)
VERSION = (ROOT / "VERSION").read_text(encoding="utf8").strip()


def endpoints(settings: Settings) -> AvailableEndpoints:
    """What Rasa would read from `endpoints.yml`, from the settings."""
    action = RemoteActions(url=settings.action_endpoint) if settings.action_endpoint else InProcessActions()
    return AvailableEndpoints(
        nlg=EndpointConfig(type="replies.nlg.DisclaimerNLG"),
        action=action,
        tracker_store=EndpointConfig(
            type="server.conversations.ConversationStore",
            url=settings.conversations_url,
            retention_days=settings.retention_days,
        ),
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
    """Fail early when a model was cut short.

    Raises:
        SettingError: when it cannot be read to its end.
    """
    try:
        with tarfile.open(model) as archive:
            archive.getmembers()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise SettingError(f"The model {model.name} (MODEL) cannot be read: run `make train`.") from error


def require_stores(settings: Settings) -> None:
    """Fail early, and by name, when there is nowhere to keep conversations. Facts may come later.

    Raises:
        SettingError: naming the variable.
    """
    (ROOT / ".build").mkdir(exist_ok=True)
    for name, url in (("CONVERSATIONS_URL", settings.conversations_url), ("FEEDBACK_URL", settings.feedback_url)):
        try:
            address = sa.engine.make_url(url)
            sa.create_engine(address).connect().close()
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            raise SettingError(f"{name} cannot be used ({type(error).__name__}): is it there and writable?") from error


def require_free_port(settings: Settings) -> None:
    """Fail early, and by name, when the port is taken.

    Raises:
        SettingError: when something listens there already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SettingError(f"HOST={settings.host!r} is no address of this machine.") from error
            raise SettingError(
                f"Port {settings.port} on {settings.host} is taken: "
                "stop what runs there, or choose another with PORT=5006."
            ) from error


def input_channels(env: Mapping[str, str]) -> List[InputChannel]:
    """REST always; Slack and Telegram when any of their variables is set.

    Raises:
        SettingError: naming the variable that is missing or unusable.
    """
    channels: List[InputChannel] = [RestInput()]
    disclaimer = read_yaml_file(ROOT / "domain.yml")["responses"]["utter_disclaimer"][0]["text"]
    for module, kind, prefix, variables in _CHAT_SERVICES:
        credentials = {key: env.get(f"{prefix}_{name}", "").strip() or None for key, name in variables.items()}
        if not any(credentials.values()):
            continue
        # Only what is switched on is imported: it takes time at every start.
        channel = getattr(importlib.import_module(module), kind)
        try:
            channels.append(channel.from_credentials({**credentials, "disclaimer": disclaimer}))
        except InvalidConfigException as error:
            raise SettingError(str(error)) from error
    return channels


def create_app(settings: Settings, model: Optional[Path] = None) -> Sanic:
    """The application, ready for `app.run`."""
    rasa_patches.apply()
    require_stores(settings)
    chosen = model or model_file(settings)
    require_whole(chosen)
    available = endpoints(settings)
    app: Sanic = rasa.core.run.configure_app(
        input_channels(os.environ),
        cors=list(settings.web_origins) or None,
        enable_api=False,
        port=settings.port,
        endpoints=available,
    )
    app.config.REQUEST_MAX_SIZE = MAX_BODY_BYTES
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.register_listener(
        partial(rasa.core.run.load_agent_on_start, str(chosen), available, None), "before_server_start"
    )
    app.register_listener(rasa.core.run.close_resources, "after_server_stop")
    app.blueprint(feedback.blueprint(feedback.FeedbackStore(settings.feedback_url)))
    _add_page(app)
    _add_health(app, chosen)
    return app


def _add_page(app: Sanic) -> None:
    web = ROOT / "web"

    @app.route("/chat", methods=["GET"], strict_slashes=True)
    async def without_slash(request: Request) -> HTTPResponse:
        return response.redirect("/chat/")

    @app.route("/chat/", methods=["GET"], strict_slashes=True)
    async def page(request: Request) -> HTTPResponse:
        return await response.file(str(web / "index.html"))

    app.static("/chat", str(web), name="web")


def _add_health(app: Sanic, model: Path) -> None:
    @app.route("/health/live", methods=["GET"])
    async def live(request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    @app.route("/health/ready", methods=["GET"])
    async def ready(request: Request) -> HTTPResponse:
        agent = getattr(request.app.ctx, "agent", None)
        checks: Dict[str, Any] = {"model": bool(agent and agent.is_ready())}
        try:
            checks["facts"] = bool(fact_store().snapshot().version)
        except StoreUnavailable:
            checks["facts"] = False
        return response.json(checks, 200 if all(checks.values()) else 503)

    @app.route("/version", methods=["GET"])
    async def version(request: Request) -> HTTPResponse:
        try:
            facts = fact_store().snapshot().version
        except StoreUnavailable:
            facts = None
        return response.json({"version": VERSION, "model": model.name, "facts": facts}, dumps=json.dumps)
