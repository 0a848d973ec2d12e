"""Start the assistant: `python -m server`, or talk to it at once: `python -m server shell`."""

from __future__ import annotations

import os
import sys
import warnings

# Before Rasa is imported: no telemetry, and TensorFlow's notices are of no use to an operator.
warnings.showwarning = lambda *args, **kwargs: None  # libraries set the filters back
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")


def main() -> int:
    from server.settings import SettingError, Settings

    try:
        settings = Settings.from_environment()
        from sanic import Sanic

        from channels.shell import talk
        from server import logs
        from server.app import create_app, require_free_port

        logs.configure()

        require_free_port(settings)
        app = create_app(settings)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2

    address = f"http://{settings.host}:{settings.port}"

    async def announce(*_: object) -> None:
        logs.configure()  # Sanic and Rasa have set up handlers of their own by now
        print(f"MS & ALS Answers is ready: {address}/chat/", flush=True)

    async def shell(app: Sanic, *_: object) -> None:
        logs.configure()

        async def talk_and_stop() -> None:
            try:
                await talk(address)
            finally:
                app.stop()

        app.add_task(talk_and_stop())

    app.register_listener(shell if "shell" in sys.argv[1:] else announce, "after_server_start")
    app.run(host=settings.host, port=settings.port, workers=1, access_log=False, debug=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
