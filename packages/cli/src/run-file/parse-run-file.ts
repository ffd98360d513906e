import { basename, dirname, join, resolve } from 'node:path';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { didYouMean } from '../did-you-mean.ts';
import { checkRunFile, type Finding } from './check-run-file.ts';
import {
  APP_KEYS,
  HOLDFAST_KEYS,
  type Key,
  PROCESS_KEYS,
  READY_KEYS,
  type Section,
  SHARED_KEYS,
  TOP_KEYS,
} from './keys.ts';
import { readValue } from './read-value.ts';
import type { AppEntry, ProcessEntry, ReadyCheck, RunFile } from './run-file.ts';
import { RunFileError, type RunFileProblem } from './run-file-error.ts';
import { endlessAlias, spreadAliases } from './spread-aliases.ts';

/** A place in the file: keys and positions from the top. */
export type Path = readonly (string | number)[];

/** Reports that what stands at `node` breaks `rule`. */
export type Report = (node: Node | undefined, rule: string, message: string) => void;

/** What reading a section needs. */
interface Reading {
  /** Where its relative paths start. */
  readonly dir: string;
  readonly homeDir: string;
  readonly report: Report;
}

/** A run file that can be run, and the way back to its text. */
export interface ParsedRunFile {
  readonly runFile: RunFile;
  /** Says of a finding on the data where in the file it stands. */
  problemAt(finding: Finding): RunFileProblem;
}

/** YAML aliases a run file may expand to; a file of anchors of anchors stops here. */
const MAX_ALIASES = 100;

/** What the parser's own sentence would not help a user with. */
const IN_OUR_WORDS: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'A run file is one document; remove this `---` and what follows it.',
  DUPLICATE_KEY: 'This key is there twice; remove one of them.',
};

/**
 * Reads a run file's text. Relative paths of an app start from its
 * `appDirPath`, all others from the folder of `file`. Pure: whether paths exist
 * is for `readRunFile` to say.
 *
 * @throws RunFileError with every problem found
 */
export function parseRunFile(text: string, file: string, homeDir = ''): ParsedRunFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: RunFileProblem[] = [];
  const problem = (offset: number, rule: string, message: string): RunFileProblem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), rule, message };
  };
  const add = (offset: number, rule: string, message: string) =>
    problems.push(problem(offset, rule, message));
  const report: Report = (node, rule, message) => add(node?.range?.[0] ?? 0, rule, message);

  for (const { pos, code, message } of document.errors) {
    add(pos[0], 'yaml', IN_OUR_WORDS[code] ?? firstLine(message));
  }
  if (problems.length === 0) checkAliases(document, report);
  if (problems.length > 0) throw new RunFileError(problems);
  spreadAliases(document);

  const whole = resolve(file);
  const runFile = readTop(document, whole, { dir: dirname(whole), homeDir, report });
  // Entries that lack what every one of them has cannot be compared with one another.
  const findings = runFile === undefined ? [] : checkRunFile(runFile);
  for (const { path, rule, message } of findings) {
    report(nearestNode(document, path), rule, message);
  }
  if (runFile === undefined || problems.length > 0) {
    throw new RunFileError(problems.sort((a, b) => a.line - b.line || a.column - b.column));
  }
  return {
    runFile,
    problemAt: ({ path, rule, message }) =>
      problem(nearestNode(document, path)?.range?.[0] ?? 0, rule, message),
  };
}

function checkAliases(document: Document, report: Report): void {
  try {
    document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    report(document.contents ?? undefined, 'aliases', firstLine(String((error as Error).message)));
    return;
  }
  const endless = endlessAlias(document);
  if (endless === undefined) return;
  report(endless, 'aliases', `\`*${endless.source}\` stands within what it stands for.`);
}

/** Undefined where an entry lacks what every one of its kind has; that has then been reported. */
function readTop(document: Document, file: string, reading: Reading): RunFile | undefined {
  const { dir, report } = reading;
  const top = readSection(document.contents, TOP_KEYS, 'a run file', reading);
  const at = (path: Path) => nodeAt(document, path);

  if (top.version !== undefined && top.version !== 1) {
    report(at(['version']), 'version', `version must be 1, not ${top.version}.`);
  }
  const apps = itemsAt(document, ['apps']).map((node) => readApp(node, reading));
  if (isSeq(at(['apps'])) && apps.length === 0) {
    report(at(['apps']), 'no-apps', 'apps is empty; name at least one app to run.');
  }
  const common = at(['common']);
  const section = at(['holdfast']);
  if (isMap(section)) readSection(section, HOLDFAST_KEYS, '`holdfast`', reading);
  const read = itemsAt(document, ['holdfast', 'processes']).map((node) =>
    readProcess(node, reading),
  );
  const processes = read.filter((entry) => entry !== undefined);
  if (processes.length < read.length) return undefined;
  return {
    path: file,
    dir,
    version: 1,
    ...(top.name === undefined ? {} : { name: top.name }),
    common: isMap(common) ? readSection(common, SHARED_KEYS, '`common`', reading) : {},
    apps,
    holdfast: { processes },
  };
}

/** An app's own relative paths start from its folder, which itself starts from the run file's. */
function readApp(node: Node, reading: Reading): AppEntry {
  const written = isMap(node) ? node.get('appDirPath') : undefined;
  const appDir = typeof written === 'string' ? absolute(written, reading) : reading.dir;
  const app = readSection(node, APP_KEYS, 'an app', { ...reading, dir: appDir });
  return { appID: basename(appDir), ...app, appDirPath: appDir };
}

function readProcess(node: Node, reading: Reading): ProcessEntry | undefined {
  const { ready: _section, ...entry } = readSection(node, PROCESS_KEYS, 'a process', reading);
  const check = isMap(node) ? node.get('ready', true) : undefined;
  const ready = isMap(check) ? readReady(check, reading) : undefined;
  const { name, role, command } = entry;
  if (name === undefined || role === undefined || command === undefined) return undefined;
  return { ...entry, name, role, command, ...(ready === undefined ? {} : { ready }) };
}

function readReady(node: Node, reading: Reading): ReadyCheck | undefined {
  const { tcp, http, file } = readSection(node, READY_KEYS, '`ready`', reading);
  const [check, ...more] = [
    ...(tcp === undefined ? [] : [{ tcp }]),
    ...(http === undefined ? [] : [{ http }]),
    ...(file === undefined ? [] : [{ file }]),
  ];
  if (check !== undefined && more.length === 0) return check;
  reading.report(node, 'ready', 'ready must have exactly one of `tcp`, `http` and `file`.');
  return undefined;
}

/** Reads the keys of one mapping; sections and lists inside it are for the caller to read. */
function readSection<Row extends Key>(
  node: Node | null,
  keys: readonly Row[],
  what: string,
  reading: Reading,
): Section<Row> {
  const { report } = reading;
  const found: Record<string, unknown> = {};
  if (!isMap(node)) {
    report(node ?? undefined, 'wrong-type', `${what} must be a mapping of keys to values.`);
    return {};
  }
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const row = keys.find((candidate) => candidate.name === name);
    if (row === undefined) {
      const hint = didYouMean(
        name,
        keys.map((candidate) => candidate.name),
      );
      report(key as Node, 'unknown-key', `${what} has no key \`${name}\`${hint || '.'}`);
      continue;
    }
    const read = readValue(row, value as Node | null, (path) => absolute(path, reading), report);
    if (read !== undefined) found[name] = read;
  }
  for (const row of keys) {
    if (row.required && !node.has(row.name)) {
      report(node, 'missing-key', `${what} needs the key \`${row.name}\`.`);
    }
  }
  // `readValue` gives what the kind of the row says.
  return found as Section<Row>;
}

/** `~` is the user's home, as in Dapr. */
function absolute(path: string, { dir, homeDir }: Reading): string {
  if (path === '~') return homeDir;
  return path.startsWith('~/') ? join(homeDir, path.slice(2)) : resolve(dir, path);
}

function nodeAt(document: Document, path: Path): Node | undefined {
  const node = isMap(document.contents) ? document.getIn(path, true) : undefined;
  return isNode(node) ? node : undefined;
}

/** The node at `path`, or at the closest place above it: a default stands nowhere. */
function nearestNode(document: Document, path: Path): Node | undefined {
  if (path.length === 0) return document.contents ?? undefined;
  return nodeAt(document, path) ?? nearestNode(document, path.slice(0, -1));
}

function itemsAt(document: Document, path: Path): readonly Node[] {
  const node = nodeAt(document, path);
  return node !== undefined && isSeq(node) ? (node.items as Node[]) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
