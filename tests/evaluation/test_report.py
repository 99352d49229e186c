import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from evaluation_data import multimodal_result, whole_result

from kerasft.evaluation.report import write_report

VOID = {"meta", "br", "img", "link", "input", "hr"}
LOADS = {"src", "href", "data", "action", "poster", "srcset", "xlink:href"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(HTMLParser):
    """Checks that tags are balanced, and keeps what a test asks for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.loads, self.ids, self.targets, self.words = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in LOADS:
                (self.targets if value.startswith("#") else self.loads).append(value.removeprefix("#"))
            if name == "id":
                self.ids.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def written(result, tmp_path):
    path = tmp_path / "report.html"
    write_report(result, path)
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    source = path.read_text(encoding="utf-8")
    return source, Page(source)


@pytest.mark.parametrize(("classes", "epochs"), [(2, 3), (5, 1), (12, 3), (60, 2)])
def test_a_whole_page_is_well_formed_and_loads_nothing(tmp_path, classes, epochs):
    source, page = written(whole_result(classes, epochs), tmp_path)
    assert page.loads == []
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert "url(" not in source
    assert "@import" not in source
    assert set(page.targets) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("svg") == 5  # intervals, calibration, loss, accuracy, learning rate


def test_texts_and_labels_of_users_are_escaped(tmp_path):
    source, page = written(whole_result(labels=["<i>bad</i>", '"><script>']), tmp_path)
    assert "script" not in page.tags
    assert "<i>" not in source
    assert "<b>" not in source.replace("<b><bdi>", "")
    assert '<script>alert("x")</script>' in page.text  # to be read, not run


def test_synthetic_figures_are_called_so_wherever_they_stand(tmp_path):
    source, page = written(whole_result(synthetic=True), tmp_path)
    assert "Synthetic data. Every figure on this page comes from generated texts." in page.text
    for heading in re.findall(r"<h2>(.*?)</h2>", source):
        if not heading.startswith(("Environment", "Configuration", "What to try", "Export parity")):
            assert "(synthetic data)" in heading
    assert "ynthetic" not in written(whole_result(), tmp_path)[1].text


def test_the_verdict_and_both_figures_head_the_page(tmp_path):
    result = whole_result()
    text = written(result, tmp_path)[1].text
    head = text[: text.index("Macro precision")]
    assert f"{result['metrics']['accuracy']:.2%}" in head
    assert f"tf-idf + logistic regression: {result['baselines']['tfidf_logreg']['accuracy']:.2%}" in head
    assert "the linear baseline" in head
    assert "12 texts are in both <train> and test." in head


def test_an_unequal_label_in_the_parity_table_is_marked(tmp_path):
    source, _ = written(whole_result(), tmp_path)
    assert re.search(r'class="yes">270<', source)
    assert re.search(r'class="no">269<', source)


@pytest.mark.parametrize("part", [name for name in whole_result() if name != "title"])
def test_any_part_may_be_missing(tmp_path, part):
    result = whole_result()
    del result[part]
    written(result, tmp_path)
    written({"title": "one part", part: whole_result()[part]}, tmp_path)


def test_an_empty_page_says_so(tmp_path):
    _, page = written({"title": "Nothing"}, tmp_path)
    assert "This run has no results yet." in page.text
    assert "svg" not in page.tags


def test_figures_may_be_missing_within_a_part(tmp_path):
    result = {
        "metrics": {"accuracy": 0.5},
        "baselines": {"majority": {"accuracy": 0.4}},
        "history": [{"loss": 1.0}, {"loss": float("nan"), "val_loss": None}],
        "parity": {"paths": {"ONNX": {"rows": 3}}},
        "data": {"warnings": []},
    }
    _, page = written(result, tmp_path)
    assert "50.00%" in page.text


def test_many_labels_give_a_table_of_confusions_for_the_matrix(tmp_path):
    source, page = written(whole_result(60), tmp_path)
    assert 'class="confusion' not in source
    assert "Most frequent confusions" in page.text
    assert "The 10 labels with the lowest F1" in page.text
    assert 'class="confusion' in written(whole_result(20), tmp_path)[0]


@pytest.fixture(scope="module")
def multimodal():
    return multimodal_result()


def test_several_targets_have_a_section_each_and_pictures_load_nothing(tmp_path, multimodal):
    source, page = written(multimodal, tmp_path)
    assert set(page.targets) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {"t1-target", "t2-target"} <= set(page.targets)
    assert page.loads
    assert all(one.startswith("data:image/png;base64,") for one in page.loads)
    assert "img-src data:" in source
    assert "script" not in page.tags
    assert source.count("<img ") == source.count(' alt="')
    assert 'alt="Picture of test row ' in source
    assert 'alt="Spectrogram of test row ' in source


def test_names_of_targets_columns_and_captions_are_escaped(tmp_path, multimodal):
    source, page = written(multimodal, tmp_path)
    for tag in ("<u>", "<i>", "<b>brand"):
        assert tag not in source
        assert tag in page.text
    assert "As seen & changed." in page.text


def test_several_targets_are_headed_by_their_mean_and_judged_by_it(tmp_path, multimodal):
    text = written(multimodal, tmp_path)[1].text
    head = text[: text.index("The targets")]
    assert "Mean macro F1 over 2 targets 65.00%" in head
    assert "of mean macro F1" in head
    assert "Test accuracy" not in head
    assert "38 test rows (2 without a label left out)" in text


def test_what_each_input_gives_is_told_with_the_loss(tmp_path, multimodal):
    text = written(multimodal, tmp_path)[1].text
    part = text[text.index("What each input gives") :]
    assert "text alone 50.00% 50.00% 50.00% -15.00" in part
    assert "without audio 60.00% 60.00% 60.00% -5.00" in part
    two = {**multimodal["modalities"], "all": {"x": 0.65, "mean": 0.65}}
    two["only"] = {name: {"x": 0.5, "mean": 0.5} for name in ("text", "image")}
    text = written({"modalities": two}, tmp_path)[1].text
    assert "text alone (without image) 50.00% -15.00" in text
    assert "mean" not in text[text.index("against all") :]


@pytest.mark.parametrize("part", [*multimodal_result(), "of a target"])
def test_any_part_of_several_targets_may_be_missing(tmp_path, multimodal, part):
    if part == "of a target":
        targets = {"a": {}, "b": {"metrics": {"accuracy": 0.5}}}
        written({**multimodal, "targets": targets}, tmp_path)
    else:
        written({name: value for name, value in multimodal.items() if name != part}, tmp_path)
        written({"title": "one part", part: multimodal[part]}, tmp_path)


def test_what_is_no_picture_is_not_shown(tmp_path):
    result = {
        "errors": [{"row": 1, "predicted": "a", "true": "b", "score": 0.9, "image": "http://example.com/a.png"}],
        "augmentation": [{"title": "x", "images": [["javascript:alert(1)", None]]}],
    }
    source, page = written(result, tmp_path)
    assert page.loads == []
    assert "example.com" not in source
    assert "Augmentation" not in source


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH to lay the page out with")
@pytest.mark.parametrize("classes", [2, 20, "several targets"])
def test_the_page_is_no_wider_than_a_phone(tmp_path, multimodal, classes):
    path = tmp_path / "report.html"
    if classes == "several targets":
        write_report(multimodal, path)
    else:
        write_report(whole_result(classes, labels=[f"{'long' * 12}{i}" for i in range(classes)]), path)
    source = path.read_text(encoding="utf-8").replace("default-src 'none'", "default-src 'unsafe-inline'")
    # A window of Chromium is at least 500 wide; a frame inside may be as narrow as a phone.
    source = source.replace(
        "</body>",
        "<script>const root = document.documentElement; const fits = root.scrollWidth <= window.innerWidth;"
        "root.setAttribute('data-fits', fits ? 'yes' : root.scrollWidth);</script></body>",
    )
    path.write_text(source, encoding="utf-8")
    (tmp_path / "frame.html").write_text(
        '<iframe id="phone" src="report.html" width="400" height="900"></iframe><script>'
        "onload = () => { document.body.setAttribute('data-result',"
        " document.getElementById('phone').contentDocument.documentElement.getAttribute('data-fits')); }</script>"
    )
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--allow-file-access-from-files", "--virtual-time-budget=4000", "--dump-dom"]
    page = (tmp_path / "frame.html").as_uri()
    done = subprocess.run([*command, page], capture_output=True, text=True, timeout=120, check=False)
    assert 'data-result="yes"' in done.stdout
