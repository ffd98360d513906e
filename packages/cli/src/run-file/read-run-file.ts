import { access, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { decodeUtf8 } from '@holdfast/config';
import type { Finding } from './check-run-file.ts';
import { parseRunFile } from './parse-run-file.ts';
import type { RunFile, SharedSettings } from './run-file.ts';
import { RunFileError } from './run-file-error.ts';

/** A run file is written by hand; anything larger is not one. */
const MAX_FILE_BYTES = 1024 * 1024;

/** What `-f DIR` looks for, as Dapr does. */
const FILE_NAMES = ['dapr.yaml', 'dapr.yml'];

/**
 * Reads a run file, or the `dapr.yaml` of a folder, and checks that the folders
 * it names are there.
 *
 * @throws RunFileError when it is missing, is no run file, or contradicts itself
 */
export async function readRunFile(path: string): Promise<RunFile> {
  const file = await findRunFile(path);
  const { runFile, problemAt } = parseRunFile(await textOf(file), file, homedir());
  const missing = await missingPaths(runFile);
  if (missing.length > 0) throw new RunFileError(missing.map(problemAt));
  return runFile;
}

async function textOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw noRunFile(file, `This run file cannot be read (${error.code ?? error.message}).`);
  });
  const decoded = decodeUtf8(bytes);
  if ('text' in decoded) return decoded.text;
  const { line, column, hint } = decoded;
  const message = `A run file must be UTF-8; ${hint}.`;
  throw new RunFileError([{ file, line, column, rule: 'not-utf8', message }]);
}

async function missingPaths(runFile: RunFile): Promise<readonly Finding[]> {
  const rule = 'missing-path';
  const findings: Finding[] = [];
  for (const named of namedPaths(runFile.common)) {
    if (await exists(named.path)) continue;
    const message = `common names ${named.path}, which is not there.`;
    findings.push({ path: ['common', ...named.at], rule, message });
  }
  for (const [index, app] of runFile.apps.entries()) {
    if (!(await isDirectory(app.appDirPath))) {
      const message = `appDirPath of app "${app.appID}", ${app.appDirPath}, is not a folder.`;
      findings.push({ path: ['apps', index, 'appDirPath'], rule, message });
      continue;
    }
    for (const named of namedPaths(app)) {
      if (await exists(named.path)) continue;
      const message = `App "${app.appID}" names ${named.path}, which is not there.`;
      findings.push({ path: ['apps', index, ...named.at], rule, message });
    }
  }
  return findings;
}

async function findRunFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw noRunFile(path, 'There is no such run file.');
  if (!found.isDirectory()) {
    if (found.size > MAX_FILE_BYTES) {
      throw noRunFile(path, `A run file may have ${MAX_FILE_BYTES} bytes, not ${found.size}.`);
    }
    return path;
  }
  for (const name of FILE_NAMES) {
    if (await exists(join(path, name))) return findRunFile(join(path, name));
  }
  throw noRunFile(path, `There is no ${FILE_NAMES.join(' or ')} in this folder.`);
}

function noRunFile(file: string, message: string): RunFileError {
  return new RunFileError([{ file, line: 1, column: 1, rule: 'no-run-file', message }]);
}

const PATH_KEYS = ['resourcesPath', 'componentsPath', 'configFilePath', 'runtimePath'] as const;

/** The paths Dapr requires to exist when they are written, and the keys that lead to them. */
function namedPaths(settings: SharedSettings) {
  const single = PATH_KEYS.flatMap((key) => {
    const path = settings[key];
    return path === undefined ? [] : [{ path, at: [key] }];
  });
  const listed = (settings.resourcesPaths ?? []).map((path, index) => ({
    path,
    at: ['resourcesPaths', index],
  }));
  return [...listed, ...single];
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
