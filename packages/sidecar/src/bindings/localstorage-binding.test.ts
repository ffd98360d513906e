import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ComponentSettings } from '../components/component-settings.ts';
import { localStorageBinding } from './localstorage-binding.ts';

test('localstorage writes texts as they are, Base64 as what it stands for, anything else as JSON', async (t) => {
  const { ask, folder } = await storage(t);
  await ask('create', 'hello', 'a/text');
  await ask('create', Buffer.from([0, 255, 10]).toString('base64'), 'a/bytes');
  await ask('create', { x: ['<'] }, 'json');
  await ask('create', undefined, 'nothing');
  const read = (name: string) => readFile(join(folder, 'root', name));
  assert.deepEqual(
    [
      (await read('a/text')).toString(),
      [...(await read('a/bytes'))],
      (await read('json')).toString(),
      (await read('nothing')).length,
      await ask('list', undefined, 'a'),
      await ask('get', undefined, 'a/text'),
    ],
    [
      'hello',
      [0, 255, 10],
      '{"x":["<"]}',
      0,
      JSON.stringify([join(folder, 'root/a/bytes'), join(folder, 'root/a/text')]),
      'hello',
    ],
  );
});

test('localstorage stays below its root, whatever a name says', async (t) => {
  const { ask, folder } = await storage(t);
  await writeFile(join(folder, 'secret'), 'hush');
  await mkdir(join(folder, 'root/deep'));
  await symlink(join(folder, 'secret'), join(folder, 'root/link'));
  await symlink(folder, join(folder, 'root/deep/up'));
  await symlink(join(folder, 'not-there'), join(folder, 'root/dangling'));
  const names = ['../secret', '/../../secret', 'deep/../../secret', 'link', 'deep/up/secret'];
  const outcomes: string[] = [];
  for (const name of [...names, 'deep/up/new', 'dangling', 'a\0b', '..\\..\\secret']) {
    for (const operation of ['get', 'create', 'delete', 'list']) {
      outcomes.push(await ask(operation, 'overwritten', name).catch((e: Error) => e.message));
    }
  }
  assert.deepEqual(
    outcomes.filter((text) => text.includes('hush')),
    [],
  );
  assert.equal(await readFile(join(folder, 'secret'), 'utf8'), 'hush');
  await assert.rejects(readFile(join(folder, 'new')), { code: 'ENOENT' });
  await assert.rejects(readFile(join(folder, 'not-there')), { code: 'ENOENT' });
  const out = 'error getting absolute path for file link: it leads out of rootPath';
  assert.equal(await ask('get', undefined, 'link').catch((e: Error) => e.message), out);
});

test('localstorage needs a root that is a directory of its own', async (t) => {
  const { folder } = await storage(t);
  await writeFile(join(folder, 'file'), '');
  await symlink('/proc', join(folder, 'processes'));
  const words = (root: string) =>
    localStorageBinding(new ComponentSettings('files', [['rootPath', root]])).then(
      () => 'open',
      (error: Error) => error.message,
    );
  const disallowed = 'property rootPath points to a disallowed location';
  assert.deepEqual(
    [
      await words(''),
      await words(join(folder, 'file')),
      await words(join(folder, 'file', 'below')),
      await words('/proc'),
      await words('/proc/not-there/yet'),
      await words(join(folder, 'processes', 'not-there')),
      await words(join(folder, 'processes')),
      await words('/sys/kernel'),
    ],
    [
      'property rootPath must not be empty',
      'property rootPath represents a file and not a directory',
      'property rootPath represents a file and not a directory',
      disallowed,
      disallowed,
      disallowed,
      disallowed,
      disallowed,
    ],
  );
});

async function storage(t: TestContext) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-files-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const settings = new ComponentSettings('files', [['rootPath', join(folder, 'root')]]);
  const binding = await localStorageBinding(settings);
  const ask = async (operation: string, data?: unknown, fileName = ''): Promise<string> => {
    const answer = await binding.invoke({
      operation,
      data: data === undefined ? undefined : Buffer.from(JSON.stringify(data)),
      metadata: { fileName },
      trace: [],
    });
    return answer?.data.toString() ?? '';
  };
  return { ask, folder };
}
