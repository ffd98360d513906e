import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@holdfast/core/testing';
import { openOutbox } from '../outbox.ts';
import { sqliteStore } from '../sqlite/index.ts';
import { tempDir } from '../testing/temp-dir.ts';

const PROGRAM = fileURLToPath(new URL('./testing/edge-process.ts', import.meta.url));
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_EDGE_KILLS ?? 3);
const CLIENTS = 20;

test(`${KILLS} SIGKILLs of an edge: what was answered with 202 is there, once, and retries make no second event`, async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  const random = seededRandom(SEED);
  const accepted = new Set<string>();
  const sent = new Set<string>();
  let retries = 0;

  for (let run = 0; run < KILLS; run += 1) {
    const edge = await start(path);
    t.after(edge.kill);
    const until = accepted.size + 20 + Math.floor(random.next() * 100);
    let over = false;
    const client = async (name: number) => {
      // Those that were not answered by the process before, first.
      const open = [...sent].filter((key) => !accepted.has(key) && key.startsWith(`${name}-`));
      for (let n = 0; !over; n += 1) {
        const key = open.shift() ?? `${name}-${run}-${n}`;
        if (sent.has(key)) retries += 1;
        sent.add(key);
        if (await edge.accepts(key)) accepted.add(key);
        if (accepted.size >= until) over = true;
        if (over) edge.kill();
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)));
    await edge.ended;
  }

  const outbox = await openOutbox({ store: sqliteStore({ path }) });
  t.after(() => outbox.close());
  const kept: string[] = [];
  for (let after: number | undefined, more = true; more; more = after !== undefined) {
    const page = await outbox.waiting({ limit: 1_000, ...(after !== undefined && { after }) });
    kept.push(...page.messages.map(({ id }) => id));
    after = page.next;
  }
  const there = new Set(kept);
  t.diagnostic(
    `seed ${SEED}: ${sent.size} sent, ${accepted.size} accepted, ${kept.length} kept, ${retries} retries`,
  );
  assert.deepEqual(
    {
      lost: [...accepted].filter((key) => !there.has(key)),
      invented: kept.filter((key) => !sent.has(key)),
      doubled: kept.length - there.size,
    },
    { lost: [], invented: [], doubled: 0 },
  );
  assert.ok(accepted.size > 20 * KILLS, `${accepted.size} accepted`);
});

async function start(path: string) {
  const child = spawn(process.execPath, ['--conditions=source', PROGRAM, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const early = ended.then(() => Promise.reject(new Error('The edge ended before it listened.')));
  early.catch(() => {});
  const [port] = (await Promise.race([once(child.stdout, 'data'), early])) as [Buffer];
  const url = `http://127.0.0.1:${String(port).trim()}/process`;
  return {
    ended,
    kill: () => void child.kill('SIGKILL'),
    /** Whether a client has heard 202; a connection that breaks says nothing. */
    async accepts(key: string): Promise<boolean> {
      const headers = { 'idempotency-key': key };
      const answer = await fetch(url, { method: 'POST', body: key, headers }).catch(
        () => undefined,
      );
      // Its status line is the promise, whatever becomes of the rest.
      await answer?.arrayBuffer().catch(() => {});
      return answer?.status === 202;
    },
  };
}
