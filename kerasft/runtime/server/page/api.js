// What the page asks of the server, and its refusals in words.

/** A request that got no answer; the message is for the person. */
export class Refusal extends Error {}

/** The served models. */
export async function listModels() {
  return (await ask("models")).value.models;
}

/** Where a model answers. */
export function predictUrl(model) {
  return new URL(`v1/models/${encodeURIComponent(model.name)}:predict`, document.baseURI.split("#")[0]).href;
}

/** The prediction for one instance, which version gave it, and the milliseconds from the request to the whole answer. */
export async function predict(model, instance, signal) {
  const body = JSON.stringify({ instances: [instance] });
  const began = performance.now();
  const { value, response } = await ask(predictUrl(model), { method: "POST", body, signal });
  const version = response.headers.get("x-model-version") ?? model.version;
  return { prediction: value.predictions[0], version, milliseconds: performance.now() - began };
}

/** A file's bytes as base64. */
export function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Refusal(`The file ${file.name} cannot be read any more. Choose it again.`));
    reader.readAsDataURL(file);
  });
}

async function ask(url, options = {}) {
  let response, text;
  try {
    response = await fetch(url, { cache: "no-store", ...options });
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(unreachable(options.body));
  }
  const value = parsed(text);
  if (response.ok && value !== undefined) return { value, response };
  throw new Refusal(inWords(response, value));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(body) {
  const size = body?.length > 4e6 ? ` Or it refused ${(body.length / 1e6).toFixed(1)} MB as too much.` : "";
  return `There is no connection to ${location.host}. Does the server still run?${size}`;
}

function inWords(response, value) {
  if (typeof value?.error !== "string") return `The server's answer cannot be read (HTTP ${response.status}).`;
  const told = value.error.charAt(0).toUpperCase() + value.error.slice(1);
  const wait = response.headers.get("retry-after");
  return response.status === 429 && wait ? `${told} It asks to wait for ${wait} s.` : told;
}
