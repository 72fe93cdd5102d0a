"""Sends the webhooks that are due."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context

from stt.errors import SttError
from stt.jobs.deliveries import Delivery
from stt.jobs.desk import Desk
from stt.jobs.records import Job
from stt.jobs.webhooks import end_of_job, next_attempt

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0
AT_ONCE = 4
"""Receivers that are called at the same time."""


class Deliverer:
    """Sends webhooks until it is closed."""

    def __init__(self, desk: Desk, render: Callable[[Job], str]) -> None:
        """``render`` writes a job as JSON, without its text."""
        self._desk, self._render = desk, render
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._tasks = [asyncio.create_task(self._work(), context=Context()) for _ in range(AT_ONCE)]

    async def close(self) -> None:
        """Drop what is being sent; it is sent again later."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _work(self) -> None:
        while True:
            delivery = None
            try:
                if self._desk.is_open:
                    delivery = await self._desk.call(self._desk.deliveries.claim)
                if delivery is not None:
                    await self._attempt(delivery)
            except SttError as error:
                logger.warning("webhooks wait: %s", error.message, exc_info=error.__cause__)
            except Exception:
                logger.exception("sending webhooks failed; trying again")
            if delivery is None:
                await asyncio.sleep(POLL_SECONDS)

    async def _attempt(self, delivery: Delivery) -> None:
        job = delivery.job
        if job.ended is None:
            raise ValueError("only jobs that have ended are reported")
        message = end_of_job(job.id, delivery.url, job.state, job.ended, self._render(job))
        attempt = await self._desk.webhooks.attempt(message, time.time())
        now = time.time()
        chance = random.random()  # noqa: S311  # spreads load, hides nothing
        following = next_attempt(attempt, delivery.n_attempts, now, chance)
        await self._desk.call(lambda: self._desk.deliveries.settle(delivery, following))
        extra = {"job": job.id, "attempt": delivery.n_attempts, "status": attempt.status}
        logger.info("webhook %s", attempt.result, extra=extra)
