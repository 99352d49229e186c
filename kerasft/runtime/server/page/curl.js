// The request as a command for a POSIX shell.

const MOST_OF_AN_ARGUMENT = 100_000; // bytes; Linux takes 131,071 in one argument
const UNSEEN = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g; // would show as something else

/** A text as one word of a POSIX shell. */
export function quoted(text) {
  return /^[A-Za-z0-9_./:%@,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * The command that sends values.
 * @param {string} url to post to.
 * @param {[string, string | number | File][]} values by key.
 * @param {boolean} alone whether the model has one input, so that its value goes without its name.
 */
export function curlCommand(url, values, alone) {
  const files = values.map(([, value]) => value).filter((value) => value instanceof File);
  if (files.length) return withFiles(url, values, files, alone);
  const body = bodyOf(values, alone);
  if (new Blob([body]).size <= MOST_OF_AN_ARGUMENT) return `curl ${quoted(url)} \\\n  -d ${always(body)}`;
  return `curl ${quoted(url)} --data-binary @- <<'END'\n${body}\nEND`;
}

// printf is part of the shell, so that a file's size has no limit; curl -d leaves out base64's line breaks.
function withFiles(url, values, files, alone) {
  const format = bodyOf(values, alone, (text) => text.replaceAll("\\", "\\\\").replaceAll("%", "%%"));
  const data = files.map((file) => `  "$(base64 < ${quoted(named(file))})"`);
  return `printf ${always(format)} \\\n${data.join(" \\\n")} |\n  curl ${quoted(url)} -d @-`;
}

function bodyOf(values, alone, escape = (text) => text) {
  const written = values.map(([key, value]) => {
    const told = value instanceof File ? '{"b64": "%s"}' : escape(json(value));
    return alone ? told : `${escape(json(key))}: ${told}`;
  });
  return `{"instances": [${alone ? written[0] : `{${written.join(", ")}}`}]}`;
}

function json(value) {
  return JSON.stringify(value).replace(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function always(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function named(file) {
  return file.name || "FILE";
}
