// The page: chooses a model, sends what is in its fields, shows the answer.

import { inShort, readPrediction, showAnswer, showWaiting } from "./answer.js";
import { Refusal, base64, listModels, predict, predictUrl } from "./api.js";
import { cardNodes } from "./card.js";
import { curlCommand } from "./curl.js";
import { announce, copyButton, element } from "./dom.js";
import { buildFields } from "./fields.js";

const MOST_HISTORY = 8;
const at = (id) => document.getElementById(id);
const state = { models: [], model: null, fields: null, pending: null, shown: "", history: [] };

start();

async function start() {
  listen();
  try {
    state.models = await listModels();
  } catch (error) {
    at("name").textContent = "No answer from the server";
    at("notice").textContent = error.message;
    return;
  } finally {
    at("main").setAttribute("aria-busy", "false");
  }
  if (!state.models.length) {
    at("name").textContent = "No model is served";
    at("notice").textContent = "The server runs, but no version of a model is loaded. Its log says why; /readyz tells when.";
    return;
  }
  at("work").hidden = false;
  at("chooser").hidden = state.models.length < 2;
  at("model").replaceChildren(...state.models.map(({ name }) => element("option", { value: name }, name)));
  follow();
  if (matchMedia("(hover: hover)").matches) state.fields.focus();
}

function listen() {
  at("modifier").textContent = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl";
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  at("clear").addEventListener("click", clear);
  at("copy-command").replaceWith(copyButton(() => at("command").textContent));
  at("model").addEventListener("change", () => (location.hash = encodeURIComponent(at("model").value)));
  addEventListener("hashchange", follow);
  document.addEventListener("visibilitychange", refresh);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !state.model) return;
    event.preventDefault();
    send();
  });
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
}

/** Shows the model that the address names, else the first. */
function follow() {
  const wanted = fromHash();
  const found = state.models.find(({ name }) => name === wanted);
  at("notice").textContent = wanted && !found ? `No model is called ${wanted} here.` : "";
  show(found ?? state.models[0]);
}

function fromHash() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}

/** Takes over what is served now, when a person comes back to the page. */
async function refresh() {
  if (document.visibilityState !== "visible" || !state.model) return;
  const found = await listModels().catch(() => []);
  const same = found.find(({ name }) => name === state.model.name);
  if (same && JSON.stringify(same) !== JSON.stringify(state.model)) show(same);
}

function show(model) {
  if (model === state.model) return;
  const before = state.fields?.values() ?? new Map();
  state.pending?.abort();
  state.model = model;
  state.models = state.models.map((one) => (one.name === model.name ? model : one));
  document.title = `${model.name} – kerasft`;
  at("model").value = model.name;
  at("name").textContent = model.name;
  at("about").textContent = about(model);
  state.fields = buildFields(at("fields"), model, changed);
  state.fields.restore(before); // what has the same name is asked of the other model as it is
  at("card-panel").hidden = !model.card;
  at("card").replaceChildren(...cardNodes(model.card));
  reset(todo(model));
  showCommand();
}

function about({ inputs, targets, version }) {
  const taken = inputs.map(({ key, kind }) => (kind === "bytes" ? key.replace(/_bytes$/, "") : key)).join(", ");
  const given = Object.entries(targets).map(([name, labels]) => {
    return labels.length ? `${labels.length.toLocaleString("en")} labels${several(targets) ? ` of ${name}` : ""}` : "a vector";
  });
  return `Version ${version} · from ${taken} to ${given.join(" and ")}`;
}

function several(targets) {
  return Object.keys(targets).length > 1;
}

function todo({ inputs, masked }) {
  const alone = { text: "Type a text", bytes: "Choose a file" };
  if (inputs.length === 1) return `${alone[inputs[0].kind] ?? "Fill in the field"}, then press Answer.`;
  return masked ? "Give one input or more, then press Answer." : "Fill in the fields, then press Answer.";
}

function changed() {
  at("error").textContent = "";
  state.fields.mark("");
  showCommand();
  if (state.shown) at("stale").textContent = signature() === state.shown ? "" : "The input has changed since this answer.";
}

function signature() {
  const told = ([key, value]) => [key, value instanceof File ? [value.name, value.size, value.lastModified] : value];
  return JSON.stringify([...state.fields.values()].map(told));
}

function showCommand() {
  const values = state.fields.typed();
  const alone = state.model.inputs.length === 1;
  const example = alone && !values.length && state.model.inputs[0].kind === "text" ? [["", "A text."]] : values;
  const files = values.some(([, value]) => value instanceof File);
  at("command").textContent = example.length || !alone ? curlCommand(predictUrl(state.model), example, alone) : "";
  at("command-note").textContent = files
    ? "To be run where the files lie; for bash, zsh or sh."
    : "Written as you type; for bash, zsh or sh.";
}

function clear() {
  state.pending?.abort();
  state.fields.restore(new Map());
  changed();
  reset(todo(state.model));
  state.fields.focus();
}

function reset(told) {
  state.shown = "";
  at("stale").textContent = "";
  at("error").textContent = "";
  showWaiting(at("answer"), state.model, told);
}

async function send() {
  if (state.pending) return;
  const { model, fields } = state;
  const asked = { model, values: fields.values(), signature: signature() };
  if (!asked.values.size) return refuse(`There is nothing to answer yet. ${todo(model)}`, fields.all[0].control);
  state.pending = new AbortController();
  busy(true);
  try {
    const instance = await instanceOf(model, fields.typed());
    const { prediction, ...facts } = await predict(model, instance, state.pending.signal);
    done({ ...asked, ...facts, answer: readPrediction(model, prediction) });
  } catch (error) {
    if (error.name === "AbortError") return;
    refuse(error.message, fields.mark(error.message));
    if (!(error instanceof Refusal)) throw error;
  } finally {
    state.pending = null;
    busy(false);
  }
}

function busy(is) {
  at("send").setAttribute("aria-busy", String(is));
  at("send").textContent = is ? "Asking …" : "Answer";
}

async function instanceOf(model, values) {
  const encoded = await Promise.all(
    values.map(async ([key, value]) => [key, value instanceof File ? { b64: await base64(value) } : value]),
  );
  return model.inputs.length === 1 ? encoded[0][1] : Object.fromEntries(encoded);
}

function refuse(message, control) {
  reset("No answer.");
  at("error").textContent = message;
  control?.focus();
}

function done(entry) {
  present(entry);
  state.history = [entry, ...state.history.filter((one) => one.signature !== entry.signature || one.model !== entry.model)];
  state.history.length = Math.min(state.history.length, MOST_HISTORY);
  at("no-history").hidden = true;
  at("history").replaceChildren(...state.history.map(historyItem));
}

function present(entry) {
  at("error").textContent = "";
  state.fields.mark("");
  state.shown = entry.signature;
  showAnswer(at("answer"), entry);
  at("stale").textContent = signature() === entry.signature ? "" : "The input has changed since this answer.";
  announce(`Answer: ${inShort(entry.answer)}`);
  bringAnswer();
}

/** Scrolls to the answer where it stands below or above what is seen, as on a phone. */
function bringAnswer() {
  const { top, bottom } = at("answer").getBoundingClientRect();
  if (top <= innerHeight - 120 && bottom >= 80) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  at("answer-heading").scrollIntoView({ behavior: still ? "auto" : "smooth" });
}

function historyItem(entry) {
  const given = [...entry.values.values()].map((value) => (value instanceof File ? value.name : value.slice(0, 200)));
  const model = state.models.length > 1 ? `${entry.model.name}: ` : "";
  const button = element(
    "button",
    { type: "button" },
    element("bdi", { class: "asked" }, given.join(" + ")),
    element("bdi", { class: "answered" }, model + inShort(entry.answer)),
  );
  button.addEventListener("click", () => back(entry));
  return element("li", {}, button);
}

function back(entry) {
  state.pending?.abort();
  if (entry.model.name !== state.model.name) {
    history.pushState(null, "", `#${encodeURIComponent(entry.model.name)}`);
    show(state.models.find(({ name }) => name === entry.model.name));
  }
  state.fields.restore(entry.values);
  changed();
  present(entry);
}
