import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { pipeline, timeout } from '@holdfast/core';
import type { Broker } from '../../broker.ts';
import { BrokerRejectedError, BrokerUnavailableError } from '../../errors.ts';
import type { IncomingMessage, OutgoingMessage } from '../../message.ts';
import { eventually } from '../eventually.ts';
import { recorder } from '../recorder.ts';
import { givenUpContract } from './broker-contract-dead.ts';

/** What an adapter supplies to be put to the test; one running broker for the whole suite. */
export interface BrokerUnderTest {
  /** A new connection under a name of its own. The suite closes it. */
  connect(clientId: string): Broker;
  /** A body of this many bytes is more than the broker takes. */
  readonly tooLargeBytes: number;
  /** Takes the broker away, as hard as there is. */
  kill(): Promise<void>;
  /** Brings it back, with what it had acknowledged. */
  start(): Promise<void>;
}

/** What not every broker can do; README and `SubscribeOptions` say which cannot. */
export interface BrokerAbilities {
  readonly skip?: string | false;
  /** Two members of one group may be up at the same time. @default true */
  readonly severalMembers?: boolean;
  /** Members that are up together handle one key in the order published. @default true */
  readonly orderedMembers?: boolean;
  /**
   * Who gets what a member leaves behind, and what comes while its group is away: any member, one
   * of its name, or nobody. @default 'anybody'
   */
  readonly successor?: 'anybody' | 'namesake' | 'nobody';
  /** With a concurrency above 1 one member handles messages of one topic side by side. @default true */
  readonly parallel?: boolean;
}

/** Of all suites of a process, so that those on one broker do not meet. */
let topics = 0;

/** One test or more for each numbered promise of `Broker`. `under` is asked when the first test begins. */
export function brokerContract(
  name: string,
  under: () => Promise<BrokerUnderTest>,
  {
    skip = false,
    severalMembers = true,
    orderedMembers = true,
    successor = 'anybody',
    parallel = true,
  }: BrokerAbilities = {},
): void {
  const second = successor === 'namesake' ? 'first' : 'second';
  describe(`${name} keeps the broker contract`, { skip }, () => {
    const begin = async (t: TestContext) => {
      const broker = await under();
      const topic = `contract-${process.pid}-${++topics}`;
      return {
        ...broker,
        topic,
        connect(clientId: string) {
          const connected = broker.connect(`${clientId}-${topic}`);
          t.after(() => connected.close());
          return connected;
        },
      };
    };

    test('1, 4, 5: what was published arrives whole and, per key, in order', async (t) => {
      const { connect, topic } = await begin(t);
      const { got, handler } = recorder();
      await connect('consumer').subscribe(topic, { group: `g-${topic}` }, handler);
      const sent = Array.from({ length: 60 }, (_, n) => message(topic, `m${n}`, `key-${n % 3}`));

      const publisher = connect('publisher');
      await publisher.publish(sent.slice(0, 30));
      await publisher.publish(sent.slice(30));
      await eventually(
        () => got.length,
        (count) => count >= 60,
        'all arrive',
      );

      for (const key of ['key-0', 'key-1', 'key-2']) {
        const ofKey = <T extends { key: string | undefined }>(all: readonly T[]) =>
          all.filter((each) => each.key === key);
        assert.deepEqual(ofKey(got).map(plain), ofKey(sent).map(plain));
      }
    });

    test('2: a message that is too large is named, and those beside it can be sent', async (t) => {
      const { connect, topic, tooLargeBytes } = await begin(t);
      const { got, handler } = recorder();
      await connect('consumer').subscribe(topic, { group: `g-${topic}` }, handler);
      const huge = { ...message(topic, 'huge'), body: Buffer.alloc(tooLargeBytes) };

      const publisher = connect('publisher');
      const refusal = await publisher
        .publish([message(topic, 'before'), huge, message(topic, 'after')])
        .catch((error: unknown) => error);
      const taken = refusal instanceof BrokerRejectedError ? refusal.taken : new Set<string>();
      const others = [message(topic, 'before'), message(topic, 'after')];
      await publisher.publish(others.filter(({ id }) => !taken.has(id)));
      await eventually(
        () => idsOf(got),
        (ids) => ids.has('after'),
        'the others arrive',
      );

      assert.ok(refusal instanceof BrokerRejectedError, String(refusal));
      assert.deepEqual([...refusal.rejected.keys()], ['huge']);
      assert.deepEqual(idsOf(got), new Set(['before', 'after']));
    });

    test('6: a handler that fails is handed the message again, and then the next one', async (t) => {
      const { connect, topic } = await begin(t);
      const handled: string[] = [];
      const options = { group: `g-${topic}`, redeliverMs: 10 };
      await connect('consumer').subscribe(topic, options, async ({ id, delivery }) => {
        handled.push(`${id}#${delivery}`);
        if (id === 'bad' && delivery < 3) throw new Error('not yet');
      });

      await connect('publisher').publish([message(topic, 'bad', 'k'), message(topic, 'good', 'k')]);
      await eventually(
        () => handled.length,
        (count) => count >= 4,
        'both are handled',
      );

      assert.deepEqual(handled, ['bad#1', 'bad#2', 'bad#3', 'good#1']);
    });

    test('6: a handler that hangs behind a time-out has failed, and what it does later changes nothing', async (t) => {
      const { connect, topic } = await begin(t);
      const handled: string[] = [];
      const hung = Promise.withResolvers<void>();
      t.after(() => hung.resolve());
      const limited = pipeline('handler', [timeout({ limitMs: 250 })], { registry: undefined });
      const handler = limited.wrap(async ({ id, delivery }: IncomingMessage) => {
        handled.push(`${id}#${delivery}`);
        if (id === 'hangs' && delivery === 1) await hung.promise;
      });
      const options = { group: `g-${topic}`, redeliverMs: 10 };
      await connect('consumer').subscribe(topic, options, handler);

      await connect('publisher').publish([
        message(topic, 'hangs', 'k'),
        message(topic, 'next', 'k'),
      ]);
      await eventually(
        () => handled.length,
        (count) => count >= 3,
        'it is handed over again, and then the next one',
      );
      hung.resolve();

      assert.deepEqual(handled, ['hangs#1', 'hangs#2', 'next#1']);
    });

    const inherited = { skip: successor === 'nobody' && 'here nobody succeeds a member' };
    test(
      '6, 7: what a closed consumer had not handled, and what came while it was away, is its successor’s',
      inherited,
      async (t) => {
        const { connect, topic } = await begin(t);
        const group = `g-${topic}`;
        const first = connect('first');
        const failing = recorder(async () => {
          throw new Error('this consumer never succeeds');
        });
        await first.subscribe(topic, { group, redeliverMs: 10 }, failing.handler);
        const publisher = connect('publisher');
        await publisher.publish([message(topic, 'unhandled', 'k')]);
        await eventually(
          () => failing.got.length,
          (count) => count > 0,
          'the first is tried',
        );
        await first.close();
        await publisher.publish([message(topic, 'while away', 'k')]);

        const { got, handler } = recorder();
        await connect(second).subscribe(topic, { group }, handler);
        await eventually(
          () => got.length,
          (count) => count >= 2,
          'the successor gets both',
        );

        assert.deepEqual([...idsOf(got)], ['unhandled', 'while away']);
      },
    );

    test('6: what was handled is not handed to the successor again', async (t) => {
      const { connect, topic } = await begin(t);
      const group = `g-${topic}`;
      const one = recorder();
      const first = connect('first');
      await first.subscribe(topic, { group }, one.handler);
      const publisher = connect('publisher');
      await publisher.publish([message(topic, 'handled', 'k')]);
      await eventually(
        () => one.got.length,
        (count) => count > 0,
        'the first handles it',
      );
      await first.close();

      const two = recorder();
      await connect(second).subscribe(topic, { group }, two.handler);
      await publisher.publish([message(topic, 'next', 'k')]);
      await eventually(
        () => idsOf(two.got),
        (ids) => ids.has('next'),
        'the second goes on',
      );

      assert.deepEqual([...idsOf(two.got)], ['next']);
    });

    if (severalMembers)
      test('6: members of one group share: each message goes to one, and what one leaves is the other’s', async (t) => {
        const { connect, topic } = await begin(t);
        const group = `g-${topic}`;
        const got: string[] = [];
        const handler = async ({ id }: IncomingMessage) => void got.push(id);
        const first = connect('first');
        await first.subscribe(topic, { group }, handler);
        await connect('second').subscribe(topic, { group }, handler);
        const publisher = connect('publisher');
        const ids = Array.from({ length: 40 }, (_, n) => `m${n}`);
        const publish = (some: readonly string[]) =>
          publisher.publish(some.map((id) => message(topic, id, 'k')));

        await publish(ids.slice(0, 20));
        await eventually(
          () => got.length,
          (count) => count >= 20,
          'the first half is handled',
        );
        await first.close();
        await publish(ids.slice(20));
        await eventually(
          () => got.length,
          (count) => count >= 40,
          'the other goes on',
        );

        const inOrder = (all: readonly string[]) => (orderedMembers ? all : all.toSorted());
        assert.deepEqual(inOrder(got), inOrder(ids));
      });

    if (parallel)
      test('with a concurrency of 4, four handlers are at work together and one that fails holds nobody', async (t) => {
        const { connect, topic } = await begin(t);
        const together = Promise.withResolvers<void>();
        const handled: string[] = [];
        let inside = 0;
        let most = 0;
        const options = {
          group: `g-${topic}`,
          concurrency: 4,
          redeliverMs: 10,
          maxRedeliverMs: 10,
        };
        await connect('consumer').subscribe(topic, options, async ({ id }) => {
          if (id === 'm0' && handled.length < 11) throw new Error('not before the others');
          inside += 1;
          most = Math.max(most, inside);
          if (inside === 4) together.resolve();
          await together.promise;
          inside -= 1;
          handled.push(id);
        });

        const ids = Array.from({ length: 12 }, (_, n) => `m${n}`);
        await connect('publisher').publish(ids.map((id) => message(topic, id, 'k')));
        await eventually(
          () => handled.length,
          (count) => count >= 12,
          'all are handled',
        );

        assert.deepEqual({ most, handled: new Set(handled) }, { most: 4, handled: new Set(ids) });
      });

    givenUpContract(begin);

    test('7: each group gets every message', async (t) => {
      const { connect, topic } = await begin(t);
      const [one, two] = [recorder(), recorder()];
      await connect('one').subscribe(topic, { group: `one-${topic}` }, one.handler);
      await connect('two').subscribe(topic, { group: `two-${topic}` }, two.handler);

      await connect('publisher').publish([message(topic, 'a')]);
      await eventually(
        () => one.got.length + two.got.length,
        (count) => count >= 2,
        'both get it',
      );

      assert.deepEqual([[...idsOf(one.got)], [...idsOf(two.got)]], [['a'], ['a']]);
    });

    test('a subscription whose broker is closed before it has begun is told, if it is not there in time', async (t) => {
      const { connect, topic } = await begin(t);
      const consumer = connect('consumer');
      const { handler } = recorder();
      const begun = consumer.subscribe(topic, { group: `g-${topic}` }, handler).then(
        () => 'it had begun',
        (error: Error) => error.message,
      );
      await consumer.close();

      assert.match(await begun, BEGUN_OR_CLOSED);
    });

    test('3, 8: while the broker is away publishing fails, and who waits to subscribe can give up; afterwards all goes on by itself, and nothing that failed turns up', async (t) => {
      const { connect, topic, kill, start } = await begin(t);
      const { got, handler } = recorder();
      await connect('consumer').subscribe(topic, { group: `g-${topic}` }, handler);
      const publisher = connect('publisher');
      await publisher.publish([message(topic, 'before', 'k')]);
      await eventually(
        () => got.length,
        (count) => count >= 1,
        'the first arrives',
      );

      await kill();
      const error = await publisher
        .publish([message(topic, 'never', 'k')])
        .catch((reason: unknown) => reason);
      const impatient = connect('impatient');
      const begun = impatient.subscribe(topic, { group: `other-${topic}` }, handler).then(
        () => 'it had begun',
        (reason: Error) => reason.message,
      );
      await impatient.close();
      const told = await begun;
      await start();
      await eventually(
        () =>
          publisher.publish([message(topic, 'after', 'k')]).then(
            () => true,
            () => false,
          ),
        (published) => published,
        'publishing works again',
      );
      await eventually(
        () => idsOf(got),
        (ids) => ids.has('after'),
        'the subscription is back',
      );

      assert.ok(error instanceof BrokerUnavailableError, String(error));
      assert.match(told, BEGUN_OR_CLOSED);
      assert.deepEqual([...idsOf(got)], ['before', 'after']);
    });
  });
}

/** A broker in this process, or in a file, has it at once. */
const BEGUN_OR_CLOSED =
  /^it had begun$|" is no longer asked for: the broker's client was closed\.$/;

function message(topic: string, id: string, key?: string): OutgoingMessage {
  // A trace is not to end at a broker.
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const headers = { 'x-for': id, traceparent, tracestate: 'v=1,w=2' };
  return { id, topic, key, body: Buffer.from(`body of ${id} ✓`), headers };
}

function idsOf(messages: readonly { readonly id: string }[]): Set<string> {
  return new Set(messages.map(({ id }) => id));
}

function plain({ id, topic, key, body, headers }: OutgoingMessage) {
  return { id, topic, key, body: Buffer.from(body).toString(), headers: { ...headers } };
}
