// A model card's Markdown as nodes: headings, paragraphs, lists, tables, code, emphasis; links as text.

import { element } from "./dom.js";

const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*\s*$/;
const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const SPAN = /\\([!-/:-@[-`{-~])|(`+)(.+?)\2(?!`)|\*\*(.+?)\*\*|(?<![\w*])[*_](?=\S)(.+?)(?<=\S)[*_](?![\w*])|!?\[([^\]]*)\]\(([^)\s]*)[^)]*\)/;
const MOST_ROWS = 12; // of a table that is not folded
const TOP = 2; // a card's first heading stands below the page's own

/** The nodes of a card. */
export function cardNodes(text) {
  const { front, body } = split(text.replaceAll("\r\n", "\n"));
  const nodes = blocks(body.split("\n"));
  if (front) {
    nodes.push(folded("Metadata", code(front)));
  }
  return nodes;
}

function split(text) {
  const found = /^---\n([\s\S]*?)\n---[ \t]*(?:\n|$)/.exec(text);
  return found ? { front: found[1], body: text.slice(found[0].length) } : { front: "", body: text };
}

function blocks(lines) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const read = [fenced, heading, table, list, paragraph].find((reader) => reader.starts(lines, at));
    const [node, next] = read(lines, at);
    nodes.push(node);
    at = next;
  }
  return nodes;
}

function fenced(lines, start) {
  const fence = FENCE.exec(lines[start])[1];
  let end = start + 1;
  while (end < lines.length && !lines[end].trim().startsWith(fence)) end += 1;
  return [code(lines.slice(start + 1, end).join("\n")), end + 1];
}
fenced.starts = (lines, at) => FENCE.test(lines[at]);

function heading(lines, start) {
  const [, marks, text] = HEADING.exec(lines[start]);
  return [element(`h${Math.min(6, marks.length + TOP)}`, {}, ...inline(text)), start + 1];
}
heading.starts = (lines, at) => HEADING.test(lines[at]);

function table(lines, start) {
  const head = cells(lines[start]).map((cell) => element("th", { scope: "col" }, ...inline(cell)));
  const body = element("tbody");
  let at = start + 2;
  for (; at < lines.length && lines[at].includes("|"); at += 1) {
    body.append(element("tr", {}, ...cells(lines[at]).map((cell) => element("td", {}, ...inline(cell)))));
  }
  const whole = element("table", {}, element("thead", {}, element("tr", {}, ...head)), body);
  const box = element("div", { class: "scroll", tabIndex: 0, role: "group", "aria-label": "Table" }, whole);
  const rows = body.children.length;
  return [rows > MOST_ROWS ? folded(`Table of ${rows} rows`, box) : box, at];
}
table.starts = (lines, at) => lines[at].includes("|") && RULE.test(lines[at + 1] ?? "") && lines[at + 1].includes("-");

function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim());
}

function list(lines, start) {
  const items = [];
  let at = start;
  for (; at < lines.length && lines[at].trim(); at += 1) {
    const item = ITEM.exec(lines[at]);
    if (item) items.push(item[2]);
    else items[items.length - 1] += ` ${lines[at].trim()}`;
  }
  const number = ITEM.exec(lines[start])[1];
  const whole = element(number ? "ol" : "ul", {}, ...items.map((item) => element("li", {}, ...inline(item))));
  if (number) whole.start = Number(number);
  return [whole, at];
}
list.starts = (lines, at) => ITEM.test(lines[at]);

function paragraph(lines, start) {
  let end = start + 1;
  const others = [fenced, heading, table, list];
  while (end < lines.length && lines[end].trim() && !others.some((reader) => reader.starts(lines, end))) end += 1;
  return [element("p", {}, ...inline(lines.slice(start, end).join(" "))), end];
}
paragraph.starts = () => true;

function folded(summary, content) {
  return element("details", { class: "folded" }, element("summary", {}, summary), content);
}

function code(text) {
  return element("pre", { class: "code", tabIndex: 0 }, element("code", {}, text));
}

function inline(text) {
  const nodes = [];
  let rest = text;
  for (let found; (found = SPAN.exec(rest)); rest = rest.slice(found.index + found[0].length)) {
    nodes.push(rest.slice(0, found.index), span(found));
  }
  return [...nodes, rest].filter((node) => node !== "");
}

function span([, escaped, , written, strong, emphasis, label, target]) {
  if (escaped !== undefined) return escaped;
  if (written !== undefined) return element("code", {}, written);
  if (strong !== undefined) return element("strong", {}, ...inline(strong));
  if (emphasis !== undefined) return element("em", {}, ...inline(emphasis));
  return label && label !== target ? `${label} (${target})` : target;
}
