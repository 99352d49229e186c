// The form's fields for a model's inputs: texts, files, columns.

import { element } from "./dom.js";

const FILES = { image: "an image", audio: "a sound" };

/** Builds the fields of a model in `place`; `changed()` is called when a value changes. */
export function buildFields(place, model, changed) {
  const several = model.inputs.length > 1;
  const all = model.inputs.map((input, at) => field(input, `field-${at}`, several, changed));
  const isColumn = (one) => ["number", "category"].includes(one.input.kind);
  const columns = all.filter(isColumn).map((one) => one.node);
  const grid = columns.length ? [element("div", { class: "columns" }, ...columns)] : [];
  place.classList.toggle("several", several);
  place.replaceChildren(...all.filter((one) => !isColumn(one)).map((one) => one.node), ...grid);
  return new Fields(all);
}

class Fields {
  constructor(all) {
    this.all = all;
  }

  /** What was given, by key: a string or a File; empty ones are left out. */
  values() {
    const given = this.all.map((one) => [one.input.key, one.get()]);
    return new Map(given.filter(([, value]) => value !== "" && value !== null));
  }

  /** Puts values in, and empties the fields that have none. */
  restore(values) {
    for (const one of this.all) one.set(values.get(one.input.key) ?? null);
  }

  /** Marks the fields that a message is about, and no others; returns the first. */
  mark(message) {
    const at = this.all.filter((one) => isAbout(message, one.input.key));
    for (const one of this.all) one.control.toggleAttribute("aria-invalid", false);
    for (const one of at) one.control.setAttribute("aria-invalid", "true");
    return at[0]?.control;
  }

  /** What was given as the server takes it: what a person typed for a number is one where it can be. */
  typed() {
    const kinds = new Map(this.all.map((one) => [one.input.key, one.input.kind]));
    return [...this.values()].map(([key, value]) => [key, kinds.get(key) === "number" ? asNumber(value) : value]);
  }

  focus() {
    this.all[0].control.focus();
  }
}

function asNumber(text) {
  const number = Number(text);
  return text.trim() && Number.isFinite(number) ? number : text; // else the server says what is wrong
}

function isAbout(message, key) {
  return message.startsWith(`'${key}'`) || message.toLowerCase().startsWith(`${key.replace(/_bytes$/, "")}: `.toLowerCase());
}

function field(input, id, several, changed) {
  if (input.kind === "bytes") return fileField(input, id, several, changed);
  const text = input.kind === "text";
  const properties = { id, "aria-describedby": "error", autocomplete: "off", dir: "auto" };
  const control = text
    ? element("textarea", { ...properties, placeholder: several ? "" : "Type or paste a text", spellcheck: false })
    : element("input", { ...properties, type: "text", inputMode: input.kind === "number" ? "decimal" : "text" });
  const choices = choiceList(input, `${id}-choices`);
  if (choices) control.setAttribute("list", choices.id);
  control.addEventListener("input", changed);
  const node = element("div", { class: "field" }, label(input, id, several), control, ...(choices ? [choices] : []));
  return { input, node, control, get: () => control.value, set: (value) => (control.value = value ?? "") };
}

function label(input, id, several) {
  const hint = { number: "number", category: "" }[input.kind] ?? "";
  const note = [hint, several && input.optional ? "optional" : ""].filter(Boolean).join(", ");
  return element("label", { for: id }, named(input), ...(note ? [element("small", {}, note)] : []));
}

function named(input) {
  return input.kind === "bytes" ? input.key.replace(/_bytes$/, "") : input.key;
}

function choiceList(input, id) {
  if (!input.choices?.length) return null;
  return element("datalist", { id }, ...input.choices.map((value) => element("option", { value })));
}

function fileField(input, id, several, changed) {
  const wanted = FILES[input.medium] ?? "a file";
  const accept = input.medium ? `${input.medium}/*` : "";
  const control = element("input", { id, type: "file", accept, class: "unseen", "aria-describedby": "error" });
  const told = element("label", { for: id });
  const preview = element("div", { class: "preview" });
  const remove = element("button", { type: "button", class: "quiet remove" }, "×");
  const zone = element("div", { class: "drop" }, preview, control, told, remove);
  let file = null;

  function set(value) {
    if (preview.firstChild?.src) URL.revokeObjectURL(preview.firstChild.src);
    file = value;
    zone.classList.toggle("filled", Boolean(file));
    zone.classList.toggle("sound", Boolean(file) && input.medium === "audio");
    remove.hidden = !file;
    remove.setAttribute("aria-label", `Remove ${file?.name ?? ""}`);
    preview.replaceChildren(...(file ? [seen(file, input.medium)] : []));
    told.replaceChildren(...(file ? chosen(file) : [element("u", {}, `Choose ${wanted}`), " or drop it here"]));
    if (!file) control.value = "";
  }

  function take(value) {
    set(value);
    changed();
  }

  control.addEventListener("change", () => control.files[0] && take(control.files[0]));
  remove.addEventListener("click", () => {
    take(null);
    control.focus();
  });
  takesDrops(zone, take);
  set(null);
  const node = element("div", { class: "field" }, label(input, id, several), zone);
  return { input, node, control, get: () => file, set };
}

function chosen(file) {
  return [element("bdi", {}, file.name), `${size(file.size)}, `, element("u", {}, "change")];
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function seen(file, medium) {
  const source = URL.createObjectURL(file);
  const shown =
    medium === "audio"
      ? element("audio", { src: source, controls: true, "aria-label": file.name })
      : element("img", { src: source, alt: `Preview of ${file.name}` });
  shown.addEventListener("error", () => shown.replaceWith(element("span", { class: "muted small" }, "No preview")));
  return shown;
}

function takesDrops(zone, take) {
  const over = (event, is) => {
    event.preventDefault();
    zone.classList.toggle("over", is);
  };
  zone.addEventListener("dragover", (event) => over(event, true));
  zone.addEventListener("dragleave", (event) => over(event, false));
  zone.addEventListener("drop", (event) => {
    over(event, false);
    const file = event.dataTransfer.files[0];
    if (file) take(file);
  });
}
