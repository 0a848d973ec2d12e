"""Start the assistant: `python -m server`, talk to it at once: `python -m server shell`, or start an action server
for it: `python -m server actions`."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Tuple

# Before Rasa is imported: no telemetry, and TensorFlow's notices are of no use to an operator.
warnings.showwarning = lambda *args, **kwargs: None  # libraries set the filters back
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")

MODES = ("assistant", "shell", "actions")


def main(arguments: Tuple[str, ...] = ()) -> int:
    """Serve until it is stopped.

    Args:
        arguments: one of `MODES`, or nothing for the first.
    """
    from server.guard import TimedProtocol
    from server.settings import ROOT, SettingError, Settings, require_free_port

    mode = arguments[0] if arguments else MODES[0]
    if mode not in MODES or len(arguments) > 1:
        print(f"python -m server [{'|'.join(MODES[1:])}]", file=sys.stderr)
        return 2
    (ROOT / ".build").mkdir(exist_ok=True)
    os.umask(0o077)  # what is written from here on, nobody else on the machine reads
    try:
        settings = Settings.from_environment(port=5055 if mode == "actions" else 5005)
        from sanic import Sanic

        from server import logs, metrics

        errors = metrics.LoggedErrors()
        logs.configure(settings.log_level, errors)

        require_free_port(settings)
        if mode == "actions":
            from server import action_server

            app = action_server.create_app()
        else:
            from server.app import create_app

            app = create_app(settings)
            app.ctx.in_terminal = mode == "shell"
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2

    address = f"http://{settings.host}:{settings.port}"
    ready = {
        "assistant": f"MS & ALS Answers is ready: {address}/chat/",
        "actions": f"The actions of MS & ALS Answers are ready: {address}/webhook",
    }

    async def begin(app: Sanic, *_: object) -> None:
        logs.configure(settings.log_level, errors)  # Sanic and Rasa have set up handlers of their own by now
        if mode == "shell":
            app.add_task(talk_and_stop(app))
        else:
            print(ready[mode], flush=True)

    async def talk_and_stop(app: Sanic) -> None:
        from channels.shell import talk

        try:
            await talk(address)
        finally:
            app.stop()

    app.register_listener(begin, "after_server_start")
    app.run(host=settings.host, port=settings.port, workers=1, access_log=False, debug=False, protocol=TimedProtocol)
    return 0


if __name__ == "__main__":
    code = main(tuple(sys.argv[1:]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all is closed by now; Python would take seconds to free a gigabyte piece by piece
