import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { workspace } from '../testing/workspace.ts';
import { watchedDirectories } from './watched-directories.ts';

test('a database or a log beside the files is no reason to read them again', async (t) => {
  const { at, directory, write } = await workspace(t);
  await mkdir(at('resources'));
  const files = [await write('resources/a.yaml', ''), await write('elsewhere.txt', '')];
  await symlink(at('elsewhere.txt'), at('resources/linked.yaml'));
  const config = await write('config.yaml', '');
  const given = [at('resources'), config];

  const watched = await watchedDirectories(given, [...files, at('resources/linked.yaml'), config]);

  const names = ['a.yaml', 'new.YML', 'config.yaml', 'elsewhere.txt', 'resources', '..data', 'now'];
  const noise = ['names.db', 'names.db-wal', 'holdfastd.log', 'a.yaml.swp', 'resources.tmp'];
  const concerned = watched.map(({ at, concerns }) => [at, [...names, ...noise].filter(concerns)]);
  assert.deepEqual(Object.fromEntries(concerned), {
    [at('resources')]: ['a.yaml', 'new.YML', 'config.yaml', 'resources', '..data', 'now'],
    [directory]: ['config.yaml', 'elsewhere.txt', 'resources', '..data', 'now'],
  });
});
