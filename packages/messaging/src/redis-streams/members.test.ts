import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { messageTo, redisSuite } from '../testing/servers/redis-suite.ts';

const { collect, opened, server, skip } = await redisSuite();
after(() => (skip === false ? server.process.remove() : undefined));

const ids = Array.from({ length: 10 }, (_, n) => `m${n}`);
const sameKey = (topic: string) => ids.map((id) => messageTo(topic, id, 'k'));

test('a member that stood still begins nothing that its successor has, and has its turn again later', {
  skip,
}, async (t) => {
  const member = await memberProcess(t, 'zombie', { concurrency: 1, handlerMs: 300 });
  await opened(t, 'publisher').publish(sameKey('zombie'));
  await member.said('m1');
  member.signal('SIGSTOP');
  const successor = opened(t, 'successor', { claimIdleMs: 1_000 });
  const got: string[] = [];
  await successor.subscribe('zombie', { group: 'g' }, async ({ id, delivery }) => {
    got.push(`${id}#${delivery}`);
  });
  await eventually(
    () => got.length,
    (count) => count >= 9,
    'the successor handles the rest',
  );
  member.signal('SIGCONT');
  await opened(t, 'other').publish([messageTo('zombie', 'n0', 'k')]);
  await eventually(
    () => got,
    (all) => all.includes('n0#1'),
    'the successor goes on',
  );
  await successor.close();
  await opened(t, 'another').publish([messageTo('zombie', 'n1', 'k')]);
  await member.said('n1');

  assert.deepEqual(member.lines, ['subscribed', 'm0', 'm1', 'n1']);
  assert.deepEqual(
    got.map((each) => each.split('#')[0]),
    [...ids.slice(1), 'n0'],
  );
});

test('what a killed member had in hand, side by side, goes to another', { skip }, async (t) => {
  const member = await memberProcess(t, 'killed', { concurrency: 4, handlerMs: 600_000 });
  await opened(t, 'publisher').publish(sameKey('killed'));
  await member.said('m3');
  member.signal('SIGKILL');
  const got = await collect(t, 'killed', 10, { claimIdleMs: 1_000 }, { concurrency: 4 });

  assert.deepEqual(member.lines, ['subscribed', 'm0', 'm1', 'm2', 'm3']);
  assert.deepEqual(got.map(({ id }) => id).toSorted(), ids);
});

interface HowToWork {
  readonly concurrency: number;
  readonly handlerMs: number;
}

async function memberProcess(t: TestContext, topic: string, how: HowToWork) {
  const program = join(import.meta.dirname, 'member-process.ts');
  const words = [server.url, topic, String(how.concurrency), String(how.handlerMs)];
  const child = spawn(process.execPath, ['--conditions=source', program, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  const member = {
    get lines() {
      return text.trim().split('\n');
    },
    said: (line: string) =>
      eventually(
        () => member.lines,
        (lines) => lines.includes(line),
        `the member says ${line}`,
      ),
    signal: (signal: NodeJS.Signals) => child.kill(signal),
  };
  await member.said('subscribed');
  return member;
}
