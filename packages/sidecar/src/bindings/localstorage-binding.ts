import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { BindingAnswer, BindingRequest, OutputBinding } from './binding.ts';
import { confinedPath } from './confined-path.ts';
import { goFileError } from './go-file-error.ts';

/** Where nobody keeps files, and much can be read that should not be. */
const DISALLOWED = ['/proc', '/sys', '/boot', '/var/run/secrets', '/run/secrets'];

/** A file is answered whole, from memory. */
const LONGEST_FILE_BYTES = 100 * 1024 * 1024;

/** Go's, which knows no other form. */
const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

/**
 * `bindings.localstorage`: files below `rootPath`, and nowhere else.
 *
 * @throws Error for a root that cannot be.
 */
export async function localStorageBinding(settings: ComponentSettings): Promise<OutputBinding> {
  const root = await rootOf(settings.text('rootPath'));

  const locate = async (name: string): Promise<string> => {
    try {
      return await confinedPath(root, name);
    } catch (error) {
      throw new Error(`error getting absolute path for file ${name}: ${(error as Error).message}`);
    }
  };
  const operations: Readonly<
    Record<string, (request: BindingRequest) => Promise<BindingAnswer | undefined>>
  > = {
    async create({ data, metadata }) {
      const path = await locate(metadata.fileName || randomUUID());
      await write(path, contentOf(data));
      return answer({ fileName: relative(root, path) || '.' });
    },
    async get({ metadata }) {
      return { data: await read(await locate(metadata.fileName ?? '')), metadata: {} };
    },
    async list({ metadata }) {
      return answer(await list(await locate(metadata.fileName ?? '')));
    },
    async delete({ metadata }) {
      const path = await locate(metadata.fileName ?? '');
      if (path === root) throw new Error(`error deleting file ${path}: it is rootPath`);
      await remove(path);
      return undefined;
    },
  };
  return {
    operations: Object.keys(operations),
    invoke: (request) => operations[request.operation]!(request),
    async close() {},
  };
}

const answer = (value: unknown): BindingAnswer => ({
  data: Buffer.from(JSON.stringify(value)),
  metadata: {},
});

async function rootOf(given: string | undefined): Promise<string> {
  if (given === undefined) throw new Error('property rootPath must not be empty');
  const path = resolve(given);
  const root = await followed(path);
  // Before it is made: below /proc Node would try to for ever.
  if (DISALLOWED.some((one) => root === one || root.startsWith(`${one}/`))) {
    throw new Error('property rootPath points to a disallowed location');
  }
  await mkdir(root, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST' || error.code === 'ENOTDIR') throw new Error(NO_FOLDER);
    const why = goFileError('mkdir', path, error);
    throw new Error(`unable to create directory specified by 'rootPath' ${path}: ${why}`);
  });
  return root;
}

const NO_FOLDER = 'property rootPath represents a file and not a directory';

/** Where a path leads through its links, as far as it is there. */
async function followed(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw new Error(NO_FOLDER);
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    return join(await followed(dirname(path)), basename(path));
  }
}

/** A text as it is, or what it is the Base64 of; anything else as it came. */
function contentOf(data: Buffer | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  const text = quotedText(data);
  const bare = (text ?? data.toString('latin1')).replaceAll(/[\r\n]/g, '');
  if (BASE64.test(bare)) return Buffer.from(bare, 'base64');
  return text === undefined ? data : Buffer.from(text);
}

/** What a text of JSON says; undefined for all else, be it that it begins with a quote as a table may. */
function quotedText(data: Buffer): string | undefined {
  if (data[0] !== QUOTE) return undefined;
  try {
    return JSON.parse(data.toString('utf8')) as string;
  } catch {
    return undefined;
  }
}

const QUOTE = '"'.charCodeAt(0);

async function write(path: string, content: Buffer): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    // Node says that something is there; Go, what is wrong with it.
    const why = error.code === 'EEXIST' ? { ...error, code: 'ENOTDIR' } : error;
    throw new Error(`error creating directory ${folder}: ${goFileError('mkdir', folder, why)}`);
  });
  const { O_CREAT, O_NOFOLLOW = 0, O_TRUNC, O_WRONLY } = constants;
  // Not through a link: it may have come to lead elsewhere since it was looked at.
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o666).catch(
    (error: unknown) => {
      throw new Error(`error creating file ${path}: ${goFileError('open', path, error)}`);
    },
  );
  try {
    await file.writeFile(content);
  } catch (error) {
    throw new Error(`error writing to file ${path}: ${goFileError('write', path, error)}`);
  } finally {
    await file.close();
  }
}

async function read(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Error(`file not found: ${path}`);
    throw new Error(`error opening path ${path}: ${goFileError('open', path, error)}`);
  });
  try {
    const { size } = await file.stat();
    if (size > LONGEST_FILE_BYTES) {
      throw new Error(`its ${size} bytes exceed the limit of ${LONGEST_FILE_BYTES}`);
    }
    return await file.readFile();
  } catch (error) {
    throw new Error(`error reading file ${path}: ${goFileError('read', path, error)}`);
  } finally {
    await file.close();
  }
}

/** Files below a directory, in order of their names; null where there are none, as in Dapr. */
async function list(path: string): Promise<readonly string[] | null> {
  const found = await stat(path).catch((error: unknown) => {
    throw new Error(`error getting stats for path ${path}: ${goFileError('stat', path, error)}`);
  });
  if (!found.isDirectory()) {
    throw new Error(`unable to list files as the file specified is not a directory: ${path}`);
  }
  const files: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const at = join(folder, entry.name);
      if (entry.isDirectory()) await walk(at);
      else files.push(at);
    }
  };
  await walk(path);
  return files.length === 0 ? null : files;
}

async function remove(path: string): Promise<void> {
  try {
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    await (isFolder ? rmdir(path) : rm(path));
  } catch (error) {
    throw new Error(`error deleting file ${path}: ${goFileError('remove', path, error)}`);
  }
}
