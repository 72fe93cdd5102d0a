"""The end of a job reaches a real receiver, through the table of webhooks."""

import asyncio
import json
from pathlib import Path

from standardwebhooks import Webhook

from stt.jobs.deliverer import Deliverer
from stt.jobs.desk import Desk
from stt.jobs.records import Quota
from stt.jobs.runner import Runner
from stt.jobs.webhooks import Webhooks
from stt.server.job_bodies import JobSummary
from stt.settings.signing import parse_secret
from tests.unit.jobs.test_runner import ORDER, NoFetcher, Recogniser, replace
from tests.unit.jobs.web import Site, outbound, says, serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_receiver_that_fails_at_first_hears_of_each_job_once(tmp_path: Path) -> None:
    async def main() -> tuple[Site, str]:
        failure, success = says(status="503 Later"), says(status="204 No Content")
        async with serving(failure, success) as site:
            calls = outbound(f"http://a.test:{site.port}")
            desk = Desk(
                tmp_path, None, lease_seconds=15, most_attempts=3, keep_seconds=1000,
                quota=Quota(100, 10**9), fetcher=NoFetcher(),
                webhooks=Webhooks(calls, [parse_secret(SECRET)], timeout_seconds=5),
            )  # fmt: skip
            runner = Runner(desk, Recogniser(), at_once=1)
            deliverer = Deliverer(desk, lambda job: JobSummary.of(job).model_dump_json())
            desk.start()
            runner.start()
            deliverer.start()
            order = replace(ORDER, webhook_url=f"http://a.test:{site.port}/hook")
            job = await desk.accept("", order, (tmp_path / "a").open("w+b"), None)
            async with asyncio.timeout(30):
                while len(site.requests) < 2:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            await deliverer.close()
            await runner.close()
            await desk.close()
            return site, job.id

    site, job_id = asyncio.run(main())
    ids = set()
    for request in site.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
        headers = {name.lower(): value for name, value in lines}
        Webhook(SECRET).verify(body, headers)
        ids.add(headers["webhook-id"])
        message = json.loads(body)
        assert message["type"] == "job.succeeded"
        assert message["data"]["id"] == job_id and "text" not in message["data"]
    assert len(site.requests) == 2 and len(ids) == 1
