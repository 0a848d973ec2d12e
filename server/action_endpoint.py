"""Where Rasa finds the actions: in this process, or at an action server.

Either way a failure ends in an apology with its disclaimer, never in silence.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Dict, Optional
from urllib.parse import urljoin

import aiohttp
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor

from actions.dialogue import apology
from replies.contract import Content, Outcome

logger = logging.getLogger(__name__)

#: An action server that has not answered by then is taken to be down.
TIMEOUT_SECONDS = 7.0
HEALTH_SECONDS = 2.0


def apology_response() -> Dict[str, Any]:
    """What an action server would return to apologise."""
    metadata = Content(Outcome.ERROR, answer=apology().answer).to_dict()
    return {"events": [], "responses": [{"response": "utter_reply", "metadata": metadata}]}


class _Apologising(EndpointConfig):
    def __init__(self, **kwargs: Any) -> None:
        # The actions read no domain, so it is not sent along.
        super().__init__(**{"enable_selective_domain": True, **kwargs})

    async def request(self, *args: Any, **kwargs: Any) -> Optional[Any]:
        try:
            result = await asyncio.wait_for(self._request(*args, **kwargs), TIMEOUT_SECONDS)
            if not isinstance(result, dict) or "responses" not in result:
                raise ValueError("no result of an action")
            return result
        except Exception as error:  # noqa: BLE001 - whatever failed, the person is told
            logger.error("The actions could not be run (%s).", type(error).__name__)
            return apology_response()

    async def _request(self, *args: Any, **kwargs: Any) -> Optional[Any]:
        raise NotImplementedError


class RemoteActions(_Apologising):
    """Actions behind `rasa run actions`, at `url`."""

    async def _request(self, *args: Any, **kwargs: Any) -> Optional[Any]:
        return await EndpointConfig.request(self, *args, **kwargs)

    async def check(self) -> None:
        """Ask the action server whether it is well, at `/health` beside the address of the actions.

        Raises:
            aiohttp.ClientError, asyncio.TimeoutError: when it is not, or not within two seconds.
        """
        limit = aiohttp.ClientTimeout(total=HEALTH_SECONDS)
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(urljoin(self.url, "health")) as answer:
            answer.raise_for_status()


class InProcessActions(_Apologising):
    """The actions of a package, run by `rasa_sdk`'s own executor without HTTP."""

    def __init__(self, package: str = "actions", **kwargs: Any) -> None:
        super().__init__(url="in-process", **kwargs)
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def _request(self, *args: Any, **kwargs: Any) -> Optional[Any]:
        return await self._executor.run(kwargs["json"])
