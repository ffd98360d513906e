import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One case of the suite, as its source tells of it. */
export interface ListedCase {
  /** `daprd/state/http/basic`: its folder and its type. */
  readonly name: string;
  /** The programs that its file has the suite start or stand in for: `daprd`, `placement`, `grpc/sentry`. */
  readonly starts: readonly string[];
}

/** All cases of the suite, by name; the suite itself does not tell them without running them. */
export function listCases(integrationFolder: string): readonly ListedCase[] {
  const suite = path.join(integrationFolder, 'suite');
  const found = readdirSync(suite, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.go'))
    .flatMap((entry) => {
      const folder = path.relative(suite, entry.parentPath).replaceAll(path.sep, '/');
      return casesIn(folder, readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
    });
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The cases that one Go file registers. */
export function casesIn(folder: string, source: string): readonly ListedCase[] {
  const starts = [...source.matchAll(/"[^"\n]*\/framework\/process\/([^"\n]+)"/g)].map(
    ([, process]) => process!,
  );
  return [...source.matchAll(/^\s*suite\.Register\(new\((\w+)\)\)/gm)].map(([, type]) => ({
    name: `${folder}/${type}`,
    starts: [...new Set(starts)],
  }));
}
