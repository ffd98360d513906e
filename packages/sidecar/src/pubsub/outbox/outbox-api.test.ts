import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import { tinyDisk, until } from '@holdfast/test-servers';
import { staticNames } from '../../names/static-names.ts';
import { startSidecar } from '../../start-sidecar.ts';
import { temporaryFolder } from '../../testing/start-mesh.ts';

describe('publishing to a component with an outbox, while its broker is away', () => {
  test('the sidecar starts, takes events up to the limit, and says which limit it is', async (t) => {
    const { asked, lines, post, scrape } = await start(t, { outboxMaxMessages: '2' });
    const first = await post('publish/p/t', '{"n":1}');
    const second = await post('publish/p/t', '{"n":2}');
    const third = await post('publish/p/t', '{"n":3}');
    const page = await scrape();
    const { metadata, health } = await asked();

    // The rest of the sidecar works: whoever restarts what is not healthy would gain nothing by it.
    assert.equal(health, 204);
    const [{ since, why, ...refusing }] = metadata.holdfast.outboxes;
    assert.deepEqual(refusing, { component: 'p', refusing: true, code: 'OUTBOX_FULL' });
    assert.match(why, /^The outbox is full: 2 messages/);
    assert.ok(Math.abs(Date.now() - Date.parse(since)) < 600_000, since);
    assert.match(page, /^holdfast_outbox_refusing\{component="p"\} 1$/m);
    assert.deepEqual([first.status, second.status, third.status], [204, 204, 429]);
    assert.deepEqual([third.body.errorCode, third.retryAfter], ['ERR_PUBSUB_OUTBOX_FULL', '1']);
    assert.match(
      third.body.message,
      /^topic t in pubsub p is not published: The outbox is full: 2 messages and \d+ bytes wait, of at most 2 and 1073741824\..*outboxMaxMessages and outboxMaxBytes/,
    );
    assert.match(page, /^holdfast_outbox_queued\{component="p"\} 2$/m);
    assert.match(page, /^holdfast_outbox_paused\{component="p"\} 0$/m);
    assert.match(page, /^holdfast_outbox_oldest_seconds\{component="p"\} [\d.]+$/m);
    assert.match(page, /egress_count\{.*component="p".*success="true".*\} 2$/m);
    assert.match(lines.join(''), /The broker of p cannot be reached yet: .*connection refused/);
  });

  test('of a bulk publication all is taken or nothing', async (t) => {
    const { post, scrape } = await start(t, { outboxMaxMessages: '3' });
    const entries = (...ids: readonly string[]) =>
      JSON.stringify(
        ids.map((entryId) => ({ entryId, event: entryId, contentType: 'text/plain' })),
      );
    const taken = await post('publish/bulk/p/t', entries('a', 'b'));
    const refused = await post('publish/bulk/p/t', entries('c', 'd'));

    assert.deepEqual([taken.status, refused.status], [204, 429]);
    assert.match(await scrape(), /^holdfast_outbox_queued\{component="p"\} 2$/m);
  });

  test('an event larger than the outbox is told so', async (t) => {
    const { post } = await start(t, { outboxMaxBytes: '1000' });
    const { body, status } = await post('publish/p/t', JSON.stringify('x'.repeat(2_000)));
    assert.deepEqual([status, body.errorCode], [413, 'ERR_PUBSUB_OUTBOX_TOO_LARGE']);
  });

  test('a full disk refuses events and nothing else, is told of, and is forgotten when there is room', async (t) => {
    const disk = await tinyDisk(t, 2_048);
    if (typeof disk === 'string') return t.skip(disk);
    const { asked, lines, post, scrape } = await start(t, {
      outboxPath: join(disk.path, 'outbox.db'),
    });
    const event = JSON.stringify('x'.repeat(50_000));
    const untilStatus = async (wanted: number) => {
      let body = { errorCode: '', message: '' };
      await until(`an event is answered with ${wanted}`, async () => {
        const answer = await post('publish/p/t', event);
        body = answer.body;
        return answer.status === wanted;
      });
      return body;
    };
    await untilStatus(204);
    const { errorCode, message } = await untilStatus(503);
    const refused = await asked();
    assert.equal(errorCode, 'ERR_PUBSUB_OUTBOX_UNAVAILABLE');
    assert.match(message, /outbox\.db has no room to grow: .*Free some space\./);
    assert.equal(refused.health, 204);
    assert.match(refused.metadata.holdfast.outboxes[0].why, /Free some space\./);
    assert.match(await scrape(), /^holdfast_outbox_refusing\{component="p"\} 1$/m);

    await disk.grow(16_384);
    await untilStatus(204);
    const { metadata } = await asked();
    assert.deepEqual(metadata.holdfast.outboxes, [{ component: 'p', refusing: false }]);
    assert.match(await scrape(), /^holdfast_outbox_refusing\{component="p"\} 0$/m);
    assert.match(
      lines.join(''),
      /Events of p are refused: .*no room to grow[\s\S]*Events of p are taken again\./,
    );
  });

  test('a file that cannot be used refuses events for now, and says why', async (t) => {
    const { asked, folder, post, scrape } = await start(
      t,
      { outboxPath: 'FOLDER/not-ours.db' },
      async (at) => {
        await writeFile(
          join(at, 'not-ours.db'),
          'something else altogether, long enough to be read',
        );
      },
    );
    const before = await asked();
    const { body, retryAfter, status } = await post('publish/p/t', '1');
    const { health, metadata } = await asked();
    assert.deepEqual(before.metadata.holdfast.outboxes, [{ component: 'p', refusing: false }]);
    const [{ code, refusing, why }] = metadata.holdfast.outboxes;
    assert.deepEqual([health, code, refusing], [204, 'OUTBOX_UNAVAILABLE', true]);
    assert.ok(why.includes(join(folder, 'not-ours.db')), why);
    assert.match(await scrape(), /^holdfast_outbox_refusing\{component="p"\} 1$/m);
    assert.deepEqual([status, body.errorCode], [503, 'ERR_PUBSUB_OUTBOX_UNAVAILABLE']);
    assert.ok(body.message.includes(join(folder, 'not-ours.db')), body.message);
    assert.ok(retryAfter !== null);
  });
});

test('two components with one file between them keep the sidecar from starting', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'shared.db');
  const components = ['p', 'q'].map((name) =>
    component(name, 'pubsub.in-memory', { outbox: 'true', outboxPath: path }),
  );
  await writeFile(join(folder, 'brokers.yaml'), components.join('\n---\n'));
  await assert.rejects(startSidecar(options(folder)), {
    message: `${join(folder, 'brokers.yaml')}: component q (pubsub.in-memory) cannot be used: metadata outboxPath: ${path} is the outbox of another component`,
  });
});

test('a file where the folder of an outbox is meant keeps the sidecar from starting, with the way out', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'file');
  await writeFile(file, '');
  const outboxPath = join(file, 'outbox.db');
  const broker = component('p', 'pubsub.in-memory', { outbox: 'true', outboxPath });
  await writeFile(join(folder, 'broker.yaml'), broker);
  await assert.rejects(startSidecar(options(folder)), ({ message }: Error) => {
    assert.ok(message.includes(`the folder ${file} of its outbox cannot be made: EEXIST`), message);
    return message.endsWith('; name another (--state-dir, or metadata outboxPath)');
  });
});

const component = (name: string, type: string, metadata: Readonly<Record<string, string>>) =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: {
      type,
      version: 'v1',
      metadata: Object.entries(metadata).map(([item, value]) => ({ name: item, value })),
    },
  });

const options = (folder: string) => ({
  appId: 'one',
  httpPort: 0,
  metricsPort: 0,
  names: staticNames({}),
  resourcesPaths: [folder],
  stateDir: join(folder, 'state'),
});

/** A sidecar without application whose Redis is not there. */
async function start(
  t: TestContext,
  metadata: Readonly<Record<string, string>>,
  prepare: (folder: string) => Promise<void> = async () => {},
) {
  const folder = await temporaryFolder(t);
  await prepare(folder);
  const given = Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, value.replace('FOLDER', folder)]),
  );
  const redis = { redisHost: `127.0.0.1:${await closedPort()}`, outbox: 'true', ...given };
  await writeFile(join(folder, 'p.yaml'), component('p', 'pubsub.redis', redis));
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const sidecar = await startSidecar(options(folder), { log });
  t.after(() => sidecar.stop({ force: true }));
  return {
    folder,
    lines,
    /** What operators and their tools ask. */
    async asked() {
      const at = `http://127.0.0.1:${sidecar.ports.http}/v1.0`;
      const { status: health } = await fetch(`${at}/healthz`);
      const metadata = (await (await fetch(`${at}/metadata`)).json()) as Told;
      return { health, metadata };
    },
    async scrape() {
      return await (await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/metrics`)).text();
    },
    async post(path: string, body: string) {
      const answer = await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await answer.text();
      return {
        status: answer.status,
        retryAfter: answer.headers.get('retry-after'),
        body: (text === '' ? {} : JSON.parse(text)) as { errorCode: string; message: string },
      };
    },
  };
}

interface Told {
  readonly holdfast: {
    readonly outboxes: readonly [
      {
        readonly component: string;
        readonly refusing: boolean;
        readonly code: string;
        readonly why: string;
        readonly since: string;
      },
    ];
  };
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
