import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One case of the suite, as its source tells of it. */
export interface ListedCase {
  /** `daprd/state/http/basic`: its folder and its type. */
  readonly name: string;
  /** The programs that its file has the suite start or stand in for: `daprd`, `placement`, `grpc/sentry`. */
  readonly starts: readonly string[];
}

/**
 * All cases of the suite, by name; the suite itself does not tell them without running them.
 * A folder that nothing imports is not in the suite, though it is in the source.
 */
export function listCases(integrationFolder: string): readonly ListedCase[] {
  const cases: ListedCase[] = [];
  const seen = new Set<string>();
  const left = [''];
  for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    for (const source of goFiles(path.join(integrationFolder, folder))) {
      left.push(...importedFolders(source));
      if (folder.startsWith('suite/')) cases.push(...casesIn(folder.slice(6), source));
    }
  }
  return cases.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The cases that one Go file registers. */
export function casesIn(folder: string, source: string): readonly ListedCase[] {
  const starts = [...source.matchAll(/"[^"\n]*\/framework\/process\/([^"\n]+)"/g)].map(
    ([, process]) => process!,
  );
  return [...source.matchAll(/^[^/\n]*\bsuite\.Register\(new\((\w+)\)\)/gm)].map(([, type]) => ({
    name: `${folder}/${type}`,
    starts: [...new Set(starts)],
  }));
}

function goFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.go'))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'));
}

/** The folders of the suite that a Go file imports. */
function importedFolders(source: string): readonly string[] {
  const found = source.matchAll(
    /^(?:import)?\s*(?:\w+\s+)?"[^"\n]*\/tests\/integration\/([^"\n]+)"/gm,
  );
  return [...found].map(([, folder]) => folder!);
}
