"""A stand-in for `tensorflow_model_server`: it takes the same options and speaks the same REST, as far as tests ask.

It shows that starting, waiting, asking and stopping work. Of the real server it shows nothing but what rest_rules.py
says of it.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rest_rules import RefusedError, Served

OPTIONS = ("rest_api_port", "port", "model_name", "model_base_path")


class Handler(BaseHTTPRequestHandler):
    """One request; `options`, `served` and `version` are set below."""

    served = None

    def do_GET(self):
        if self.path != f"/v1/models/{self.options['model_name']}":
            return self.send(404, {"error": "Could not find any versions of model"})
        state = "LOADING" if self.served is None else "AVAILABLE"
        status = {"version": self.version, "state": state, "status": {"error_code": "OK", "error_message": ""}}
        return self.send(200, {"model_version_status": [status]})

    def do_POST(self):
        model = f"/v1/models/{self.options['model_name']}"
        if self.path not in (f"{model}:predict", f"{model}/versions/{self.version}:predict"):
            return self.send(404, {"error": "Servable not found for request"})
        try:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            return self.send(200, self.served.answer(body))
        except (RefusedError, ValueError) as error:
            return self.send(400, {"error": str(error)})

    def send(self, code, content):
        data = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def main():
    options = dict(argument.removeprefix("--").split("=", 1) for argument in sys.argv[1:])
    if set(options) != set(OPTIONS):
        sys.exit(f"unknown or missing options: {sys.argv[1:]}")
    versions = sorted(int(path.name) for path in Path(options["model_base_path"]).iterdir() if path.name.isdigit())
    Handler.options, Handler.version = options, str(versions[-1])
    server = ThreadingHTTPServer(("127.0.0.1", int(options["rest_api_port"])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.served = Served(str(Path(options["model_base_path"]) / Handler.version))
    threading.Event().wait()  # until it is terminated


if __name__ == "__main__":
    main()
