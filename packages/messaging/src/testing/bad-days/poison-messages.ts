import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { IncomingMessage, OutgoingMessage } from '../../message.ts';
import { Victim } from '../crash/victim.ts';
import { eventually } from '../eventually.ts';
import { brokerAt } from './broker-at.ts';
import type { MemberTask } from './member-process.ts';

/** A running broker. */
export interface PoisonedBroker {
  /** As `brokerAt` takes it, here and in processes of their own. */
  readonly url: string;
  /** Makes a topic, where one that is made by use would be too simple. */
  readonly make?: (topic: string) => Promise<void>;
}

export interface PoisonMessages {
  readonly skip?: string | false;
  /** Whether it knows how often others had a message. @default true */
  readonly counts?: boolean;
  /** Order is kept per key also where several are handled at the same time. @default false */
  readonly ordersAlways?: boolean;
}

const AFTER = 2;
/** So often a member is closed in an orderly way. */
const CLOSES = 5;
const KEYS = ['a', 'b', 'c', 'd'];
const EACH = 6;

/** Of all suites of a process. */
let topics = 0;

/** Messages whose handler kills its process each time, among others: a member that is started again until it lives. */
export function poisonMessages(
  name: string,
  under: () => Promise<PoisonedBroker>,
  { counts = true, ordersAlways = false, skip = false }: PoisonMessages = {},
): void {
  describe(`${name} with a message that kills whoever handles it`, { skip }, () => {
    if (!counts) {
      test('it comes for ever, as if it had never come before', async (t) => {
        const how = { concurrency: 1, deadly: ['b'], most: AFTER + 2 };
        const { deaths, lines } = await poison(t, await under(), how);

        assert.equal(deaths, AFTER + 2);
        const begun = lines.filter((line) => line.startsWith('begins deadly'));
        assert.deepEqual(new Set(begun), new Set(['begins deadly-b#1']));
        assert.ok(begun.length >= deaths, `${begun.length} times`);
      });
      return;
    }

    test('what members have in hand that are closed, again and again, is not taken for such', async (t) => {
      const { dead, end, lines, publish, start } = await begin(t, await under(), 4);
      await start();
      const ids = Array.from({ length: 60 }, (_, n) => `${KEYS[n % KEYS.length]}-slow-${n}`);
      await publish(ids);
      const ended = () => new Set(endedOf(lines)).size;
      for (let closes = 1; closes <= CLOSES; closes += 1) {
        const some = Math.min(ids.length, ended() + 4);
        await eventually(ended, (count) => count >= some, `${some} are handled`);
        await end();
        await start();
      }
      await eventually(ended, (count) => count === ids.length, 'all are handled');
      await end();

      assert.deepEqual(
        dead.map(({ headers, id }) => `${id}: ${headers.reason}`),
        [],
      );
    });

    for (const concurrency of [1, 4]) {
      test(`it is given up, and the others are handled, with a concurrency of ${concurrency}`, async (t) => {
        const deadly = concurrency === 1 ? ['b'] : ['b', 'd'];
        // Where it was not the first in hand it may have been one of several, and has one time more.
        const most = deadly.length * (AFTER + 1);
        const how = { concurrency, deadly, most: most + 1 };
        const { dead, deaths, goods, lines } = await poison(t, await under(), how);

        t.diagnostic(`${deaths} deaths; ${dead.map(({ headers }) => headers.reason).join('; ')}`);
        assert.ok(deaths >= AFTER * deadly.length && deaths <= most, `${deaths} deaths`);
        for (const key of deadly) {
          const begun = lines.filter((line) => line.startsWith(`begins deadly-${key}#`));
          assert.ok(begun.length >= AFTER && begun.length <= most, begun.join());
          assert.equal(lines.filter((line) => line.startsWith(`ends deadly-${key}#`)).length, 0);
        }
        const letters = new Map(dead.map((each) => [each.id, each]));
        assert.deepEqual(
          [...letters.keys()].toSorted(),
          deadly.map((key) => `deadly-${key}`),
        );
        for (const { body, headers, id, key } of dead) {
          assert.match(headers.reason ?? '', /^handed over [2-9] times, and nobody said how it/);
          const times = Number(headers.reason?.split(' ')[2]);
          const ended = JSON.parse(headers.ended ?? '[]') as string[];
          assert.equal(ended.length, times);
          const number = (at: number) => new RegExp(`^delivery ${at + 1}: ended with its process`);
          for (const [at, detail] of ended.entries()) assert.match(detail, number(at));
          assert.deepEqual([Buffer.from(body).toString(), `deadly-${key}`], [id, id]);
        }
        const ends = lines
          .filter((line) => line.startsWith('ends '))
          .map((line) => line.replace(/^ends (.*)#.*$/, '$1'));
        assert.deepEqual([...new Set(ends)].toSorted(), goods.toSorted());
        if (concurrency > 1 && !ordersAlways) return;
        for (const key of KEYS) {
          const ofKey = goods.filter((id) => id.startsWith(key));
          assert.deepEqual([...new Set(ends.filter((id) => id.startsWith(key)))], ofKey);
        }
      });
    }
  });
}

async function begin(t: TestContext, { make, url }: PoisonedBroker, concurrency: number) {
  topics += 1;
  const topic = `poison-${process.pid}-${topics}`;
  await make?.(topic);
  const broker = await brokerAt(url, `tester-${topic}`);
  t.after(() => broker.close());
  const dead: IncomingMessage[] = [];
  await broker.subscribe(`${topic}-dead`, { group: 'undertaker' }, async (message) => {
    dead.push(message);
  });
  const lines: string[] = [];
  const task: MemberTask = {
    ...{ url, topic, concurrency, clientId: `member-${topic}`, group: 'g' },
    ...{ dies: true, givesUpAfter: AFTER, slowMs: 50 },
  };
  const victim = new Victim(
    '../bad-days/member-process.ts',
    () => [JSON.stringify(task)],
    (line) => lines.push(line),
  );
  t.after(() => victim.end('SIGKILL'));
  return {
    ...{ dead, lines },
    start: () => victim.start(),
    died: () => victim.ended(),
    end: () => victim.end('SIGTERM'),
    publish: (ids: readonly string[]) => broker.publish(ids.map((id) => outgoing(topic, id))),
  };
}

/**
 * Publishes good messages and, third of their keys, `deadly` ones; then starts a member until it lives, `most` times at
 * most. Resolves when all are handled or given up.
 */
async function poison(t: TestContext, broker: PoisonedBroker, how: Poisoned) {
  const { dead, died, end, lines, publish, start } = await begin(t, broker, how.concurrency);
  // Those behind the deadly ones are at work for longer than these let them.
  const nameOf = (n: number) => (n === 2 ? 'slow' : String(n));
  const rounds = Array.from({ length: EACH }, (_, n) => KEYS.map((key) => `${key}-${nameOf(n)}`));
  const [first, second, ...others] = rounds;
  const bad = how.deadly.map((key) => `deadly-${key}`);
  const all = [first, second, bad, others].flat(2).filter((id) => id !== undefined);
  // So that the group is there before anything is published.
  await start();
  await publish(all);
  let deaths = 0;
  const count = () => new Set([...endedOf(lines), ...dead.map(({ id }) => id)]).size;
  for (;;) {
    let over = false;
    void died().then(() => {
      over = true;
    });
    const handled = await eventually(
      () => (count() === all.length ? 'all' : over && 'not all'),
      (which) => which !== false,
      'all are handled or given up, or it dies',
      120_000,
    );
    if (handled === 'all') break;
    deaths += 1;
    if (deaths >= how.most) break;
    await start();
  }
  await end();
  return { dead, deaths, goods: rounds.flat(), lines };
}

interface Poisoned {
  readonly concurrency: number;
  /** Keys that have a message which kills. */
  readonly deadly: readonly string[];
  /** Deaths after which nobody starts it any more. */
  readonly most: number;
}

const endedOf = (lines: readonly string[]) =>
  lines.flatMap((line) => /^ends (.*)#\d+$/.exec(line)?.[1] ?? []);

/** Its body is its id; its key is in it. */
function outgoing(topic: string, id: string): OutgoingMessage {
  const key = id.replace(/^deadly-/, '').slice(0, 1);
  return { id, topic, key, body: Buffer.from(id), headers: {} };
}
