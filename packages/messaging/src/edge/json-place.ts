/** JSON as a value, or where it stops being JSON. */
export type JsonRead =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'broken'; readonly why: string };

/** Reads JSON as RFC 8259 has it: UTF-8, one value. */
export function readJson(body: Uint8Array): JsonRead {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    return { kind: 'broken', why: `it is not UTF-8 from byte ${validBytes(body)} on` };
  }
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch (error) {
    return { kind: 'broken', why: placeOf(text, String(error)) };
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** No place is looked for in longer texts: looking costs some sixteen times the reading. */
const LONGEST_SEARCH = 65_536;

/** V8 names a position, or the end, or only a token: then the place is looked for. */
function placeOf(text: string, message: string): string {
  const position = positionIn(message);
  if (position !== undefined) return `it breaks at ${lineAndColumn(text, position)}`;
  if (isAtEnd(message)) return `it ends too soon, at ${lineAndColumn(text, text.length)}`;
  if (text.length > LONGEST_SEARCH) return 'it breaks somewhere';
  return `it breaks at ${lineAndColumn(text, goodCharacters(text))}`;
}

/** How many characters from the beginning could go on to be JSON; found by halving. */
function goodCharacters(text: string): number {
  let good = 0;
  let bad = text.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (couldGoOn(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function couldGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = String(error);
    return isAtEnd(message) || positionIn(message) === text.length;
  }
}

function positionIn(message: string): number | undefined {
  const found = /at position (\d+)/.exec(message)?.[1];
  return found === undefined ? undefined : Number(found);
}

const isAtEnd = (message: string) => /end of JSON/.test(message);

function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  return `line ${line}, column ${position - before.lastIndexOf('\n')}`;
}

/** How many bytes from the beginning are UTF-8; found by halving, for bodies may be large. */
function validBytes(body: Uint8Array): number {
  let good = 0;
  let bad = body.byteLength;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isPrefix(body.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function isPrefix(bytes: Uint8Array): boolean {
  try {
    // A character that is cut off at the end may go on: `stream` waits for the rest.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
