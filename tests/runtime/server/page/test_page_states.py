"""The page when there is no answer, on a phone, with a card, at an address; what it lets a browser do."""

import json
import re
import urllib.request

import pytest
from page_steps import answered, go
from page_toys import MANY

BUSY = {"status": 429, "headers": {"retry-after": "2"}, "body": '{"error": "the server is busy."}'}


def test_what_the_server_refuses_is_told_beside_the_form(page, tmp_path):
    go(page, MANY)
    page.get_by_label("price").fill("much")
    page.keyboard.press("Enter")
    page.wait_for_selector("#error:not(:empty)")
    assert page.inner_text("#error").startswith(
        "'price' must be a number, or null where there is none. Received: 'much'"
    )
    assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert page.locator("[aria-invalid]").count() == 1
    page.keyboard.type("!")
    assert page.inner_text("#error") == ""
    page.click("#clear")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    page.set_input_files("input[accept='image/*']", tmp_path / "broken.png")
    page.click("#send")
    page.wait_for_selector("#error:not(:empty)")
    assert "Image: the png image is damaged or cut off" in page.inner_text("#error")
    assert page.evaluate("document.activeElement.accept") == "image/*"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (BUSY, "The server is busy. It asks to wait for 2 s."),
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, "The server's answer cannot be read (HTTP 502)."),
        (None, "There is no connection to 127.0.0.1:"),
        ({"status": 200, "body": '{"predictions": [{"scores": [1], "label": "x"}]}'}, "Another model answered than"),
    ],
    ids=["busy", "no JSON", "no connection", "another model"],
)
def test_a_server_that_cannot_answer(page, answer, told):
    page.route("**/*:predict", lambda route: route.fulfill(**answer) if answer else route.abort())
    page.fill("textarea", "a film")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#error:not(:empty)")
    assert page.inner_text("#error").startswith(told)
    assert page.inner_text(".verdict") == "No answer."
    page.unroute("**/*:predict")
    page.click("#send")
    assert answered(page).inner_text("#error") == ""


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, r"No answer from the server\s+There is no connection to 127"),
        ('{"models": []}', r"No model is served\s+The server runs, but no version"),
    ],
    ids=["no connection", "no model"],
)
def test_a_page_without_a_model(page, answer, told):
    page.route("**/models", lambda route: route.fulfill(body=answer) if answer else route.abort())
    page.reload()
    page.wait_for_selector("#notice:not(:empty)")
    assert re.match(told, page.inner_text("main"))
    assert not page.is_visible("#work")
    page.keyboard.press("Control+Enter")


def test_a_new_version_is_seen_on_coming_back(page, url):
    with urllib.request.urlopen(f"{url}/models") as response:
        found = json.load(response)
    found["models"][0]["version"] = "7"
    page.fill("textarea", "kept")
    page.route("**/models", lambda route: route.fulfill(json=found))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("#about:has-text('Version 7')")
    assert page.input_value("textarea") == "kept"


def test_an_answer_tells_the_version_that_gave_it(page):
    def answer_as_another(route):
        found = route.fetch()
        route.fulfill(response=found, headers={**found.headers, "x-model-version": "7"})

    page.route("**/*:predict", answer_as_another)
    page.fill("textarea", "a quiet film")
    page.click("#send")
    answered(page)
    assert re.search(r"Version\s+7", page.inner_text(".facts"))
    assert page.inner_text("#about").startswith("Version 1 ")


def test_an_empty_form_says_what_to_do(page):
    assert page.inner_text(".verdict") == "Type a text, then press Answer."
    page.click("#send")
    assert page.inner_text("#error") == "There is nothing to answer yet. Type a text, then press Answer."
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_overflows(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for model in ("films", MANY, "vectors"):
        go(page, model)
        page.fill("textarea", "longword" * 200)
        page.keyboard.press("Control+Enter")
        answered(page)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth") <= page.evaluate(f"{root}.clientWidth")


def test_on_a_phone_the_answer_is_brought_into_view(page):
    page.set_viewport_size({"width": 360, "height": 640})
    go(page, MANY)
    page.fill("textarea", "a quiet film")
    page.click("#send")
    assert 0 <= answered(page).locator("#answer .label").first.bounding_box()["y"] < 600


def test_the_layout_stays_where_it_is(page):
    where = "Math.round(document.querySelector('.shell').getBoundingClientRect().top + scrollY)"
    for model in ("films", MANY):
        go(page, model)
        before = page.evaluate(where)
        page.fill("textarea", "a quiet film")
        page.click("#send")
        assert answered(page).evaluate(where) == before


def test_the_card_is_text(page):
    card = page.locator("#card")
    assert card.locator("h3").inner_text() == "films_of a card"
    assert card.locator("p").first.inner_text() == (
        "A quiet model with a link (https://elsewhere.invalid/x) and <img src=x onerror=alert(1)>."
    )
    assert card.locator("img, a").count() == 0
    assert card.locator("td").all_inner_texts() == ["a | b", "1,000"]
    assert card.locator("li").all_inner_texts() == ["one", "two"]
    assert card.locator("pre").first.inner_text() == 'print("</pre>")'
    assert not card.get_by_text("license: mit").is_visible()


def test_a_model_has_an_address(page, url):
    page.fill("textarea", "kept")
    go(page, "vectors")
    assert page.url == f"{url}/#vectors"
    assert page.input_value("textarea") == "kept"
    page.go_back()
    page.wait_for_selector("h1:has-text('films')")
    page.goto(f"{url}/#nowhere")
    page.wait_for_selector("#notice:has-text('No model is called nowhere here.')")


def test_the_page_allows_no_script_but_its_own(url):
    with urllib.request.urlopen(url) as response:
        policy, html = response.headers["content-security-policy"], response.read().decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style| style=| on\w+=", html)
