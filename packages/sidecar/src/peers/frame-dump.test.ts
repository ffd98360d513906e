import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { until } from '@holdfast/test-servers';
import { startMesh, temporaryFolder } from '../testing/start-mesh.ts';
import { openFrameDump } from './frame-dump.ts';

test('each frame of both ends is a line in the file, which is its owner’s alone', async (t) => {
  const folder = await temporaryFolder(t);
  const [calling, called] = ['caller', 'callee'].map((name) => path.join(folder, `${name}.frames`));
  const { url, log } = await startMesh(
    t,
    (req, res) => void req.resume().on('end', () => res.end('answer')),
    {
      caller: { frameDumpFile: calling! },
      callee: { frameDumpFile: called! },
    },
  );

  const headers = { authorization: 'Bearer hush', 'x-mine': '1' };
  await (await fetch(`${url}/charge`, { method: 'POST', headers, body: 'sum=7' })).text();

  const lines = async (file: string) =>
    (await readFile(file, 'utf8'))
      .split('\n')
      .map((line) => line.replace(/^\S+ (to|from) \S+ /, ''));
  await until('both frames are in the file', async () => (await lines(called!)).length > 2);
  const [there, back] = await lines(calling!);
  assert.match(
    there!,
    /^> HEAD last stream=\d+ length=\d+ POST \/charge \| .*x-mine: 1.* \| "sum=7"$/,
  );
  assert.match(there!, /authorization: \*\*\*/);
  assert.match(back!, /^< HEAD last stream=\d+ length=\d+ 200 \| .* \| "answer"$/);
  assert.deepEqual(
    (await lines(called!)).slice(0, 2).map((line) => line[0]),
    ['<', '>'],
  );
  assert.equal((await stat(calling!)).mode & 0o777, 0o600);
  assert.ok(log.some((line) => line.includes(`written to ${calling}`)));
});

test('a file that cannot be written is told with the variable that names it', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'nowhere', 'x.frames');
  const surroundings = { clock: systemClock, log: createLogger({ write() {} }) };
  assert.throws(() => openFrameDump(file, surroundings), {
    message: /x\.frames \(HOLDFAST_FRAME_DUMP\): ENOENT.*; name a file that this user may write/,
  });
});
