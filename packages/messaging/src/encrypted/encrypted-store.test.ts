import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import { sqliteStore } from '../sqlite/index.ts';
import type { AppendMessage, MessageStore } from '../store.ts';
import { storeContract } from '../testing/contracts/store-contract.ts';
import { memoryBroker } from '../testing/memory-broker.ts';
import { randomProgram } from '../testing/model/random-program.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { encryptedStore } from './encrypted-store.ts';
import type { EncryptionKey } from './keys.ts';
import type { Unreadable } from './options.ts';
import { SEALED_HEADER } from './sealed-mark.ts';

const PROGRAMS = Number(process.env.HOLDFAST_PROGRAMS ?? 25);
const ROOMY = { maxMessages: 1_000, maxBytes: 1_000_000 };
const k1 = { id: 'k1', key: randomBytes(32) };
const k2 = { id: 'k2', key: randomBytes(32) };

storeContract('encryptedStore over memoryStore', async () => {
  const clock = new VirtualClock();
  const store = encryptedStore(memoryStore({ clock }), { keys: [k1] });
  return { store, elapse: (ms) => clock.advance(ms) };
});

storeContract('encryptedStore over sqliteStore', async (t) => {
  const clock = new VirtualClock();
  const path = join(await tempDir(t), 'outbox.db');
  const opened = () => {
    const store = encryptedStore(sqliteStore({ path, clock }), { keys: [k1] });
    t.after(() => store.close());
    return store;
  };
  const store = opened();
  return {
    store,
    elapse: (ms) => clock.advance(ms),
    async reopen() {
      await store.close();
      return opened();
    },
  };
});

test(`${PROGRAMS} random programs do the same to the model, and encrypted in memory and on SQLite`, async (t) => {
  for (let seed = 1; seed <= PROGRAMS; seed += 1) {
    const clock = new VirtualClock();
    const path = join(await tempDir(t), 'outbox.db');
    const stores = [
      { name: 'memory', store: memoryStore({ clock }) },
      { name: 'sqlite', store: sqliteStore({ path, clock }) },
    ];
    for (const { name, store } of stores) {
      const encrypted = encryptedStore(store, { keys: [k1] });
      await randomProgram({ name, store: encrypted, clock, seed, grows: true });
      await store.close();
    }
  }
});

test('neither the SQLite file nor its WAL holds a word of bodies and headers, from the accept to the dead letter', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'outbox.db');
  const store = encryptedStore(sqliteStore({ path }), { keys: [k1] });
  t.after(() => store.close());
  const found = async () => {
    const files = await readdir(directory);
    const bytes = Buffer.concat(
      await Promise.all(files.map((file) => readFile(join(directory, file)))),
    );
    return ['the-secret', 'secret-header', 'header-secret', 'amended-secret', 'clear-topic'].filter(
      (word) => bytes.includes(word),
    );
  };
  const secret = {
    ...message('a'),
    topic: 'clear-topic',
    body: Buffer.from('the-secret'),
    headers: { 'secret-header': 'header-secret' },
  };

  await store.append([[secret]], ROOMY);
  const inWal = await found();
  await store.bury(await store.lease(1, 1_000), 'refused');
  await store.amendDead({ ...secret, body: Buffer.from('amended-secret') }, 'edited');
  const opened = await store.findDead('a');
  await store.close();
  const inFile = await found();

  assert.deepEqual([inWal, inFile], [['clear-topic'], ['clear-topic']]);
  assert.deepEqual(
    [textOf(opened?.message), opened?.message.headers],
    ['amended-secret', secret.headers],
  );
});

test('a result is kept encrypted, for its id alone, and is not found without its key', async () => {
  const { inner, opened } = stage();
  const store = opened([k1]);
  await store.append([[message('a'), message('b')]], ROOMY);
  const [a, b] = await store.lease(2, 1_000);

  await store.complete([a!], [{ lease: a!, text: 'the-secret', keptMs: 1_000 }]);
  const kept = (await inner.find('a'))?.result ?? '';
  await inner.complete([b!], [{ lease: b!, text: kept, keptMs: 1_000 }]);
  const found = [
    (await store.find('a'))?.result,
    (await opened([k2, k1]).find('a'))?.result,
    (await opened([k2]).find('a'))?.result,
    (await store.find('b'))?.result,
  ];

  assert.match(kept, /^1 k1 [0-9a-f]+ /);
  assert.ok(!Buffer.from(kept.split(' ').at(-1)!, 'base64').includes('the-secret'));
  assert.deepEqual(found, ['the-secret', 'the-secret', undefined, undefined]);
});

test('what was queued before encryption was switched on is delivered; with plain: "refuse" it is set aside', async () => {
  const { inner, clock, seen, opened } = stage();
  await inner.append([[message('before'), message('also before')]], ROOMY);
  const [first] = await opened([k1]).lease(1, 1_000);
  await opened([k1]).append([[message('after')]], ROOMY);

  const strict = encryptedStore(inner, {
    keys: [k1],
    plain: 'refuse',
    clock,
    onUnreadable: (unreadable) => seen.push(unreadable),
  });
  const ids = (await strict.lease(10, 1_000)).map(({ message: { id } }) => id);

  assert.deepEqual([textOf(first?.message), ids], ['body of before', ['after']]);
  assert.deepEqual(seen.map(plainly), ['also before is not encrypted, … dead: true']);
  assert.equal(
    (await inner.findDead('also before'))?.message.body.toString(),
    'body of also before',
  );
});

test('a message whose key is not given waits with those of its order behind it; others pass, and the key sets it free', async () => {
  const { inner, clock, seen, opened } = stage();
  await opened([k1]).append([[message('old', 'k'), message('old alone')]], ROOMY);
  await opened([k2, k1]).append([[message('new', 'k'), message('new alone')]], ROOMY);
  const without = opened([k2]);

  const first = (await without.lease(2, 1_000)).map(({ message: { id } }) => id);
  await clock.advance(30_000);
  const later = (await without.lease(10, 1_000)).map(({ message: { id } }) => id);
  const history = (await inner.find('old'))?.history.map(({ detail }) => detail);
  await clock.advance(10_001);
  const withKey = (await opened([k2, k1]).lease(10, 1_000)).map(
    ({ message: { id }, delivery }) => `${id} #${delivery}`,
  );

  assert.deepEqual([first, later], [['new alone'], ['new alone']]);
  assert.deepEqual(withKey, ['old #1', 'old alone #1', 'new #1', 'new alone #3']);
  assert.deepEqual(history, [
    'cannot be decrypted: key "k1" is not among the keys given. Give it again, after the one that encrypts.',
  ]);
  assert.deepEqual(seen.map(plainly), [
    'old cannot be decrypted: key "k1" is not among the keys given. … dead: false',
    'old alone cannot be decrypted: key "k1" is not among the keys given. … dead: false',
  ]);
});

test('a thousand messages that cannot be read do not keep the one behind them from going', async () => {
  const { opened } = stage();
  const old = Array.from({ length: 800 }, (_, n) => message(`old ${n}`));
  await opened([k1]).append([old, [message('another')]], ROOMY);
  const store = opened([k2]);
  await store.append([[message('new 1'), message('new 2')]], ROOMY);

  const ids = (await store.lease(1, 1_000)).map(({ message: { id } }) => id);
  const next = (await store.lease(1, 1_000)).map(({ message: { id } }) => id);

  assert.deepEqual([ids, next], [['new 1'], ['new 2']]);
});

test('another key under the same id is told from a changed message, and waits', async () => {
  const { inner, seen, opened } = stage();
  await opened([k1]).append([[message('a')]], ROOMY);

  const leases = await opened([{ ...k2, id: 'k1' }]).lease(10, 1_000);

  assert.equal(leases.length, 0);
  assert.match(seen[0]?.reason ?? '', /^cannot be decrypted: key "k1" is another than the one of /);
  assert.equal((await inner.find('a'))?.state, 'queued');
});

test('a message of a newer format waits, and says what to do', async () => {
  const { inner, seen, opened } = stage();
  const newer = { ...message('a'), headers: { [SEALED_HEADER]: '2 k1 00000000' } };
  await inner.append([[newer]], ROOMY);

  const leases = await opened([k1]).lease(10, 1_000);

  assert.equal(leases.length, 0);
  assert.deepEqual(
    seen.map(({ reason }) => reason),
    [
      'cannot be decrypted: it was encrypted by a newer Holdfast (format "2", this one knows 1). Upgrade this process.',
    ],
  );
});

test('a body of another message, another topic, key or id, one bit, a short one: never delivered, always a dead letter', async () => {
  const { inner, opened } = stage();
  const { inner: elsewhere, opened: openedElsewhere } = stage();
  await openedElsewhere([k1]).append([[message('a', 'k'), message('b', 'k')]], ROOMY);
  const { messages } = await elsewhere.listQueued({ limit: 2 });
  const [a, b] = messages as [AppendMessage, AppendMessage];
  const flipped = Buffer.from(a.body);
  flipped[20] = (flipped[20] ?? 0) ^ 1;
  const forged = [
    { ...a, id: 'swapped', body: b.body },
    { ...a, id: 'renamed' },
    { ...a, topic: 'other' },
    { ...b, key: 'other' },
    { ...a, id: 'bit', body: flipped },
    { ...a, id: 'short', body: a.body.subarray(0, 31) },
    { ...a, id: 'empty', body: new Uint8Array() },
  ];
  await inner.append([forged], ROOMY);

  const leases = await opened([k1]).lease(10, 1_000);
  const { letters } = await inner.listDead({ limit: 10 });

  assert.equal(leases.length, 0);
  assert.equal(letters.length, forged.length);
  assert.match(
    letters[0]?.reason ?? '',
    /^cannot be decrypted: it is not what was encrypted with /,
  );
});

test('a key is replaced in three steps, and rotate says when the old one is needed no more', async () => {
  const { opened } = stage();
  const before = opened([k1]);
  await before.append([[message('dead'), message('queued')]], ROOMY);
  await before.bury(await before.lease(1, 1_000), 'refused');
  const both = opened([k2, k1]);

  const first = await both.rotate();
  await both.complete(await both.lease(10, 1_000));
  const second = await both.rotate();
  const after = await opened([k2]).findDead('dead');

  assert.deepEqual(first, {
    rewritten: 1,
    unreadable: 0,
    unneeded: [],
    counts: [
      { key: 'k2', given: true, queued: 0, dead: 1 },
      { key: 'k1', given: true, queued: 1, dead: 0 },
    ],
  });
  assert.deepEqual([second.rewritten, second.unneeded], [0, ['k1']]);
  assert.equal(textOf(after?.message), 'body of dead');
  assert.equal(after?.history.at(-1)?.detail, 'encrypted with key k2');
});

test('dead letters are listed, edited, exported and imported as their text; without the key they travel whole and cannot be edited', async (t) => {
  const { inner, clock, opened } = stage();
  const outboxOf = async (store: MessageStore) => {
    const outbox = await openOutbox({ store, clock });
    t.after(() => outbox.close());
    return outbox;
  };
  const [here, blind] = [await outboxOf(opened([k1])), await outboxOf(inner)];
  await here.accept([{ id: 'a', topic: 'orders', body: 'order 1', headers: { h: 'x' } }]);
  await inner.bury(await inner.lease(1, 1_000), 'order 1 is refused');

  const groups = await here.dead.groups();
  await here.dead.edit('a', { body: 'order 2' });
  const lines = await all(here.dead.export());
  const sealed = await all(blind.dead.export());
  const there = await outboxOf(stage().opened([k1]));
  await there.dead.import(sealed);
  const copies = await all(there.dead.export());

  assert.deepEqual(
    groups.map(({ reason }) => reason),
    ['order <n> is refused'],
  );
  assert.match(lines[0] ?? '', /"headers":\{"h":"x"\},"body":"order 2"/);
  assert.deepEqual(copies, lines);
  await assert.rejects(blind.dead.edit('a', { body: 'garbage' }), {
    message:
      '"a" cannot be edited: it is encrypted with key "k1", which was not given. Open its store with encryptedStore and that key.',
  });
});

test('a relay without the key hands no cipher text to a broker', async (t) => {
  const { inner, clock, opened } = stage();
  await opened([k1]).append([[message('a')]], ROOMY);
  const broker = memoryBroker();
  const got: string[] = [];
  await broker.subscribe('events', { group: 'g' }, async ({ id }) => void got.push(id));
  const outbox = await openOutbox({ store: inner, clock });
  t.after(() => outbox.close());
  const problems: string[] = [];

  const relay = outbox.relay(broker, {
    onEvent: (event) => event.type === 'paused' && problems.push(String(event.error)),
  });
  await clock.advance(10);
  await clock.run(() => relay.stop());

  assert.deepEqual(got, []);
  assert.match(problems[0] ?? '', /"a" is encrypted with key "k1"/);
  assert.equal((await inner.stats()).queued, 1);
});

test('ids that a database changes (lone surrogates) do not keep a message from being read', async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  const store = encryptedStore(sqliteStore({ path }), { keys: [k1] });
  t.after(() => store.close());
  await store.append([[{ ...message('a\ud800'), topic: '\udc00', key: '\ud801' }]], ROOMY);

  assert.equal((await store.lease(1, 1_000)).length, 1);
});

test('a message that says it is encrypted already is refused', async () => {
  const given = { ...message('a'), headers: { [SEALED_HEADER]: '1 k1 00000000' } };
  await assert.rejects(
    stage()
      .opened([k1])
      .append([[given]], ROOMY),
    TypeError,
  );
});

/** A store in memory, and what it was told of it by those that open it encrypted. */
function stage() {
  const clock = new VirtualClock();
  const inner = memoryStore({ clock });
  const seen: Unreadable[] = [];
  const onUnreadable = (unreadable: Unreadable) => seen.push(unreadable);
  const opened = (keys: readonly EncryptionKey[]) =>
    encryptedStore(inner, { keys, clock, onUnreadable });
  return { inner, clock, seen, opened };
}

function message(id: string, key?: string): AppendMessage {
  return { id, topic: 'events', key, body: Buffer.from(`body of ${id}`), headers: {} };
}

function textOf(found: { readonly body: Uint8Array } | undefined): string {
  return Buffer.from(found?.body ?? []).toString();
}

function plainly({ message: { id }, reason, dead }: Unreadable): string {
  return `${id} ${reason.split(/(?<=[.,]) /)[0]} … dead: ${dead}`;
}

async function all(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const read: string[] = [];
  for await (const line of lines) read.push(line);
  return read;
}
