// A prediction as labels, bars and numbers.

import { Refusal } from "./api.js";
import { copyButton, element } from "./dom.js";

const MOST_BARS = 10, FIRST_NUMBERS = 8;

/** What a prediction says: by target its scores, the best first, or its vector; the inputs that were used. */
export function readPrediction(model, prediction) {
  const named = Array.isArray(prediction) ? { vector: prediction } : prediction;
  const several = Object.keys(model.targets).length > 1;
  const targets = Object.entries(model.targets).map(([name, labels]) => {
    if (!labels.length) return { name, vector: named.vector };
    const prefix = several ? `${name}_` : "";
    const given = named[`${prefix}scores`];
    if (given?.length !== labels.length) throw new Refusal("Another model answered than this page knows. Load it again.");
    const scores = labels.map((label, at) => ({ label, score: given[at] }));
    return { name, label: named[`${prefix}label`], scores: scores.sort((one, other) => other.score - one.score) };
  });
  return { targets, used: named.used };
}

/** An answer in a line, such as "positive 96.3 %". */
export function inShort(answer) {
  return answer.targets
    .map((target) => (target.vector ? `${target.vector.length} numbers` : `${target.label} ${percent(target.scores[0].score)}`))
    .join(", ");
}

/** A probability for people: never a false 0 % or 100 %. */
export function percent(score) {
  if (score > 0 && score < 0.0005) return "<0.1 %";
  if (score < 1 && score > 0.9995) return ">99.9 %";
  return `${(score * 100).toFixed(1)} %`;
}

/** Shows an answer. */
export function showAnswer(place, { model, answer, version, milliseconds }) {
  const several = answer.targets.length > 1;
  const shown = answer.targets.map((target) => (target.vector ? vector(target, several) : scores(target, several)));
  const facts = [["Round trip", took(milliseconds)], ["Version", version]];
  if (answer.used !== undefined && model.inputs.length > 1) facts.push(["Used", answer.used.split("+").join(" + ")]);
  place.classList.remove("waiting");
  place.replaceChildren(...shown, factList(facts));
}

/** Shows what an answer will look like, and how to get one. */
export function showWaiting(place, model, told) {
  const several = Object.keys(model.targets).length > 1;
  const shown = Object.entries(model.targets).map(([name, labels], at) => {
    const verdict = element("p", { class: "verdict" }, at ? "" : told);
    return targetSection(name, several, verdict, ...(labels.length ? emptyBars(name, labels) : vectorCode("[ … ]", [])));
  });
  const facts = [["Round trip", "–"], ["Version", model.version]];
  if (model.masked && model.inputs.length > 1) facts.push(["Used", "–"]);
  place.classList.add("waiting");
  place.replaceChildren(...shown, factList(facts));
}

function emptyBars(name, labels) {
  const target = { name, scores: labels.map((label) => ({ label })) };
  const list = barList(target.scores.slice(0, MOST_BARS), name);
  return [list, ...(labels.length > MOST_BARS ? [allButton(target, list)] : [])];
}

function took(milliseconds) {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

function targetSection(name, several, ...content) {
  const heading = several ? [element("h3", { dir: "auto" }, name)] : [];
  return element("section", { class: "target", "data-target": name }, ...heading, ...content);
}

function scores(target, several) {
  const best = target.scores[0];
  const verdict = element(
    "p",
    { class: "verdict" },
    element("bdi", { class: "label" }, target.label),
    number(best.score),
  );
  const list = barList(target.scores.slice(0, MOST_BARS), target.name);
  const more = target.scores.length > MOST_BARS ? [allButton(target, list)] : [];
  return targetSection(target.name, several, verdict, list, ...more);
}

function barList(scores, name) {
  return element("ol", { class: "bars", "aria-label": `Scores of ${name}, the highest first` }, ...scores.map(bar));
}

function bar({ label, score }) {
  const fill = element("span", { class: "fill" });
  fill.style.setProperty("--share", `${(score ?? 0) * 100}%`);
  const track = element("span", { class: "track", "aria-hidden": "true" }, fill);
  return element("li", {}, element("bdi", { class: "name" }, label), track, number(score));
}

function number(score) {
  if (score === undefined) return element("span", { class: "score" }, "–");
  return element("data", { class: "score", value: String(score), title: String(score) }, percent(score));
}

function allButton(target, list) {
  const names = [`Show all ${target.scores.length.toLocaleString("en")}`, `Show the first ${MOST_BARS}`];
  const button = element("button", { type: "button", class: "quiet low", "aria-expanded": "false" }, names[0]);
  button.addEventListener("click", () => {
    const all = button.getAttribute("aria-expanded") === "false";
    list.replaceChildren(...target.scores.slice(0, all ? undefined : MOST_BARS).map(bar));
    button.setAttribute("aria-expanded", String(all));
    button.textContent = names[Number(all)];
  });
  return button;
}

function vector(target, several) {
  const length = Math.hypot(...target.vector);
  const first = target.vector.slice(0, FIRST_NUMBERS).map((value) => value.toFixed(4));
  const rest = target.vector.length > FIRST_NUMBERS ? ", …" : "";
  const verdict = element(
    "p",
    { class: "verdict" },
    element("span", { class: "label" }, `${target.vector.length.toLocaleString("en")} numbers`),
    element("span", { class: "score" }, `Euclidean length ${length.toFixed(4)}`),
  );
  return targetSection(target.name, several, verdict, ...vectorCode(`[${first.join(", ")}${rest}]`, target.vector));
}

function vectorCode(text, values) {
  const shown = element("pre", { class: "code numbers", tabIndex: 0 }, element("code", {}, text));
  return [shown, copyButton(() => JSON.stringify(values), "Copy all")];
}

function factList(facts) {
  const pairs = facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)));
  return element("dl", { class: "facts" }, ...pairs);
}
