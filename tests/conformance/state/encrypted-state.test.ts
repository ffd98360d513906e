import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Code } from '@connectrpc/connect';
import { STATE } from '../cases/state.ts';
import { STATE_KEYS } from '../cases/state-keys.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { daprClient } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { playSteps } from '../makes/play-steps.ts';

const SECRETS = JSON.stringify({
  old: randomBytes(16).toString('hex'),
  new: randomBytes(32).toString('hex'),
});

/** One file, whose values are encrypted with the old key, and with the new one, which still knows the old. */
const store = (name: string, file: string, keys: Readonly<Record<string, string>>) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: state.sqlite
  version: v1
  metadata:
    - { name: connectionString, value: "${file}" }
    - { name: keyPrefix, value: shared }
${Object.entries(keys)
  .map(
    ([key, secret]) => `    - { name: ${key}, secretKeyRef: { name: ${secret}, key: ${secret} } }`,
  )
  .join('\n')}
auth: { secretStore: vault }
`;
const resources = (file: string) => ({
  'secrets.json': SECRETS,
  'components.yaml': [
    'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: vault }\nspec: { type: secretstores.local.file, version: v1, metadata: [{ name: secretsFile, value: "$FOLDER/resources/secrets.json" }] }\n',
    store('before', file, { primaryEncryptionKey: 'old' }),
    store('after', file, { primaryEncryptionKey: 'new', secondaryEncryptionKey: 'old' }),
    store('lost', file, { primaryEncryptionKey: 'new' }),
    store('open', file, {}),
  ].join('---'),
});

await bothMakes(encrypted);
await bothMakes(acrossMakes);

function encrypted(make: Make, executable: string | undefined): void {
  describe(`${make}, encrypted state`, () => {
    let mesh: Mesh;
    let folder: string;
    before(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-sealed-'));
      mesh = await startMesh(executable, { resources: resources(path.join(folder, 'state.db')) });
    });
    after(async () => {
      await mesh?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('what the old key wrote is read while it is the secondary one, and written with the new', async () => {
      await save(mesh, 'before', 'moved', '{"city":"Rome"}');
      const first = await get(mesh, 'after', 'moved');
      await save(mesh, 'after', 'moved', first);
      assert.deepEqual([first, await get(mesh, 'lost', 'moved')], Array(2).fill('{"city":"Rome"}'));
    });

    // Over HTTP daprd encrypts what Go prints (`map[city:Rome]`), and a key that it does not have is the end of it.
    if (make === 'holdfast') overHttp(() => mesh);

    test('a query cannot look into what is encrypted', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0-alpha1/state/after/query`;
      const answer = await fetch(at, { method: 'POST', body: '{}' });
      assert.equal(answer.status, 500);
    });

    test('bytes come back as they were', async () => {
      const client = daprClient(mesh.grpcPort('caller'));
      const value = Buffer.from([0, 255, 124, 124, 10]);
      await client.saveState({ storeName: 'after', states: [{ key: 'bytes', value }] });
      const { data } = await client.getState({ storeName: 'after', key: 'bytes' });
      assert.deepEqual(Buffer.from(data), value);
    });

    test('of several items, one whose etag is another is refused, and the others are written', async () => {
      const client = daprClient(mesh.grpcPort('caller'));
      const item = (key: string, value: string, etag?: string) => ({
        ...{ key, value: Buffer.from(value) },
        ...(etag === undefined ? {} : { etag: { value: etag } }),
      });
      const states = [item('stale', '1'), item('fresh', '1')];
      await client.saveState({ storeName: 'after', states });
      const { etag } = await client.getState({ storeName: 'after', key: 'fresh' });
      await assert.rejects(
        client.saveState({
          storeName: 'after',
          states: [item('stale', '2', 'another'), item('fresh', '2', etag)],
        }),
        { code: Code.Aborted },
      );
      assert.deepEqual(
        [await get(mesh, 'after', 'stale'), await get(mesh, 'after', 'fresh')],
        ['1', '2'],
      );
    });

    test(
      make === 'holdfast'
        ? 'what a transaction writes comes back'
        : 'what a transaction writes comes back as Go prints it, which ours does not repeat',
      async () => {
        await daprClient(mesh.grpcPort('caller')).executeStateTransaction({
          storeName: 'after',
          operations: [
            { operationType: 'upsert', request: { key: 'transacted', value: Buffer.from('123') } },
          ],
        });
        const read = await get(mesh, 'after', 'transacted');
        assert.equal(read, make === 'holdfast' ? '123' : '[49 50 51]');
      },
    );

    test('nothing of a value is in the file', async () => {
      await save(mesh, 'after', 'needle', '"never-in-the-open"');
      const parts = ['state.db', 'state.db-wal'].map((file) =>
        readFile(path.join(folder, file), 'latin1').catch(() => ''),
      );
      assert.doesNotMatch((await Promise.all(parts)).join(''), /never-in-the-open/);
    });
  });
}

/** The file that `make` wrote, read by the other. */
function acrossMakes(make: Make, executable: string | undefined): void {
  if (make !== 'daprd') return;
  test('each make reads what the other encrypted', async (t) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-sealed-'));
    const file = path.join(folder, 'state.db');
    const theirs = await startMesh(executable, { resources: resources(file) });
    t.after(() => theirs.stop());
    const ours = await startMesh(undefined, { resources: resources(file) });
    t.after(async () => {
      await ours.stop();
      await rm(folder, { recursive: true, force: true });
    });
    await save(theirs, 'before', 'of-daprd', '{"a":[1,"x"]}');
    await save(ours, 'after', 'of-holdfast', '"ü"');
    assert.deepEqual(
      [await get(ours, 'after', 'of-daprd'), await get(theirs, 'after', 'of-holdfast')],
      ['{"a":[1,"x"]}', '"ü"'],
    );
  });
}

function overHttp(mesh: () => Mesh): void {
  for (const [name, steps] of Object.entries({ ...STATE, ...STATE_KEYS })) {
    if (!name.startsWith('a query')) {
      test(name, () => playSteps(mesh(), 'holdfast', steps, 'after'));
    }
  }

  test('what cannot be decrypted is an error, and never given out as it lies there', async () => {
    await save(mesh(), 'before', 'sealed', '"hush"');
    await playSteps(
      mesh(),
      'holdfast',
      [
        {
          send: ['GET', 'lost/sealed'],
          expect: [
            500,
            {
              errorCode: 'ERR_STATE_GET',
              message:
                'fail to get sealed from state store lost: could not decrypt data: it was encrypted with the secret "old", which is neither primaryEncryptionKey nor secondaryEncryptionKey',
            },
          ],
        },
      ],
      '',
    );
    assert.match(await get(mesh(), 'open', 'sealed'), /^[\w+/]+=*\|\|old$/);
  });
}

async function save(mesh: Mesh, storeName: string, key: string, value: string): Promise<void> {
  const client = daprClient(mesh.grpcPort('caller'));
  await client.saveState({ storeName, states: [{ key, value: Buffer.from(value) }] });
}

async function get(mesh: Mesh, storeName: string, key: string): Promise<string> {
  const { data } = await daprClient(mesh.grpcPort('caller')).getState({ storeName, key });
  return Buffer.from(data).toString();
}
