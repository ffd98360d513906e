import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LARGEST_FILE_BYTES } from '../parse/parse-resiliency.ts';
import type { Problem } from '../problems/problem.ts';
import { problemAt } from '../problems/report.ts';
import type { RuleName } from '../problems/rules.ts';

/** YAML files per directory; more is a directory named by mistake. */
export const MOST_FILES = 1_000;

/** One file as it is on disk. */
export interface Source {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What the paths hold now, in the order of reading, and what could not be read. */
export interface Sources {
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
}

/**
 * Reads files as they are named, and of directories the `.yaml` and `.yml`
 * files, in any letter case, by name, without their subdirectories: as Dapr does.
 */
export async function readSources(paths: readonly string[]): Promise<Sources> {
  const sources: Source[] = [];
  const problems: Problem[] = [];
  for (const given of paths) {
    for (const file of await listFiles(given, problems)) {
      const bytes = await readWhole(file, file === given, problems);
      if (bytes !== undefined) sources.push({ file, bytes });
    }
  }
  return { sources, problems };
}

/** Whether a directory's entry of that name is read. */
export const isYamlName = (name: string): boolean => /\.ya?ml$/i.test(name);

const fault = (file: string, rule: RuleName, message: string): Problem =>
  problemAt({ file, line: 1, column: 1 }, rule, message);

async function listFiles(given: string, problems: Problem[]): Promise<string[]> {
  try {
    const found = await stat(given);
    if (found.isFile()) return [given];
    if (!found.isDirectory()) {
      problems.push(fault(given, 'unreadable', 'is neither a file nor a directory'));
      return [];
    }
    const names = (await readdir(given)).filter(isYamlName).sort();
    if (names.length > MOST_FILES) {
      problems.push(
        fault(given, 'too-large', `has ${names.length} YAML files, and ${MOST_FILES} is the limit`),
      );
    }
    return names.slice(0, MOST_FILES).map((name) => path.join(given, name));
  } catch (error) {
    problems.push(unreadable(given, error));
    return [];
  }
}

function unreadable(file: string, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return fault(file, 'not-found', 'does not exist');
  return fault(file, 'unreadable', `cannot be read (${code ?? message})`);
}

/** The bytes of a regular file, no more than the limit; a pipe would never end, so it is not opened. */
async function readWhole(
  file: string,
  given: boolean,
  problems: Problem[],
): Promise<Uint8Array | undefined> {
  let handle: FileHandle | undefined;
  try {
    const found = await stat(file);
    if (!found.isFile()) {
      // In a directory that is given, what is not a file is nothing to us: a subdirectory `x.yaml`.
      if (given || !found.isDirectory()) {
        problems.push(fault(file, 'unreadable', 'is not a regular file'));
      }
      return undefined;
    }
    handle = await open(file);
    const bytes = await readUpTo(handle, found.size, LARGEST_FILE_BYTES);
    if (bytes !== undefined) return bytes;
    const { size } = await handle.stat();
    const kib = LARGEST_FILE_BYTES / 1024;
    const message = `is ${size} bytes, and ${kib} KiB is the limit; split it into several files`;
    problems.push(fault(file, 'too-large', message));
    return undefined;
  } catch (error) {
    problems.push(unreadable(file, error));
    return undefined;
  } finally {
    await handle?.close();
  }
}

/** All of it; undefined where it is longer than that. One that grows while it is read is read on. */
async function readUpTo(
  handle: FileHandle,
  expectedBytes: number,
  mostBytes: number,
): Promise<Uint8Array | undefined> {
  let buffer = new Uint8Array(Math.min(expectedBytes, mostBytes) + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (length > mostBytes) return undefined;
    if (bytesRead === 0) return buffer.subarray(0, length);
    if (length === buffer.length) {
      const longer = new Uint8Array(Math.min(2 * length, mostBytes + 1));
      longer.set(buffer);
      buffer = longer;
    }
  }
}
