"""The page for photographs, asked in this process, with results that are made in it as well."""

import time

from rainopt.app.kinds import result_suffix
from rainopt.app.methods import methods_with
from rainopt.commands.solver_methods import own_methods
from rainopt.studio.app import studio_app
from rainopt.studio.bench import Bench
from rainopt.studio.looks import Looks
from rainopt.studio.pictures import MOST_BYTES, Named
from rainopt.studio.session import Session
from rainopt.studio.worker import GivenUpError, JobError
from rainopt.web.access import Access
from tests.support.pages import client_of

HERE = {"content-type": "application/octet-stream"}


class BenchHere(Bench):
    """A queue before a thread of this process, so that no test waits for another to start."""

    def _done(self, work):
        return work.task(work.source, work.target)


class WorkerHere:
    """A worker whose process is this one."""

    runs = False

    def __init__(self):
        self.stopped = False

    def run(self, job, tell, wanted):
        self.stopped = False
        if not wanted():
            raise GivenUpError

        def advance(share):
            if self.stopped:
                raise GivenUpError
            tell(share)

        try:
            return job(advance)
        except GivenUpError:
            raise
        except Exception as error:
            raise JobError(str(error)) from error

    def stop(self):
        self.stopped = True

    def end(self):
        pass

    close = stop


def session_of(*sources, output=None, methods=()):
    """Return a session of named files, whose results go beside them or into a folder; with further ``methods``."""
    named = [Named(one, (output or one.parent) / f"{one.stem}_dry{result_suffix(one)}") for one in sources]
    return Session(methods_with([*own_methods(), *methods]), named, BenchHere(), Looks(WorkerHere()))


class Studio:
    """A session and its page."""

    def __init__(self, session):
        self.session = session
        self.client = client_of(studio_app(session, Access(max_body=MOST_BYTES)))

    def post(self, path, **body):
        return self.client.post(path, json=body)

    def ask(self, path, **body):
        answer = self.post(path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload(self, name, content):
        return self.client.post(f"/api/pictures?name={name}", content=content, headers=HERE)

    def result(self, number, asked):
        """Have a result made, and return the number of its work."""
        told = self.ask(f"/api/pictures/{number}/full", asked=asked)
        end = time.monotonic() + 60
        while told["state"] == "running":
            assert time.monotonic() < end
            told = self.client.get(f"/api/work/{told['work']}").json()
        assert (told["state"], told["error"]) == ("done", None)
        return told["work"]
