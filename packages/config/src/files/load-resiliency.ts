import { createHash } from 'node:crypto';
import { parseResiliency } from '../parse/parse-resiliency.ts';
import type { ResiliencyDocument } from '../parse/resiliency-document.ts';
import { mergeDocuments } from '../policies/merge-documents.ts';
import { type ResiliencyPolicies, resiliencyPolicies } from '../policies/resiliency-policies.ts';
import { checkMerged } from '../problems/check-resiliency.ts';
import { formatProblem, isBroken, type Problem } from '../problems/problem.ts';
import { problemAt } from '../problems/report.ts';
import { decodeUtf8 } from './decode-utf8.ts';
import { readSources, type Sources } from './read-sources.ts';

export interface LoadOptions {
  /** Whose policies: documents with other `scopes` are left out. @default those of all apps */
  readonly appId?: string;
  /** Throws where there is an error, of whatever rule. @default false */
  readonly strict?: boolean;
}

/** What the files say, and what is wrong with them. */
export interface LoadedResiliency {
  readonly policies: ResiliencyPolicies;
  /** By file, line and column. */
  readonly problems: readonly Problem[];
  /** The files that hold a Resiliency, in the order they were read; later ones win. */
  readonly files: readonly string[];
  /** What each of them is called in its `metadata`. */
  readonly documents: readonly { readonly name: string; readonly namespace: string }[];
  /** Changes whenever the content of any file read does. */
  readonly digest: string;
}

/** Files that cannot be read, or with errors where `strict` was asked for. */
export class ResiliencyFileError extends Error {
  readonly code = 'RESILIENCY_FILE';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(first === undefined ? 'No problem.' : `${formatProblem(first)}${more}`);
    this.name = 'ResiliencyFileError';
    this.problems = problems;
  }
}

/**
 * Reads all policies of a process. A file that is wrong in part is read as far
 * as it makes sense, as Dapr does; `problems` says what is missing then.
 *
 * @throws ResiliencyFileError when a path cannot be read, or on any error where `strict`.
 */
export async function loadResiliency(
  paths: readonly string[],
  options: LoadOptions = {},
): Promise<LoadedResiliency> {
  const loaded = assemble(await readSources(paths), options);
  const fatal = loaded.problems.filter(({ rule, severity }) =>
    options.strict ? severity === 'error' : rule === 'not-found' || rule === 'unreadable',
  );
  if (fatal.length > 0) throw new ResiliencyFileError(fatal);
  return loaded;
}

/** From bytes to policies, without the disk. */
export function assemble(read: Sources, options: LoadOptions): LoadedResiliency {
  const problems: Problem[] = [...read.problems];
  const documents: ResiliencyDocument[] = [];
  for (const { file, bytes } of read.sources) {
    const decoded = decodeUtf8(bytes);
    if ('hint' in decoded) {
      const { line, column, hint } = decoded;
      problems.push(problemAt({ file, line, column }, 'not-utf8', `is not UTF-8; ${hint}`));
      continue;
    }
    const parsed = parseResiliency(decoded.text, file);
    problems.push(...parsed.problems);
    documents.push(...parsed.documents);
  }

  const { appId } = options;
  const ours = documents.filter(
    ({ scopes }) => appId === undefined || scopes.length === 0 || scopes.includes(appId),
  );
  const merged = mergeDocuments(ours);
  problems.push(...merged.problems, ...checkMerged(merged));
  return {
    policies: resiliencyPolicies(merged, merged.policies, merged.targets),
    problems: inOrder(problems, read),
    files: ours.map(({ file }) => file),
    documents: ours.map(({ name, namespace }) => ({ name, namespace })),
    digest: digestOf(read),
  };
}

/** Names what was read: equal digests, equal files. */
export function digestOf({ sources, problems }: Sources): string {
  const hash = createHash('sha256');
  for (const { file, bytes } of sources) hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  for (const { file, rule } of problems) hash.update(`${file}\0${rule}\0`);
  return hash.digest('hex');
}

/** Whether a running process may change over to this, rather than keep the policies it has. */
export function isUsable({ problems }: LoadedResiliency, { strict = false }: LoadOptions): boolean {
  return !problems.some((each) => isBroken(each) || (strict && each.severity === 'error'));
}

function inOrder(problems: readonly Problem[], { sources }: Sources): Problem[] {
  const rank = new Map(sources.map(({ file }, index) => [file, index]));
  const of = ({ file }: Problem) => rank.get(file) ?? -1;
  return problems.toSorted((a, b) => of(a) - of(b) || a.line - b.line || a.column - b.column);
}
