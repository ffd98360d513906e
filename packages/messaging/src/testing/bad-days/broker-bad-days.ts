import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Broker } from '../../broker.ts';
import { memoryStore } from '../../memory-store.ts';
import type { IncomingMessage, OutgoingMessage } from '../../message.ts';
import { openOutbox } from '../../outbox.ts';
import { Victim } from '../crash/victim.ts';
import { eventually } from '../eventually.ts';
import { recorder } from '../recorder.ts';
import { brokerAt } from './broker-at.ts';
import { FolderBackup } from './folder-backup.ts';
import type { MemberTask } from './member-process.ts';

/** A running broker that is to be mistreated, and how. One for the whole suite. */
export interface MistreatedBroker {
  /** As `brokerAt` takes it, here and in processes of their own. */
  readonly url: string;
  /** What its relay says of a body of so many bytes: size, limit and remedy. */
  readonly tooLarge: { readonly bytes: number; readonly says: RegExp };
  /** Puts on a topic what no Holdfast of this version writes; each body once. Resolves with the bodies. */
  foreign(topic: string): Promise<readonly Uint8Array[]>;
  /** Takes a topic away under a broker that goes on, with all that was in it and who had read how far. */
  wipe(topic: string, group: string): Promise<void>;
  /** Where it keeps all it keeps; nobody else does. */
  readonly folder: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface BadDays {
  readonly skip?: string | false;
  /** What a member that was killed had in hand waits so long at most, once the group knows. */
  readonly holdMs: number;
  /** Two members of one group may be up at the same time. @default true */
  readonly severalMembers?: boolean;
  /** How a process whose clock is an hour ahead fares that publishes. @default 'published' */
  readonly aheadBy1h?: RegExp;
  /** Why two nodes cannot have two clocks. @default they can */
  readonly oneClock?: string;
}

/** Of all suites of a process. */
let topics = 0;

/** What a broker makes of bad input and of a bad day; docs/reference/broker-bad-days.md says it in words. */
export function brokerBadDays(
  name: string,
  under: () => Promise<MistreatedBroker>,
  { aheadBy1h = /^published$/, holdMs, oneClock, severalMembers = true, skip = false }: BadDays,
): void {
  describe(`${name} on a bad day`, { skip }, () => {
    const begin = async (t: TestContext) => {
      const broker = await under();
      topics += 1;
      const topic = `bad-${process.pid}-${topics}`;
      const member = (task: Omit<MemberTask, 'url' | 'topic' | 'group'>, hear: string[]) => {
        const whole: MemberTask = { url: broker.url, topic, group: `g-${topic}`, ...task };
        const program = '../bad-days/member-process.ts';
        const victim = new Victim(
          program,
          () => [JSON.stringify(whole)],
          (line) => hear.push(line),
        );
        t.after(() => victim.end('SIGKILL'));
        return victim;
      };
      const connect = async (clientId: string): Promise<Broker> => {
        const connected = await brokerAt(broker.url, `${clientId}-${topic}`);
        t.after(() => connected.close());
        return connected;
      };
      return { ...broker, topic, group: `g-${topic}`, member, connect };
    };

    test('a message larger than it takes is dead at once, with its size, the limit and the remedy, and others go on', async (t) => {
      const { connect, group, tooLarge, topic } = await begin(t);
      const { got, handler } = recorder();
      await (await connect('consumer')).subscribe(topic, { group }, handler);
      const limits = { maxBodyBytes: tooLarge.bytes, maxBytes: tooLarge.bytes * 4 };
      const outbox = await openOutbox({ store: memoryStore(), limits });
      t.after(() => outbox.close());
      outbox.relay(await connect('publisher'));

      await outbox.accept([
        { id: 'before', topic, key: 'a', body: 'x' },
        { id: 'huge', topic, key: 'b', body: Buffer.alloc(tooLarge.bytes) },
        { id: 'behind it', topic, key: 'b', body: 'x' },
        { id: 'beside it', topic, key: 'c', body: 'x' },
      ]);
      await eventually(
        () => new Set(got.map(({ id }) => id)).size,
        (count) => count >= 3,
        'the others arrive',
      );
      const letters = await eventually(
        async () => (await outbox.dead.list()).letters,
        (all) => all.length > 0,
        'it is dead',
      );

      assert.deepEqual(
        letters.map(({ deliveries, message: { id } }) => `${id}#${deliveries}`),
        ['huge#1'],
      );
      assert.match(letters[0]?.reason ?? '', tooLarge.says);
    });

    test('what others put on the topic, and newer versions, is handed over, again where it failed, and what follows comes', async (t) => {
      const { connect, foreign, group, topic } = await begin(t);
      const got: IncomingMessage[] = [];
      const problems: unknown[] = [];
      const options = {
        ...{ group, redeliverMs: 10 },
        onProblem: (problem: { kind: string }) => problems.push(problem.kind),
      };
      const seen = (body: Uint8Array) => got.filter((each) => sameBytes(each.body, body));
      await (await connect('consumer')).subscribe(topic, options, async (message) => {
        got.push(message);
        if (seen(message.body).length === 1) throw new Error('not the first time');
      });

      const bodies = await foreign(topic);
      await (await connect('publisher')).publish([outgoing(topic, 'ours')]);
      await eventually(
        () => seen(Buffer.from('ours')).length,
        (count) => count >= 2,
        'ours is handled',
      );

      assert.deepEqual(
        bodies.map((body) => [
          ...seen(body).map(({ delivery }) => delivery),
          new Set(seen(body).map(({ id }) => id)).size,
        ]),
        bodies.map(() => [1, 2, 1]),
      );
      assert.ok(got.every(({ id, topic: at }) => id !== '' && at === topic));
      for (const { headers } of got) {
        assert.ok(Object.values(headers).every((value) => typeof value === 'string'));
      }
      assert.deepEqual(new Set(problems), new Set(['handler-failed']));
    });

    test('a message that is given up is handed to who is named for it, acknowledged, and the next one comes', async (t) => {
      const { connect, group, topic } = await begin(t);
      const happened: string[] = [];
      const giveUp = {
        after: 2,
        to: async ({ id }: IncomingMessage, error: unknown) => {
          happened.push(`gave up ${id}: ${(error as Error).message}`);
        },
      };
      const first = await connect('first');
      await first.subscribe(topic, { group, redeliverMs: 10, giveUp }, async ({ id, delivery }) => {
        happened.push(`${id}#${delivery}`);
        if (id === 'bad') throw new Error('never');
      });
      const publisher = await connect('publisher');
      await publisher.publish([outgoing(topic, 'bad', 'k'), outgoing(topic, 'good', 'k')]);
      await eventually(
        () => happened.length,
        (count) => count >= 4,
        'both are done with',
      );
      await first.close();

      assert.deepEqual(happened, ['bad#1', 'bad#2', 'gave up bad: never', 'good#1']);
    });

    test('a handler that returns long after its lease keeps its message, and the next one comes behind it', async (t) => {
      const { connect, member, topic } = await begin(t);
      const lines: string[] = [];
      const first = member({ clientId: 'one', slowMs: holdMs * 1.5 }, lines);
      const second = member({ clientId: 'two', slowMs: holdMs * 1.5 }, lines);
      await first.start();
      if (severalMembers) await second.start();

      const publisher = await connect('publisher');
      await publisher.publish([outgoing(topic, 'slow', 'k'), outgoing(topic, 'next', 'k')]);
      await eventually(
        () => lines,
        (all) => all.some((line) => line.startsWith('ends next')),
        'the next one is handled',
      );

      assert.deepEqual(
        lines.filter((line) => line !== 'ready'),
        ['begins slow#1', 'ends slow#1', 'begins next#1', 'ends next#1'],
      );
    });

    test('a handler that kills its process has its message again in the next one, and none is lost', async (t) => {
      const { connect, member, topic } = await begin(t);
      const [before, after]: [string[], string[]] = [[], []];
      const frail = member({ clientId: 'one', dies: true }, before);
      await frail.start();

      const publisher = await connect('publisher');
      const ids = ['first', 'deadly', 'next', 'last'];
      await publisher.publish(ids.map((id) => outgoing(topic, id, 'k')));
      await frail.ended();
      const diedMs = performance.now();
      await member({ clientId: 'one' }, after).start();
      const upMs = performance.now();
      const ended = () =>
        ids.filter((id) => [...before, ...after].some((line) => line.startsWith(`ends ${id}#`)));
      await eventually(ended, (all) => all.length === ids.length, 'all are handled');
      const nowMs = performance.now();
      t.diagnostic(
        `all handled ${Math.round(nowMs - diedMs)} ms after its death, ${Math.round(nowMs - upMs)} after the next was up: ${after.join(', ')}`,
      );

      assert.deepEqual(
        before.filter((line) => /deadly|next|last/.test(line)).map((line) => line.split('#')[0]),
        ['begins deadly'],
      );
      const order = after
        .filter((line) => line.startsWith('ends '))
        .map((line) => line.split('#')[0]);
      const once = [...new Set(order)].filter((line) => line !== 'ends first');
      assert.deepEqual(once, ['ends deadly', 'ends next', 'ends last']);
    });

    const clocks = { skip: oneClock ?? false };
    test('members whose clocks are an hour apart share as others do', clocks, async (t) => {
      const { member } = await begin(t);
      const ids = (who: string) => [
        `slow-${who}`,
        ...Array.from({ length: 6 }, (_, n) => `${who}-${n}`),
      ];
      const [ahead, behind] = [ids('ahead'), ids('behind')];
      const [aheadLines, behindLines]: [string[], string[]] = [[], []];
      const hour = 3_600_000;
      const slow = { slowMs: holdMs * 1.5 };
      const one = { clientId: 'ahead', shiftMs: hour + 60_000, publishes: ahead, ...slow };
      await member(one, aheadLines).start();
      const two = {
        clientId: severalMembers ? 'behind' : 'ahead',
        shiftMs: -hour - 60_000,
        ...slow,
      };
      const other = member({ ...two, publishes: behind }, behindLines);
      if (severalMembers) await other.start();

      const said = (lines: string[]) => lines.filter((line) => /^published|: /.test(line));
      await eventually(
        () => said(aheadLines).length + said(behindLines).length,
        (count) => count >= (severalMembers ? 14 : 7),
        'both have published',
      );
      for (const line of said(aheadLines)) assert.match(line, aheadBy1h);
      for (const line of said(behindLines)) assert.match(line, /^published$/);
      const expected = [
        ...(said(aheadLines)[0] === 'published' ? ahead : []),
        ...(severalMembers ? behind : []),
      ];
      const ends = () =>
        [...aheadLines, ...behindLines].filter((line) => line.startsWith('ends ')).toSorted();
      await eventually(ends, (all) => all.length >= expected.length, 'all are handled');

      assert.deepEqual(ends(), expected.map((id) => `ends ${id}#1`).toSorted());
    });

    test('a topic that is taken away and made anew is read again by members that were there, by itself', async (t) => {
      const { connect, group, topic, wipe } = await begin(t);
      const { got, handler } = recorder();
      const problems: string[] = [];
      const onProblem = ({ error }: { readonly error: unknown }) => problems.push(String(error));
      await (await connect('consumer')).subscribe(topic, { group, onProblem }, handler);
      const publisher = await connect('publisher');
      await publisher.publish(['a', 'b', 'c'].map((id) => outgoing(topic, id, 'k')));
      await eventually(
        () => got.length,
        (count) => count >= 3,
        'what came before is handled',
      );

      await wipe(topic, group);
      const wipedMs = performance.now();
      await eventually(
        () =>
          publisher.publish([outgoing(topic, 'd', 'k')]).then(
            () => true,
            (error: Error) => error.message,
          ),
        (published) => published === true,
        'publishing works again',
      );
      await eventually(
        () => got.map(({ id }) => id),
        (ids) => ids.includes('d'),
        `the member reads again; it said ${problems}`,
      );
      t.diagnostic(
        `handled ${Math.round(performance.now() - wipedMs)} ms after it was taken away; it said ${problems.join(' | ')}`,
      );
      assert.deepEqual(new Set(got.map(({ id }) => id)), new Set(['a', 'b', 'c', 'd']));
    });

    test('restored from yesterday’s backup it goes on by itself, and what is repeated has the same ids', async (t) => {
      const { connect, folder, group, start, stop, topic } = await begin(t);
      const { got, handler } = recorder(async ({ id }) => {
        if (id === 'held' && !released) throw new Error('not yet');
      });
      let released = false;
      const options = { group, redeliverMs: 50, maxRedeliverMs: 200 };
      await (await connect('consumer')).subscribe(topic, options, handler);
      const publisher = await connect('publisher');
      const publish = (id: string) =>
        eventually(
          () =>
            publisher.publish([outgoing(topic, id, 'k')]).then(
              () => true,
              (error: Error) => error.message,
            ),
          (published) => published === true,
          `${id} is published`,
        );
      const handled = () => got.filter(({ id }) => id !== 'held' || released).map(({ id }) => id);
      const arrives = (id: string) =>
        eventually(handled, (ids) => ids.includes(id), `${id} is handled`);

      await publish('first');
      await publish('held');
      await arrives('first');
      const backup = new FolderBackup(folder);
      t.after(() => backup.remove());
      await stop();
      await backup.take();
      await start();
      released = true;
      await arrives('held');
      for (const id of ['since', 'later']) {
        await publish(id);
        // With the second handled the broker knows that `held` is: what a member still had to say of it
        // it would say first after the restoration.
        await arrives(id);
      }
      await stop();
      await backup.putBack();
      const before = got.length;
      await start();
      const restoredMs = performance.now();
      await publish('tomorrow');
      await arrives('tomorrow');
      t.diagnostic(
        `handled ${Math.round(performance.now() - restoredMs)} ms after the restoration`,
      );

      const again = got.slice(before).map(({ id }) => id);
      t.diagnostic(`after it: ${again.join(', ')}`);
      assert.ok(again.includes('held'), `what was not handled in the backup comes again: ${again}`);
      assert.deepEqual(
        got.filter(({ id, body }) => id !== Buffer.from(body).toString()).map(({ id }) => id),
        [],
      );
    });
  });
}

/** Its body is its id. */
function outgoing(topic: string, id: string, key?: string): OutgoingMessage {
  return { id, topic, key, body: Buffer.from(id), headers: {} };
}

const sameBytes = (one: Uint8Array, other: Uint8Array) => Buffer.from(one).equals(other);
