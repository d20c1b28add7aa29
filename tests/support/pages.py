"""A page's application, asked as its own browser would ask, or as a stranger's."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx

ADDRESS = "http://127.0.0.1:8000"


class Client:
    """Asks an application in this process, one request after the other, and keeps cookies."""

    def __init__(self, app, address, headers):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=address, headers=headers)

    def request(self, method, path, **options):
        # In a thread of its own: Playwright leaves a loop running in that of the tests.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(self._client.request(method, path, **options))).result()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)


def client_of(app, address=ADDRESS, own=True):
    """Return a client of an application that takes itself to be bound at an address."""
    return Client(app, address, {"origin": address, "sec-fetch-site": "same-origin"} if own else {})
