// Answers from a kerasft bundle whose one input is text, as kerasft.runtime.Predictor gives them.
//
//   node predict.mjs ../../../exported/imdb_lstm "A quiet, moving film."
//   node predict.mjs ../../../exported/imdb_lstm < texts.jsonl      # a JSON string a line, an answer a line
//
// or in a program:
//
//   const predictor = await Predictor.open("exported/imdb_lstm");
//   await predictor.predict(["A quiet, moving film."]);
//   // [{ label: "positive", scores: { negative: 0.04, positive: 0.96 } }]

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import ort from "onnxruntime-node";
import { Tokenizer } from "tokenizers";

const FORMAT = 1; // of bundle.json; a newer one is refused
const ROWS = 64; // of a batch at most
const TOKENS = 8192; // of a batch at most, padding included
const LINES = 256; // of standard input at a time

export class Predictor {
  /** Opens a bundle: its newest version, or the one version that is given. */
  static async open(folder) {
    const onnx = join(newestVersion(folder), "onnx");
    const description = JSON.parse(readFileSync(join(onnx, "bundle.json"), "utf8"));
    if (description.format > FORMAT) throw new Error(`${onnx}: bundle format ${description.format} is not known here`);
    const inputs = Object.entries(description.inputs);
    if (inputs.length !== 1 || inputs[0][1].type !== "text") {
      throw new Error(`${onnx}: this client reads bundles with one text input, not ${Object.keys(description.inputs)}`);
    }
    const [name, text] = inputs[0];
    const tokenizer = Tokenizer.fromString(whole(onnx, description, `inputs/${name}/tokenizer.json`).toString("utf8"));
    const session = await ort.InferenceSession.create(whole(onnx, description, "model.onnx"));
    return new Predictor(name, text, tokenizer, session, description);
  }

  constructor(name, text, tokenizer, session, description) {
    Object.assign(this, { name, text, tokenizer, session, task: description.task, outputs: description.outputs });
    this.unknown = tokenizer.tokenToId("[UNK]");
  }

  /** Answers, one a text and in the texts' order. */
  async predict(texts) {
    const rows = await this.encode(texts);
    const answers = new Array(texts.length);
    for (const batch of batches(rows.map((ids) => ids.length))) {
      const outputs = await this.run(batch.map((row) => rows[row]));
      batch.forEach((row, index) => (answers[row] = decode(this.task, outputs, index)));
    }
    return answers;
  }

  /** Token ids of each text, cut as in training; a text without any word is one [UNK]. */
  async encode(texts) {
    if (!Array.isArray(texts) || texts.some((text) => typeof text !== "string")) {
      throw new TypeError("an array of strings is wanted");
    }
    const encoded = texts.length ? await this.tokenizer.encodeBatch(texts) : [];
    return encoded.map((one) => {
      const ids = cut(one.getIds(), this.text.max_tokens, this.text.truncate);
      return ids.length ? ids : [this.unknown];
    });
  }

  /** The model's outputs for rows of ids, padded on the right to the longest of them. */
  async run(rows) {
    const width = Math.max(...rows.map((ids) => ids.length));
    const ids = new Int32Array(rows.length * width); // zeros: kerasft pads with the id 0
    rows.forEach((row, index) => ids.set(row, index * width));
    const feed = { [this.name]: new ort.Tensor("int32", ids, [rows.length, width]) };
    return this.session.run(feed, this.outputs);
  }
}

function newestVersion(folder) {
  const isBundle = (path) => existsSync(join(path, "onnx", "bundle.json"));
  if (isBundle(folder)) return folder;
  const numbers = existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9]+$/.test(name)) : [];
  const newest = numbers.sort((a, b) => b - a).find((number) => isBundle(join(folder, number)));
  if (newest === undefined) throw new Error(`${folder}: this is not a bundle, there is no onnx/bundle.json in it`);
  return join(folder, newest);
}

/** A file's content, if it is what was written. */
function whole(onnx, description, name) {
  const content = readFileSync(join(onnx, name));
  if (createHash("sha256").update(content).digest("hex") !== description.files[name]?.sha256) {
    throw new Error(`${join(onnx, name)}: damaged, copy or export the bundle again`);
  }
  return content;
}

/** At most `limit` ids: the first, the last, or the first and last halves, of which the first gets the odd one. */
function cut(ids, limit, truncate) {
  if (limit === null || ids.length <= limit) return ids;
  const head = { head: limit, tail: 0, "head+tail": limit - Math.floor(limit / 2) }[truncate];
  return [...ids.slice(0, head), ...ids.slice(ids.length - (limit - head))];
}

/** Row numbers, longest rows first, so that little is computed for padding. */
function* batches(lengths) {
  const order = [...lengths.keys()].sort((a, b) => lengths[b] - lengths[a]);
  while (order.length) {
    const rows = Math.floor(TOKENS / lengths[order[0]]);
    yield order.splice(0, Math.min(ROWS, Math.max(1, rows)));
  }
}

/** One row's answer: of a classification, of several targets, or a vector. */
function decode(task, outputs, row) {
  if (task.type === "targets") {
    const parts = Object.entries(task.parts);
    return Object.fromEntries(parts.map(([target, part]) => [target, decode(part, outputs, row)]));
  }
  const output = outputs[task.target];
  const width = output.dims.at(-1);
  const values = Array.from(output.data.subarray(row * width, (row + 1) * width));
  if (task.type === "embedding") return { vector: values };
  const scores = softmax(values);
  const best = scores.indexOf(Math.max(...scores));
  return { label: task.labels[best], scores: Object.fromEntries(task.labels.map((label, i) => [label, scores[i]])) };
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

async function main([folder, ...texts]) {
  if (folder === undefined) throw new Error("usage: node predict.mjs BUNDLE [TEXT ...]");
  const predictor = await Predictor.open(folder);
  const print = async (some) => {
    for (const answer of await predictor.predict(some)) console.log(JSON.stringify(answer));
  };
  if (texts.length) return print(texts);
  let some = [];
  for await (const line of linesOf(process.stdin)) {
    some.push(JSON.parse(line));
    if (some.length === LINES) await print(some.splice(0));
  }
  await print(some);
}

/** Lines that end in a line feed; the module `readline` would part them at U+2028 inside a text, too. */
async function* linesOf(stream) {
  let rest = "";
  for await (const part of stream.setEncoding("utf8")) {
    const lines = (rest + part).split("\n");
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

if (process.argv[1] && realpathSync(resolve(process.argv[1])) === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
