"""OpenAI's streaming chat completions on 127.0.0.1, in a thread: what a gateway or a local model would say."""

from __future__ import annotations

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Server(ThreadingHTTPServer):
    def shutdown_request(self, request):
        """Close without the polite goodbye first, so that a reset can be one."""
        self.close_request(request)


class ChatServer:
    """Answers every request with `words`, or with `status`; keeps what it was sent in `requests`."""

    def __init__(
        self, words=("All ", "good."), *, status=200, headers=None, cut_after=None, model="m-1", echo="", ends="close"
    ):
        self.words, self.status, self.headers = words, status, headers or {}
        self.cut_after, self.model, self.echo = cut_after, model, echo
        self.ends = ends
        """How a stream that is cut ends: `close`, `reset`, `hang` (until the client goes), or text to send first."""
        self.requests = []
        """(headers by lower-case name, JSON body) of each request."""

    def __enter__(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                fake.requests.append(({**headers, ":path": self.path}, body))
                fake.answer(self)

            def log_message(self, *_):
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def prompt(self):
        """The two messages of the last request: system, user."""
        return [message["content"] for message in self.requests[-1][1]["messages"]]

    def answer(self, handler):
        """Write the status and the stream."""
        handler.close_connection = True
        if self.status != 200:
            said = f"no: {handler.headers.get('authorization')} {self.echo}"
            body = json.dumps({"error": {"message": said, "type": "x", "code": "y"}}).encode()
            # Without this header the client would take its time before it asks again.
            handler.send_response(self.status)
            handler.send_header("retry-after-ms", "1")
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
            return
        handler.send_response(200)
        for name, value in {"content-type": "text/event-stream", "connection": "close", **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        for number, word in enumerate((*self.words, None)):
            if number == self.cut_after:
                self.cut(handler)
                return
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": self.model}
            chunk["choices"] = [
                {"index": 0, "delta": {"content": word}, "finish_reason": "stop" if word is None else None}
            ]
            handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            handler.wfile.flush()
        last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": self.model, "choices": []}
        handler.wfile.write(f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())

    def cut(self, handler):
        """End before the end."""
        if self.ends == "hang":
            handler.rfile.read(1)
        elif self.ends == "reset":
            # Closing with this option set sends RST instead of FIN.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self.ends != "close":
            handler.wfile.write(self.ends.encode())
