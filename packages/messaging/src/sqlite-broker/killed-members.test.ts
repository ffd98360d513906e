import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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

test('a member that stands still loses what it has to another, and goes on when it is back', async (t) => {
  const path = join(await tempDir(t), 'broker.db');
  const heard = [new Set<string>(), new Set<string>()];
  const members = heard.map(
    (seen) =>
      new Victim(
        '../../sqlite-broker/testing/member-process.ts',
        // A handler that takes a while, so that much is in line when it stops.
        () => [path, 'events', '5'],
        (line) => void seen.add(line),
      ),
  );
  t.after(() => Promise.all(members.map((member) => member.end('SIGKILL'))));
  const publisher = sqliteBroker({ path });
  t.after(() => publisher.close());
  const [one, other] = heard;
  const all = () => new Set([...one!, ...other!]).size - 1;

  await members[0]!.start();
  await publisher.publish(Array.from({ length: 200 }, (_, n) => message(`m${n}`)));
  await eventually(
    () => one!.size,
    (size) => size > 10,
    'the first is at work',
  );
  await standStill(members[0]!, path);
  await members[1]!.start();
  await eventually(all, (count) => count >= 200, 'the other takes over');
  members[0]!.signal('SIGCONT');
  await members[1]!.end('SIGKILL');
  await publisher.publish([message('last')]);
  await eventually(
    () => one!.has('last'),
    (there) => there,
    'the first goes on',
  );

  assert.equal(all(), 201);
});

/** Not in the middle of a transaction: while it stands still, nobody else could begin one. */
async function standStill(member: Victim, path: string): Promise<void> {
  const file = new DatabaseSync(path, { timeout: 0 });
  for (let stands = false; !stands; ) {
    member.signal('SIGSTOP');
    await sleep(50);
    try {
      file.exec('BEGIN IMMEDIATE; ROLLBACK');
      stands = true;
    } catch {
      member.signal('SIGCONT');
      await sleep(5);
    }
  }
  file.close();
}

function message(id: string) {
  return { id, topic: 'events', key: 'k', body: Buffer.from(id), headers: {} };
}
