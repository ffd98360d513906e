import { goScalars } from '@holdfast/config';
import { type Document, LineCounter, parseAllDocuments, type YAMLParseError } from 'yaml';

/** One of the documents of a file. */
export interface YamlDocument {
  /** Its place among them, from 1. */
  readonly number: number;
  readonly document: Document.Parsed;
  /** Where in the file what stands at an offset of the document is. */
  position(offset: number): { readonly line: number; readonly col: number };
}

/** More than files are nested. */
const INDENT = '\n'.padEnd(129);
/** Quoted texts that are written so, in one document. */
const MOST = 1_000;

/**
 * The documents of a file, each read for itself as daprd does: what is wrong in one, such as a quote
 * that nobody closes, is nothing to the others.
 */
export function parseYaml(text: string): readonly YamlDocument[] {
  const documents: YamlDocument[] = [];
  let lineBefore = 0;
  for (const [index, part] of text.split(/(?<=\n)(?=---)/).entries()) {
    // What else stands in the line between two documents is nothing, as in daprd.
    const parsed = parseDocument(index === 0 ? part : part.replace(/^---.*/, ''));
    const from = lineBefore;
    lineBefore += part.split('\n').length - 1;
    if (parsed === undefined) continue;
    const { document, lines } = parsed;
    const position = (offset: number) => {
      const { line, col } = lines.linePos(offset);
      return { line: from + line, col };
    };
    documents.push({ number: documents.length + 1, document, position });
  }
  return documents;
}

/**
 * Undefined where there is none. A quoted text may go on in lines that are not indented, or with tabs,
 * as Go's reader has it, though YAML asks for spaces there: since what stands before such a line is no
 * part of the text, it is indented for the parser.
 */
function parseDocument(text: string) {
  let source = text;
  let at = -1;
  for (let count = 0; ; count += 1) {
    const lines = new LineCounter();
    const options = { lineCounter: lines, schema: 'yaml-1.1', customTags: goScalars } as const;
    const [document] = parseAllDocuments(source, options);
    if (document === undefined) return undefined;
    const [error] = document.errors;
    const mended = error === undefined || error.pos[0] <= at ? undefined : indented(source, error);
    if (mended === undefined || count === MOST) return { document, lines };
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
