// Nodes without innerHTML: what a model or a person wrote is always text.

/** An element with properties ("class", "aria-…" and "data-…" as attributes) and children (nodes or texts). */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.includes("-") || ["class", "for", "role", "dir"].includes(name)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** A button that copies what `text()` gives and says that it did. */
export function copyButton(text, name = "Copy") {
  const button = element("button", { type: "button", class: "quiet low copy" }, name);
  let timer;
  button.addEventListener("click", async () => {
    const done = await copied(text());
    button.textContent = done ? "Copied" : "Not copied";
    announce(done ? "Copied" : "The browser does not let this page copy");
    clearTimeout(timer);
    timer = setTimeout(() => (button.textContent = name), 1600);
  });
  return button;
}

/** Tells a screen reader. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text); // over plain HTTP from another machine there is no clipboard object
  }
}

function copiedBySelection(text) {
  const before = document.activeElement;
  const area = element("textarea", { value: text, class: "unseen", "aria-hidden": "true" });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  return done;
}
