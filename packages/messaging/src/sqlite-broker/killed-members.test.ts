import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Victim } from '../testing/crash/victim.ts';
import { eventually } from '../testing/eventually.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteBroker } from './sqlite-broker.ts';

const KILLS = 6;

test('members in processes of their own are killed, and every message is handled, first times in order', async (t) => {
  const path = join(await tempDir(t), 'broker.db');
  const seen = new Set<string>();
  const firsts: string[] = [];
  const hear = (line: string) => {
    if (line === 'ready' || seen.has(line)) return;
    seen.add(line);
    firsts.push(line);
  };
  const program = '../../sqlite-broker/testing/member-process.ts';
  const members = [1, 2].map(() => new Victim(program, () => [path, 'events'], hear));
  t.after(() => Promise.all(members.map((member) => member.end('SIGKILL'))));
  for (const member of members) await member.start();
  const publisher = sqliteBroker({ path });
  t.after(() => publisher.close());

  const sent: string[] = [];
  let publishing = true;
  const published = (async () => {
    while (publishing) {
      const ids = Array.from({ length: 5 }, (_, at) => `m${sent.length + at}`);
      await publisher.publish(ids.map((id) => message(id)));
      sent.push(...ids);
      await sleep(2);
    }
  })();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = seen.size;
    await eventually(
      () => seen.size,
      (size) => size > before + 20,
      'there is traffic',
    );
    const victim = members[kill % 2]!;
    await victim.end('SIGKILL');
    await victim.start();
  }
  publishing = false;
  await published;
  await eventually(
    () => seen.size,
    (size) => size >= sent.length,
    'all are handled',
  );

  assert.deepEqual(firsts, sent);
});

function message(id: string) {
  return { id, topic: 'events', key: 'k', body: Buffer.from(id), headers: {} };
}
