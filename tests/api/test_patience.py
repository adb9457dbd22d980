import asyncio

from lfr.api.patience import Patience


async def test_to_the_application_a_deaf_client_looks_as_if_it_had_hung_up():
    heard = []

    async def deaf_send(message):
        await asyncio.Event().wait()

    async def silent_receive():
        await asyncio.Event().wait()

    async def application(scope, receive, send):
        sending = asyncio.create_task(send({"type": "http.response.body", "body": b"x", "more_body": True}))
        heard.append(await receive())
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    async with asyncio.timeout(5):
        scope = {"type": "http", "path": "/api/v1/events"}
        await Patience(0.05).handle(scope, silent_receive, deaf_send, application)
    assert heard == [{"type": "http.disconnect"}]


async def test_a_client_that_reads_is_left_alone():
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def application(scope, receive, send):
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.body", "body": b"x", "more_body": False})

    await Patience(0.05).handle({"type": "http", "path": "/"}, receive, send, application)
    assert len(sent) == 1
