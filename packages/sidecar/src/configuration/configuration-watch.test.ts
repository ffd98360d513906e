import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';
import { ConfigurationWatch, MOST_WAITING } from './configuration-watch.ts';
import { MOST_SEEN } from './seen-items.ts';

describe('a subscription to configuration', () => {
  test('is told one change at a time, and of each key the latest', async () => {
    const { application, heard, told } = await watching({});
    application.hold();
    heard('a', '1');
    for (const value of ['1', '2', '3']) heard('b', value);
    heard('a', '2');
    await turn();
    const meanwhile = [...told];
    application.goOn();
    await turn();
    assert.deepEqual([meanwhile, told], [['a=1'], ['a=1', 'b=3', 'a=2']]);
  });

  test('is not told of keys that it does not name, nor of anything when it has ended', async () => {
    const { end, heard, told } = await watching({ keys: ['a'] });
    heard('b', '1');
    heard('a', '1');
    await turn();
    end();
    heard('a', '2');
    await turn();
    assert.deepEqual(told, ['a=1']);
  });

  test('has what was heard during a comparison last: what was read for that may be older', async () => {
    const { heard, now, reading, told, watch } = await watching({ items: { a: '1' } });
    reading.hold();
    now.a = '2';
    const compared = watch.compare();
    // It has been read, and its answer is on the way.
    now.a = '3';
    heard('a', '3');
    await turn();
    reading.goOn();
    await compared;
    await turn();
    assert.equal(told.at(-1), 'a=3', told.join());
  });

  test('keeps so many changes at a time, and finds out the others when those are told', async () => {
    const names = Array.from({ length: MOST_WAITING + 3 }, (_, n) => `k${n}`);
    const { application, heard, now, said, told } = await watching({
      items: Object.fromEntries(names.map((name) => [name, '1'])),
    });
    application.hold();
    for (const name of names) {
      now[name] = '2';
      heard(name, '2');
    }
    application.goOn();
    while (told.length < names.length) await turn();
    assert.deepEqual([told.length, new Set(told).size], [names.length, names.length]);
    assert.deepEqual(said(), [
      `component c: changes of ${MOST_WAITING} keys wait for the application; further ones are found out when those are told.`,
    ]);
  });

  test('of more keys than are remembered is told of no outage, and the log says so', async () => {
    const names = Array.from({ length: MOST_SEEN + 1 }, (_, n) => `k${n}`);
    const { now, said, told, watch } = await watching({
      items: Object.fromEntries(names.map((name) => [name, '1'])),
    });
    now.k1 = '2';
    await watch.compare();
    await turn();
    assert.deepEqual(told, []);
    assert.deepEqual(said(), [
      `component c: a subscription has more than ${MOST_SEEN} keys; what changes while Store is away is not told to it. Name the keys that matter.`,
    ]);
  });
});

/** A gate that is open until it is held. */
function gate() {
  let held: PromiseWithResolvers<void> | undefined;
  return {
    hold: () => {
      held = Promise.withResolvers<void>();
    },
    goOn: () => {
      held?.resolve();
      held = undefined;
    },
    passed: async () => await held?.promise,
  };
}

/** A subscription to a store that has `items` at first and then what `now` has. */
async function watching({
  items = {},
  keys = [],
}: {
  readonly items?: Readonly<Record<string, string>>;
  readonly keys?: readonly string[];
}) {
  const now: Record<string, string> = { ...items };
  const [application, reading] = [gate(), gate()];
  const ending = new AbortController();
  const lines: string[] = [];
  const told: string[] = [];
  const watch = new ConfigurationWatch({
    component: 'c',
    server: 'Store',
    keys,
    async read(wanted) {
      const found = wanted.length === 0 ? Object.keys(now) : wanted.filter((key) => key in now);
      const items: ConfigurationItems = Object.fromEntries(
        found.map((key) => [key, { value: now[key]! }]),
      );
      await reading.passed();
      return items;
    },
    async changed(key, item: ConfigurationItem | undefined) {
      told.push(`${key}=${item?.value}`);
      await application.passed();
    },
    clock: new VirtualClock(),
    log: createLogger({ write: (line) => void lines.push(line) }),
    signal: ending.signal,
  });
  await watch.begin();
  return {
    application,
    end: () => ending.abort(),
    heard: (key: string, value: string) => watch.heard(key, { item: { value } }),
    now,
    reading,
    said() {
      return lines.map((line) => /component c: [^"]*/.exec(line)?.[0]);
    },
    told,
    watch,
  };
}
