"""The page in a real browser before a real server: what a person types, chooses, sees and copies."""

import json
import re

import numpy as np
import pytest
from page_steps import answered, go, run_copied, shown
from page_toys import MANY, picture, sound

from kerasft.runtime import Predictor

HOSTILE = 'It\'s "quoted" & $HOME `id` $(id) \\n %s !! </script><b>x</b>\n\ttwo\r\nlines \U0001f3ac é \u202e film 中'


def test_a_text_is_answered_as_by_the_predictor(page, predictor):
    page.fill("textarea", "a quiet film")
    page.click("#send")
    wanted = predictor(["a quiet film"])[0]
    label, scores = shown(answered(page))
    assert label == wanted["label"]
    assert scores == pytest.approx(wanted["scores"], abs=1e-6)
    assert f"{max(wanted['scores'].values()) * 100:.1f} %" in page.inner_text("#answer .verdict")
    assert re.search(r"Round trip\s+[\d.]+ ms\s+Version\s+1", page.inner_text(".facts"))
    assert page.inner_text("#status").startswith(f"Answer: {label} ")
    page.fill("textarea", "another")
    assert page.inner_text("#stale") == "The input has changed since this answer."


def test_everything_can_be_done_from_the_keyboard(page, predictor):
    page.keyboard.type("no plot")
    page.keyboard.press("Control+Enter")
    assert shown(answered(page))[0] == predictor(["no plot"])[0]["label"]
    page.keyboard.press("Control+A")
    page.keyboard.type("good music")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Answer"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector("#history li:nth-child(2)")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("no plot"):
            break
    page.keyboard.press("Enter")
    assert page.input_value("textarea") == "no plot"
    assert shown(page)[1] == pytest.approx(predictor(["no plot"])[0]["scores"], abs=1e-6)


@pytest.mark.parametrize("text", [HOSTILE, "a film \ud83d", "a quiet film " * 12_000], ids=["marks", "half", "long"])
def test_the_copied_command_gives_the_same_answer_whatever_was_typed(page, tmp_path, text):
    page.evaluate("text => { document.querySelector('textarea').value = text }", text)
    page.locator("textarea").dispatch_event("input")
    page.click("#send")
    label, scores = shown(answered(page))
    found = run_copied(page, tmp_path)
    assert found["label"] == label
    assert sorted(found["scores"], reverse=True) == list(scores.values())
    assert page.locator("main b, main script").count() == 0
    page.click("#clear")
    page.click("#history button")
    if text is HOSTILE:
        assert page.input_value("textarea") == HOSTILE.replace("\r\n", "\n")
        body = json.loads(page.locator("#command").text_content().split("-d '")[1][:-1].replace("'\\''", "'"))
        assert body == {"instances": [HOSTILE.replace("\r\n", "\n")]}


def test_files_and_columns_with_two_targets(page, folder, tmp_path):
    random = np.random.default_rng(3)
    files = {"it's 100%.png": picture(random), "$HOME.wav": sound(random)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    go(page, MANY)
    assert page.locator("datalist option").evaluate_all("all => all.map((one) => one.value)") == ["l", "m", "s"]
    page.fill("textarea", "a 100% 'quiet' \\ film")
    for place, name in zip(page.locator("input[type=file]").all(), files, strict=True):
        place.set_input_files(tmp_path / name)
    page.get_by_label("price").fill("2.5")
    page.get_by_label("unit_size").fill("m")
    page.keyboard.press("Enter")
    answered(page)
    image, audio = files.values()
    columns = {"text": ["a 100% 'quiet' \\ film"], "image": [image], "audio": [audio]}
    wanted = Predictor(folder / MANY)({**columns, "price": [2.5], "unit size": ["m"]})[0]
    assert page.locator(".preview img").evaluate("one => one.naturalWidth") == 9
    assert page.inner_text(".facts").endswith("text + image + audio + tabular")
    page.click("text=Show all 12")
    found = run_copied(page, tmp_path)
    for target in ("season", "day"):
        label, scores = shown(page, target)
        assert label == wanted[target]["label"] == found[f"{target}_label"]
        assert scores == pytest.approx(wanted[target]["scores"], abs=1e-6)
        assert sorted(found[f"{target}_scores"], reverse=True) == list(scores.values())


def test_a_file_can_be_dropped_and_taken_away(page):
    go(page, MANY)
    drop = """(zone, data) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(data)], "dropped.png", { type: "image/png" }));
        zone.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""
    page.locator(".drop").first.evaluate(drop, list(picture(np.random.default_rng(0))))
    page.click("#send")
    assert answered(page).inner_text("#history").startswith("dropped.png")
    assert page.inner_text(".facts").endswith("image")
    page.click("[aria-label='Remove dropped.png']")
    assert page.evaluate("document.activeElement.type") == "file"
    page.click("#send")
    assert page.inner_text("#error").startswith("There is nothing to answer yet. Give one input or more")


def test_a_vector_is_shown_as_numbers_and_copied(page, folder):
    go(page, "vectors")
    page.fill("textarea", "a quiet film")
    page.keyboard.press("Control+Enter")
    vector = Predictor(folder / "vectors")(["a quiet film"])[0]["vector"]
    verdict = answered(page).inner_text(".verdict")
    assert "11 numbers" in verdict
    assert f"{np.linalg.norm(vector):.4f}" in verdict
    assert page.inner_text(".numbers") == f"[{', '.join(f'{value:.4f}' for value in vector[:8])}, …]"
    page.click("text=Copy all")
    page.wait_for_selector(".target .copy:has-text('Copied')")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == pytest.approx(vector)
