"""What a person does and sees on the page."""

import json
import subprocess


def go(page, model):
    page.select_option("#model", model)
    page.wait_for_selector(f"h1:has-text('{model[:5]}')")


def answered(page):
    page.wait_for_selector("#answer:not(.waiting)")
    return page


def shown(page, target="label"):
    """The label and the scores by label that are shown for a target."""
    place = page.locator(f"[data-target='{target}']")
    names = place.locator(".bars .name").all_inner_texts()
    scores = [float(one.get_attribute("value")) for one in place.locator(".bars .score").all()]
    assert scores == sorted(scores, reverse=True)
    return place.locator(".label").inner_text(), dict(zip(names, scores, strict=True))


def run_copied(page, folder):
    """What the copied command answers, run by bash in a folder."""
    page.click(".shell .copy")
    page.wait_for_selector(".shell .copy:has-text('Copied')")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == page.locator("#command").text_content()
    done = subprocess.run(["bash"], input=command, capture_output=True, text=True, check=True, cwd=folder, timeout=30)
    return json.loads(done.stdout)["predictions"][0]
