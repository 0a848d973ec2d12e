"""Start the assistant: `python -m server`."""

from __future__ import annotations

import os
import sys

# Before Rasa is imported: no telemetry, and TensorFlow's notices are of no use to an operator.
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")


def main() -> int:
    from server.settings import SettingError, Settings

    try:
        settings = Settings.from_environment()
        from server.app import create_app, require_free_port

        require_free_port(settings)
        app = create_app(settings)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2

    async def announce(*_: object) -> None:
        print(f"MS & ALS Answers is ready: http://{settings.host}:{settings.port}/chat", flush=True)

    app.register_listener(announce, "after_server_start")
    app.run(host=settings.host, port=settings.port, workers=1, access_log=False, debug=False)
    return 0


if __name__ == "__main__":
    import warnings

    warnings.filterwarnings("ignore")
    sys.exit(main())
