import { LineCounter, parseAllDocuments, type YAMLParseError } from 'yaml';

type Documents = ReturnType<typeof parseAllDocuments>;

/** More than files are nested. */
const INDENT = '\n'.padEnd(129);
/** Quoted texts that are written so, in one file. */
const MOST = 1_000;

/**
 * The documents of a file. A quoted text may go on in lines that are not indented, or with tabs, as
 * Go's reader has it, though YAML asks for spaces there: since what stands before such a line is no
 * part of the text, it is indented for the parser.
 */
export function parseYaml(text: string): { documents: Documents; lines: LineCounter } {
  let source = text;
  let at = -1;
  for (let count = 0; ; count += 1) {
    const lines = new LineCounter();
    const options = { lineCounter: lines, maxAliasCount: 100 };
    const documents = parseAllDocuments(source, options as never);
    const [error] = documents.flatMap(({ errors }) => errors);
    const mended = error === undefined || error.pos[0] <= at ? undefined : indented(source, error);
    if (mended === undefined || count === MOST) return { documents, lines };
    at = error!.pos[0];
    source = mended;
  }
}

function indented(source: string, { message, pos }: YAMLParseError): string | undefined {
  const quote = /^Missing closing (["'])quote/.exec(message)?.[1];
  if (quote === undefined) return undefined;
  const [from] = pos;
  // A quote in the text is two in one kind, and comes after a backslash in the other.
  const closing = quote === "'" ? /(?:[^']|'')*'/y : /(?:[^"\\]|\\[\s\S])*"/y;
  closing.lastIndex = from;
  const rest = closing.exec(source)?.[0];
  if (rest === undefined || /\n(?:---|\.\.\.)\s/.test(rest)) return undefined;
  return source.slice(0, from) + rest.replace(/\n(?=.)/g, INDENT) + source.slice(closing.lastIndex);
}
