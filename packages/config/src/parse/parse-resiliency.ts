import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  parseAllDocuments,
  type Tags,
  visit,
} from 'yaml';
import type { Problem } from '../problems/problem.ts';
import { Report } from '../problems/report.ts';
import { follow, type Reading, spelling } from './entries.ts';
import { goScalars } from './go-scalars.ts';
import { nearest } from './nearest.ts';
import { readResource } from './read-resource.ts';
import type { ResiliencyDocument } from './resiliency-document.ts';

/** Longest file, in bytes. Reading one of this size takes up to a second. */
export const LARGEST_FILE_BYTES = 256 * 1024;

/** Aliases per file: what keeps a small file from standing for a huge one. */
const MOST_ALIASES = 100;

export interface ParsedResiliency {
  /** One, or none where the file holds something else or cannot be read. */
  readonly documents: readonly ResiliencyDocument[];
  /** What is wrong within this file; what only several together show is `checkResiliency`'s. */
  readonly problems: readonly Problem[];
}

/**
 * Reads the text of one file, without touching the disk. Files of other kinds
 * are somebody else's and give neither a document nor a problem.
 */
export function parseResiliency(text: string, file: string): ParsedResiliency {
  const lineCounter = new LineCounter();
  const report = new Report(file, lineCounter);
  const end = (documents: readonly ResiliencyDocument[]) => ({
    documents,
    problems: report.problems.toSorted((a, b) => a.line - b.line || a.column - b.column),
  });
  if (text.length > LARGEST_FILE_BYTES) {
    const kib = LARGEST_FILE_BYTES / 1024;
    report.add(0, 'too-large', `is over ${kib} KiB, the limit; split it into several files`);
    return end([]);
  }

  const parsed = parseAllDocuments(text, {
    ...{ lineCounter, uniqueKeys: false, prettyErrors: false },
    ...{ schema: 'yaml-1.1', customTags: daprScalars },
  });
  const [document, ...others] = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  if (document === undefined || (document.contents === null && others.length === 0)) {
    report.add(0, 'empty-file', 'is empty');
    return end([]);
  }
  const reading = { document, report };
  const kind = kindOf(reading);
  if (isOurs(kind, text) && reportSyntax(reading)) return end([]);
  for (const other of others) {
    if (kindOf({ document: other, report }) !== 'Resiliency') continue;
    const message =
      'is a second document, and only the first of a file is read: give it its own file';
    report.add(other.contents?.range[0] ?? other.range[0], 'second-document', message);
  }
  if (kind === 'Resiliency') return end([readResource(reading)]);
  if (looksLikeOurs(reading)) reportKind(reading, kind);
  return end([]);
}

/** As Dapr reads them; that `<<` merges is for `entriesOf` to see to. */
const daprScalars = (tags: Tags) =>
  goScalars(tags).filter((tag) => typeof tag === 'string' || !tag.tag.endsWith(':merge'));

/** Whether syntax errors in the file are ours to report: its kind is ours, or cannot be told. */
function isOurs(kind: string | undefined, text: string): boolean {
  return kind === 'Resiliency' || kind === undefined || /^\s*(policies|targets):/m.test(text);
}

function reportSyntax({ document, report }: Reading): boolean {
  // One is enough: those that follow are usually its echo.
  const [first] = document.errors;
  if (first !== undefined) {
    const [says = first.message] = first.message.split('\n');
    if (first.code === 'TAB_AS_INDENT') {
      report.add(
        first.pos[0] + tabShift(report, first.pos[0]),
        'tab-indent',
        'has a tab where YAML wants spaces',
      );
    } else if (first.code === 'RESOURCE_EXHAUSTION') {
      report.add(0, 'too-deep', 'is nested more deeply than a policy file can be');
    } else {
      report.add(first.pos[0], 'yaml-syntax', says.replace(/[.:]?$/, ''));
    }
    return true;
  }
  let aliases = 0;
  let broken = false;
  visit(document, {
    Alias(_, alias) {
      aliases += 1;
      const offset = alias.range?.[0] ?? 0;
      if (aliases > MOST_ALIASES) {
        report.add(offset, 'too-many-aliases', `has over ${MOST_ALIASES} aliases, the limit`);
        broken = true;
        return visit.BREAK;
      }
      if (alias.resolve(document) === undefined) {
        report.add(offset, 'yaml-syntax', `alias *${alias.source} stands for no anchor before it`);
        broken = true;
      }
      return undefined;
    },
  });
  return broken;
}

/** The parser points at the line's beginning, at times at the newline before it. */
function tabShift(report: Report, offset: number): number {
  return report.place(offset).column > 1 ? 1 : 0;
}

function kindOf(reading: Reading): string | undefined {
  const { contents } = reading.document;
  if (!isMap(contents)) return undefined;
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === 'kind');
  const value = follow(reading, (pair?.value ?? null) as never);
  return value === null ? undefined : spelling(value);
}

function looksLikeOurs({ document }: Reading): boolean {
  return document.hasIn(['spec', 'policies']) || document.hasIn(['spec', 'targets']);
}

function reportKind({ document, report }: Reading, kind: string | undefined): void {
  const node = isMap(document.contents) ? document.contents.get('kind', true) : undefined;
  const message =
    kind === undefined ? 'has policies and no kind' : `has policies and the kind "${kind}"`;
  const meant =
    kind === undefined ? 'kind: Resiliency' : (nearest(kind, ['Resiliency']) ?? 'Resiliency');
  report.add(node?.range?.[0] ?? 0, 'wrong-kind', `${message}, so it is ignored`, meant);
}
