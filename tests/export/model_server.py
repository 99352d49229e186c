"""A TensorFlow Serving process on this machine: started, waited for, asked, and stopped by its own pid."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request

BINARY = "tensorflow_model_server"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class ModelServer:
    """Serves the bundle in a folder under a name while the block runs.

    Args:
        binary: the program.
        name: of the model.
        folder: with version folders in it.
        log: where the program's output goes.
        patience: seconds until a version must be there.
    """

    def __init__(self, binary, name, folder, log, patience=120):
        self.name, self.log, self.patience = name, log, patience
        self.url = f"http://127.0.0.1:{free_port()}/v1/models/{name}"
        self.command = [
            str(binary), f"--rest_api_port={self.url.split(':')[2].split('/')[0]}", f"--port={free_port()}",
            f"--model_name={name}", f"--model_base_path={folder}",
        ]  # fmt: skip

    def __enter__(self):
        with open(self.log, "wb") as file:
            self.process = subprocess.Popen(self.command, stdout=file, stderr=subprocess.STDOUT)
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def _wait(self):
        self.seen = []  # the states that the version went through
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
            states = self._states()
            self.seen += [state for state in states if state not in self.seen]
            if "AVAILABLE" in states:
                return
            time.sleep(0.2)
        raise RuntimeError(f"no version became available: {self.log.read_text()[-2000:]}")

    def _states(self):
        try:
            status, found = self.get("")
        except (urllib.error.URLError, ConnectionError):
            return []
        return [one["state"] for one in found["model_version_status"]] if status == 200 else []

    def _stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path):
        """Status and content of a GET below the model's address."""
        return self._ask(urllib.request.Request(self.url + path))

    def predict(self, body, version=""):
        """Status and content of a predict request; `version` such as "/versions/1"."""
        return self._ask(urllib.request.Request(f"{self.url}{version}:predict", json.dumps(body).encode()))

    def _ask(self, request):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
