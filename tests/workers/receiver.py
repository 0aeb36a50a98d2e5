"""A receiver of webhooks: a real HTTP server on loopback, that answers as a test says."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """What was received, and what is answered.

    Attributes:
        url: Where it listens.
        received: (path, headers, body) of each request.
        answers: Statuses to come, each once; then 204.
        body: Of every answer.
        location: Where redirects lead.
        wait_s: Before an answer.
    """

    def __init__(self):
        self.received, self.answers = [], []
        self.body, self.location, self.wait_s = b"", "", 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((self.path, dict(self.headers), body))
                time.sleep(receiver.wait_s)
                with contextlib.suppress(OSError):
                    self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                    if receiver.location:
                        self.send_header("location", receiver.location)
                    self.send_header("content-length", str(len(receiver.body)))
                    self.end_headers()
                    self.wfile.write(receiver.body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    @contextlib.contextmanager
    def run(self):
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
