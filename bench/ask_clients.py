"""Who is asked: the ask function or a peer's chain, in processes each of which answers one question at a time."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol
from urllib.request import urlopen

from bench.peers.comparison import PYTHON
from local import ROOT
from local.environment import Configuration, Environment
from local.proxy_format import Request, build_event

JSON = [("Content-Type", "application/json")]


class Client(Protocol):
    def ask(self, question: str) -> tuple[float, Mapping[str, Any]]:
        """Milliseconds until there was a reply, and its body. Raises RuntimeError if it is no answer."""

    def stop(self) -> None: ...


class FunctionClient:
    """Lambda's part: an environment that stays warm, and API Gateway's event."""

    def __init__(self, configuration: Configuration) -> None:
        self._environment = Environment(configuration)

    def ask(self, question: str) -> tuple[float, Mapping[str, Any]]:
        body = json.dumps({"question": question}).encode()
        event = build_event(Request("POST", "/ask", JSON, body, "127.0.0.1"), {})
        began = perf_counter()
        reply = self._environment.invoke(event)
        milliseconds = _since(began)
        if reply["statusCode"] != 200:
            raise RuntimeError(f"the function answered {reply['statusCode']}")
        answer: dict[str, Any] = json.loads(reply["body"])
        return milliseconds, answer

    def stop(self) -> None:
        self._environment.stop()


class PeerClient:
    """A program of bench.peers that serves questions. The first time, it fills its tables."""

    def __init__(self, program: str, arguments: Sequence[str], *, home: Path, log_file: Path) -> None:
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [PYTHON, "-m", f"bench.peers.{program}", *arguments],
                cwd=ROOT,
                env={"PATH": os.defpath, "HOME": str(home)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._line()

    def ask(self, question: str) -> tuple[float, Mapping[str, Any]]:
        assert self._process.stdin is not None  # noqa: S101
        line = f"{json.dumps(question)}\n"
        began = perf_counter()
        self._process.stdin.write(line)
        self._process.stdin.flush()
        reply = self._line()
        return _since(began), {"answer": json.loads(reply)}

    def stop(self) -> None:
        """It ends when its questions do."""
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a peer's program ended")
        return line


@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds of the whole call, and those of the model in it, as the model's server measured them."""

    whole_ms: float
    model_ms: float
    body: Mapping[str, Any]

    @property
    def overhead_ms(self) -> float:
        return self.whole_ms - self.model_ms


@dataclass(frozen=True, slots=True)
class System:
    """As many clients as are asked at the same time, each by the URL below which its model is."""

    clients: Mapping[str, Client]

    def ask(self, questions: Sequence[str]) -> list[Asked]:
        """Each client takes its share of them, one after the other."""
        urls = list(self.clients)
        shares = [questions[number :: len(urls)] for number in range(len(urls))]
        with ThreadPoolExecutor(len(urls)) as pool:
            return [asked for part in pool.map(self._ask_each, urls, shares) for asked in part]

    def ask_everyone(self, questions: Sequence[str]) -> None:
        """Each client gets all of them: so it is warm."""
        with ThreadPoolExecutor(len(self.clients)) as pool:
            list(pool.map(self._ask_each, self.clients, repeat(questions)))

    def stop(self) -> None:
        for client in self.clients.values():
            client.stop()

    def _ask_each(self, url: str, questions: Sequence[str]) -> list[Asked]:
        return [_timed(self.clients[url], url, question) for question in questions]


def _timed(client: Client, url: str, question: str) -> Asked:
    whole_ms, body = client.ask(question)
    with urlopen(f"{url}/taken") as reply:  # noqa: S310  # our own server
        return Asked(whole_ms, json.load(reply)["ms"], body)


def _since(began: float) -> float:
    return (perf_counter() - began) * 1000
