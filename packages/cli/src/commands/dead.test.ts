import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openOutbox } from '@holdfast/messaging';
import { encryptedStore } from '@holdfast/messaging/encrypted';
import { postgresStore } from '@holdfast/messaging/postgres';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { postgresServer, until, withServer } from '@holdfast/test-servers';
import { Pool } from 'pg';
import type { DeadOptions } from '../dead/dead-options.ts';
import { type DeadAction, dead } from './dead.ts';

test('list shows groups of one cause, or each letter, while a service has the file open', async (t) => {
  const { run } = await outboxFile(t);

  const groups = await run('list');
  const each = await run('list', [], { each: true, topic: 'orders', limit: '1' });
  const json = await run('list', [], { json: true, topic: 'invoices' });

  assert.deepEqual(groups.out, [
    'COUNT  OLDEST  TOPIC  REASON  FOR EXAMPLE',
    '2  0s  orders  <n> bytes are <n> too many  o1',
    '1  0s  invoices  unknown customer "…"  i1',
  ]);
  assert.deepEqual(each.out.slice(1), ['o1  0s  1  0  orders  70 bytes are 7 too many']);
  assert.deepEqual(each.err, ['These are the first 1; --limit shows more.']);
  assert.equal(JSON.parse(json.out.join('')).length, 1);
});

test('show tells all of a letter, and of an id that is not dead what it is', async (t) => {
  const { run, file } = await outboxFile(t);

  const shown = await run('show', ['i1']);

  assert.deepEqual(
    shown.out.map((line) => line.replace(/\d{4}-.*Z/, 'TIME')),
    [
      'id  i1',
      'topic  invoices',
      'reason  unknown customer "Ann"',
      'dead for  0s',
      'deliveries  1',
      'replays  0',
      'headers',
      'trace: 00-1',
      'history',
      'TIME  died  unknown customer "Ann"',
      'body  7 bytes',
      'body i1',
    ],
  );
  await assert.rejects(run('show', ['waiting']), {
    message: `No dead letter "waiting" in ${file}: that message is queued. \`holdfast dead list --each --store ${file}\` lists those there are.`,
  });
  await assert.rejects(run('show', ['never']), /no message has that id/);
});

test('show tells how the deliveries of what a subscriber gave up ended, and where it failed', async (t) => {
  const { run, outbox } = await outboxFile(t, false);
  const message = { id: 'b1', topic: 'orders', key: 'k', headers: {}, body: Buffer.from('x') };
  const at = '2026-01-01T00:00:00.000Z';
  await outbox.dead.keep({ ...message, delivery: 2 }, new Error('unused'), {
    ...{ group: 'billing', deliveries: 2 },
    reason: 'failed 2 times; last: TypeError: no amount\n    at bill (bill.ts:7:11)',
    history: [
      { at, what: 'ended', detail: 'delivery 1: ended with its process' },
      { at, what: 'failed', detail: 'delivery 2 in host:41: TypeError: no amount' },
    ],
  });

  const shown = (await run('show', ['b1'])).out.map((line) => line.replace(/\d{4}-.*Z/, 'TIME'));

  const reason = shown.findIndex((line) => line.startsWith('reason'));
  assert.equal(
    shown[reason],
    'reason  failed 2 times; last: TypeError: no amount\n  at bill (bill.ts:7:11)',
  );
  assert.deepEqual(shown.slice(-6, -2), [
    'history',
    'TIME  ended  delivery 1: ended with its process',
    'TIME  failed  delivery 2 in host:41: TypeError: no amount',
    'TIME  died  group billing: failed 2 times; last: TypeError: no amount',
  ]);
});

test('replay rehearses, replays what is meant, and names ids that are not dead', async (t) => {
  const { run, outbox } = await outboxFile(t);

  const rehearsed = await run('replay', [], { reason: '1 bytes are 2 too many', dryRun: true });
  const before = (await outbox.stats()).dead;
  const done = await run('replay', ['o1', 'never'], { perSecond: '1000' });
  const all = await run('replay', [], { all: true });
  const none = await run('replay', [], { reason: 'misspelt', dryRun: true });

  assert.equal(rehearsed.out[0], '2 dead letters would be replayed; nothing was changed.');
  assert.equal(before, 3);
  assert.deepEqual([done.status, done.out], [1, ['1 dead letter replayed.']]);
  assert.match(done.err[0] ?? '', /^No dead letter "never" in .*: no message has that id\./);
  assert.deepEqual([all.status, all.out], [0, ['2 dead letters replayed.']]);
  assert.deepEqual(
    [none.status, none.out],
    [0, ['0 dead letters would be replayed; nothing was changed.']],
  );
  assert.match(
    none.err[0] ?? '',
    /^None is dead of reason "misspelt"; `holdfast dead list --store \S+` lists those there are\.$/,
  );
  const { dead: left, queued } = await outbox.stats();
  assert.deepEqual({ left, queued }, { left: 0, queued: 4 });
});

test('edit changes body, topic and headers, and leaves the letter dead', async (t) => {
  const { run, outbox, dir } = await outboxFile(t);
  await writeFile(path.join(dir, 'better.json'), '{}');

  const edited = await run('edit', ['o1'], {
    body: 'better.json',
    topic: 'orders-2',
    header: ['a=b=c'],
  });
  const { message } = (await outbox.dead.find('o1'))!;

  assert.match(
    edited.out[0]!,
    /^o1 was edited; it is still dead\. Next: holdfast dead replay o1 --store \S+$/,
  );
  assert.deepEqual(
    [message.topic, Buffer.from(message.body).toString(), message.headers],
    ['orders-2', '{}', { a: 'b=c' }],
  );
  await assert.rejects(run('edit', ['o1']), {
    code: 'BAD_FLAG',
    message: '`dead edit` needs --body FILE, --topic or --header.',
  });
  await assert.rejects(run('edit', ['o1'], { header: ['x'] }), {
    message: '--header must be NAME=VALUE, not "x".',
  });
  await assert.rejects(
    run('edit', ['o1'], { body: 'missing.json' }),
    /--body missing\.json: ENOENT/,
  );
  await assert.rejects(run('edit', ['waiting'], { topic: 'x' }), /that message is queued/);
});

test('export and import move letters to another outbox, and drop forgets them here', async (t) => {
  const [here, there] = [await outboxFile(t), await outboxFile(t, false)];
  const out = path.join(here.dir, 'dead.jsonl');

  const exported = await here.run('export', [], { topic: 'orders', out });
  const imported = await there.run('import', [out]);
  const again = await there.run('import', [out]);
  const rehearsed = await here.run('drop', [], { all: true, dryRun: true });
  const dropped = await here.run('drop', ['o1', 'o2']);

  assert.equal(exported.out[0], `2 dead letters in ${out}; they are still dead here.`);
  assert.deepEqual(
    [imported.out, again.out],
    [['2 dead letters added.'], ['0 dead letters added, 2 known already.']],
  );
  assert.equal(rehearsed.out[0], '3 dead letters would be dropped; nothing was changed.');
  assert.equal(dropped.out[0], '2 dead letters dropped.');
  const ageless = (line: string) => line.replace(/"deadForMs":\d+,/, '');
  const lines = (await readFile(out, 'utf8')).trim().split('\n');
  assert.deepEqual((await there.run('export')).out.map(ageless), lines.map(ageless));
  await assert.rejects(here.run('export', [], { out }), {
    message: `${out} is there already; --force replaces it.`,
  });
  await writeFile(out, '{"id":"x"}\n');
  await assert.rejects(there.run('import', [out]), {
    message: `${out}: line 1: "topic" must be text of 1 to 255 characters, not undefined`,
  });
});

test('what is not meant is refused before anything is changed', async (t) => {
  const { run, outbox, dir } = await outboxFile(t);
  const missing = path.join(dir, 'missing.db');

  await assert.rejects(run('drop'), {
    code: 'BAD_FLAG',
    message: '`dead drop` needs ids, --topic, --reason, or --all for every letter.',
  });
  await assert.rejects(run('replay', ['o1'], { all: true }), {
    message: '--all is every letter: leave it out, or the ids, --topic and --reason.',
  });
  await assert.rejects(run('replay', ['o1'], { perSecond: 'fast' }), {
    message: '--per-second must be a whole number from 1 to 100000, not "fast".',
  });
  await assert.rejects(run('list', [], { store: missing }), {
    message: `--store ${missing}: there is no such file. It is the one that the service gives to sqliteStore({ path }).`,
  });
  await writeFile(missing, 'This is no database. '.repeat(100));
  await assert.rejects(run('list', [], { store: missing }), /is not an SQLite database/);
  assert.equal((await outbox.stats()).dead, 3);
});

test('the command itself: help, a table, and a status', async (t) => {
  const { file } = await outboxFile(t);

  const listed = await holdfast('dead', 'list', '--store', file);
  const unknown = await holdfast('dead', 'show', 'never', '--store', file);
  const without = await holdfast('dead', 'list');

  assert.deepEqual([listed.status, listed.out.split('\n').length], [0, 4]);
  assert.deepEqual(
    [unknown.status, /^holdfast: No dead letter "never"/.test(unknown.err)],
    [1, true],
  );
  assert.deepEqual([without.status, /--store/.test(without.err)], [2, true]);
});

test('an outbox on PostgreSQL is looked at in the same way, and its password is told to nobody', async (t) => {
  const server = await withServer(t, postgresServer);
  if (server === undefined) return;
  const pool = new Pool({ connectionString: server.url, max: 3 });
  const store = postgresStore({ pool, schema: 'orders' });
  const outbox = await openOutbox({ store });
  await outbox.accept([{ id: 'o1', topic: 'orders', body: 'x' }]);
  await store.bury(await store.lease(1, 60_000), 'refused');
  const secret = server.url.replace('postgres@', 'postgres:hidden@');
  const { run } = await outboxFile(t);
  const at = { store: secret, schema: 'orders' };

  const listed = await run('list', [], at);
  const replayed = await run('replay', ['o1'], at);
  const refusals = await Promise.all([
    run('show', ['o1'], at).catch((error: Error) => error.message),
    run('list', [], { store: secret }).catch((error: Error) => error.message),
    run('list', [], { ...at, store: secret.replace(/:\d+\/.*/, ':1/postgres') }).catch(
      (error: Error) => error.message,
    ),
    run('list', [], { ...at, schema: 'Orders' }).catch((error: Error) => error.message),
    run('list', [], { schema: 'orders' }).catch((error: Error) => error.message),
  ]);
  const { rows } = await pool.query("SELECT 1 FROM pg_tables WHERE schemaname = 'holdfast'");
  await outbox.close();
  await pool.end();

  assert.deepEqual(listed.out[1], '1  0s  orders  refused  o1');
  assert.deepEqual(replayed.out, ['1 dead letter replayed.']);
  assert.deepEqual(
    refusals.map((words) => String(words).replaceAll(server.url, 'URL')),
    [
      'No dead letter "o1" in URL: that message is queued. `holdfast dead list --each --store URL --schema orders` lists those there are.',
      '--store URL: there is no outbox in its schema "holdfast". --schema is the one that the service gives to postgresStore({ schema }).',
      '--store postgres://postgres@127.0.0.1:1/postgres cannot be used: connect ECONNREFUSED 127.0.0.1:1',
      '--schema must be up to 40 lower-case letters, digits and "_", as the service gives it to postgresStore({ schema }), not "Orders".',
      '--schema is for a --store postgres://…; a file has none.',
    ],
  );
  assert.deepEqual(rows, [], 'nothing was made');
});

test('Ctrl-C stops a replay where it is, and the same command goes on with it', async (t) => {
  const { file, outbox, run } = await outboxFile(t);
  const child = start('dead', 'replay', '--all', '--per-second', '1', '--store', file);
  let out = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
  });
  await until('one is replayed', async () => (await outbox.stats()).dead !== 3);
  child.kill('SIGINT');
  const [status] = await once(child, 'close');
  const { dead: left } = await outbox.stats();

  assert.equal(
    out,
    `Stopped: ${3 - left} dead letter${left === 2 ? '' : 's'} replayed. The same command goes on.\n`,
  );
  assert.deepEqual([status, left > 0], [1, true]);
  assert.equal((await run('replay', [], { all: true })).status, 0);
  assert.equal((await outbox.stats()).dead, 0);
});

test('of an encrypted outbox the letters are shown and edited with --key-file, and without it cipher text is not', async (t) => {
  const { dir, file, run } = await outboxFile(t, false);
  const base64 = Buffer.alloc(32, 7).toString('base64');
  await writeFile(path.join(dir, 'keys.txt'), `# of the shop\nk2026 ${base64}\n`);
  const keyFile = 'keys.txt';
  const keys = [{ id: 'k2026', key: Buffer.alloc(32, 7) }];
  const store = encryptedStore(sqliteStore({ path: file, busyTimeoutMs: 5_000 }), { keys });
  t.after(() => store.close());
  const outbox = await openOutbox({ store });
  await outbox.accept([{ id: 'o1', topic: 'orders', body: 'a secret', headers: { h: 'other' } }]);
  await store.bury(await store.lease(1, 60_000), 'refused');

  const blind = await run('show', ['o1']);
  const edited = await run('edit', ['o1'], { topic: 'orders-2', keyFile });
  const shown = await run('show', ['o1'], { keyFile });

  assert.equal(
    blind.out.at(-1),
    '(encrypted with key "k2026", headers too: --key-file FILE, with a line `k2026 BASE64`, shows them)',
  );
  assert.ok(!blind.out.join().includes('holdfast-sealed'));
  assert.equal(edited.status, 0);
  assert.deepEqual([shown.out[1], shown.out.at(-1)], ['topic  orders-2', 'a secret']);
  await assert.rejects(run('edit', ['o1'], { topic: 'orders' }), /encrypted with key "k2026"/);
  await assert.rejects(run('show', ['o1'], { keyFile: 'none.txt' }), /^FlagError: --key-file none/);
  await writeFile(path.join(dir, 'bad.txt'), 'hunter2');
  await assert.rejects(run('show', ['o1'], { keyFile: 'bad.txt' }), {
    message:
      '--key-file bad.txt, line 1, must be a key of 32 bytes in Base64, or an id, a space and such a key. `openssl rand -base64 32` makes one.',
  });
});

/** An outbox that is open, with two dead orders and a dead invoice in it, and one message that waits. */
async function outboxFile(t: TestContext, filled = true) {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'holdfast-dead-'));
  const file = path.join(dir, 'outbox.db');
  const store = sqliteStore({ path: file, busyTimeoutMs: 5_000 });
  const outbox = await openOutbox({ store });
  t.after(async () => {
    await outbox.close();
    await rm(dir, { recursive: true, force: true });
  });
  if (filled) {
    await outbox.accept([
      { id: 'o1', topic: 'orders', body: 'body o1' },
      { id: 'o2', topic: 'orders', body: 'body o2' },
      { id: 'i1', topic: 'invoices', body: 'body i1', headers: { trace: '00-1' } },
    ]);
    const reasons = [
      '70 bytes are 7 too many',
      '80 bytes are 17 too many',
      'unknown customer "Ann"',
    ];
    for (const [n, lease] of (await store.lease(3, 60_000)).entries()) {
      await store.bury([lease], reasons[n] ?? '');
    }
    await outbox.accept([{ id: 'waiting', topic: 'orders', body: 'x' }]);
  }
  const run = async (
    action: DeadAction,
    words: readonly string[] = [],
    options: Partial<DeadOptions> = {},
  ) => {
    const [out, err]: [string[], string[]] = [[], []];
    const output = {
      // Widths of columns are of no interest here.
      out: (line: string) => void out.push(line.trim().replaceAll(/ {2,}/g, '  ')),
      err: (line: string) => void err.push(line),
    };
    const status = await dead(
      action,
      words,
      { store: file, ...options },
      { output, cwd: dir, env: {} },
    );
    return { status, out, err };
  };
  return { dir, file, outbox, run };
}

async function holdfast(...args: string[]) {
  const child = start(...args);
  const said = { out: '', err: '' };
  child.stdout.on('data', (bytes: Buffer) => {
    said.out += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    said.err += bytes.toString();
  });
  const [status] = await once(child, 'close');
  return { status: status as number, ...said };
}

function start(...args: string[]) {
  const main = fileURLToPath(new URL('../holdfast-main.ts', import.meta.url));
  return spawn(process.execPath, ['--conditions=source', main, ...args]);
}
