"""Three bundles, a server of them in its own process, and a browser before it."""

import re
import shutil
import subprocess
import sys

import pytest
from page_toys import CARD, MANY, several_inputs, vectors

from kerasft.export.bundle import write_onnx_folder

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def folder(bundle, tmp_path_factory):
    """A folder of three bundles: a text's, several inputs', an embedding's."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(bundle, folder / "films")
    (folder / "films" / "1" / "MODEL_CARD.md").write_text(CARD)
    write_onnx_folder(several_inputs(), folder / MANY / "1" / "onnx", "many")
    write_onnx_folder(vectors(), folder / "vectors" / "1" / "onnx", "vectors")
    return folder


@pytest.fixture(scope="module")
def url(folder):
    """Where a server of the folder listens."""
    command = [sys.executable, "-m", "apps.serve", str(folder), "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            lines = []
            for line in server.stderr:
                lines.append(line)
                if found := re.match(r"Try it: (\S+)", line):
                    break
            else:
                pytest.fail("the server did not start: " + "".join(lines))
            yield found[1]
        finally:
            server.terminate()
            server.communicate(timeout=20)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, url):
    """An open page of the first model; it asks no other origin, and its console stays silent."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read"], reduced_motion="reduce"
    )
    page = context.new_page()
    asked, told = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("console", lambda message: told.append(message.text))
    page.set_default_timeout(10_000)
    page.goto(f"{url}/#films")
    page.wait_for_selector("textarea")
    yield page
    context.close()
    assert [one for one in asked if not one.startswith((url, "blob:", "data:"))] == []
    assert [one for one in told if not one.startswith("Failed to load resource")] == []  # a status of 400 or more
