import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { ENVIRONMENT, SECRETS, SECRETS_FILE } from '../cases/secrets.ts';
import { type AppMesh, setupFailure, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import type { Seen } from '../makes/echo-app.ts';

Object.assign(process.env, ENVIRONMENT);

await bothMakes((make, executable) => {
  describe(`${make}, secrets, and events in memory`, () => {
    let folder = '';
    let mesh: AppMesh<'caller'>;
    const events: string[] = [];
    const instead = ({ body, url }: Seen) => {
      if (url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(wanted()) };
      if (!url.startsWith('/on-')) return undefined;
      events.push(`${url} ${JSON.parse(body).topic}`);
      return { status: 200, body: '' };
    };
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-secrets-'));
      const secretsFile = path.join(folder, 'secrets.json');
      await writeFile(secretsFile, SECRETS_FILE);
      await writeFile(path.join(folder, 'list.json'), '[1]');
      await writeFile(path.join(folder, 'broken.json'), '{"password": hunter2}');
      await writeFile(path.join(folder, 'null.json'), 'null');
      const file = 'secretstores.local.file';
      const components = [
        componentYaml('plain', file, { secretsFile }),
        componentYaml('nothing', file, { secretsFile: path.join(folder, 'null.json') }),
        componentYaml('dot', file, { secretsFile, nestedSeparator: '.' }),
        componentYaml('multi', file, { secretsFile, multiValued: 'true' }),
        componentYaml('other', file, {
          SecretsFile: secretsFile,
          MultiValued: 'yes',
          NestedSeparator: '__',
        }),
        componentYaml('env', 'secretstores.local.env', {}),
        componentYaml('prefixed', 'secretstores.local.env', { prefix: 'HFX_' }),
        componentYaml('tokens', 'secretstores.local.env', { Prefix: 'DAPR_' }),
        componentYaml('memory', 'pubsub.in-memory', { unknown: 'is left alone' }),
      ];
      const caller = { resources: { 'stores.yaml': components.join('---') } };
      mesh = await startAppMesh(executable, { caller }, undefined, instead);
    });
    after(async () => {
      await mesh?.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const ask = async (rest: string) => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/${rest}`);
      return [answer.status, await answer.json()];
    };

    for (const { daprd, expect, path: of } of SECRETS) {
      test(`GET ${of}`, async () => {
        const wanted = make === 'daprd' ? (daprd?.expect ?? expect) : expect;
        assert.deepEqual(await ask(`secrets/${of}`), wanted);
      });
    }

    test('all of the environment, but for what is the sidecar’s own', async () => {
      const [, all] = await ask('secrets/env/bulk');
      const ours = Object.keys(all as object).filter((name) => name in ENVIRONMENT);
      assert.deepEqual(ours.toSorted(), ['HFX_', 'HFX_ONE', 'HFX_TWO']);
    });

    test('the metadata say what each can do', async () => {
      const [, { components }] = (await ask('metadata')) as [
        number,
        { components: { name: string; capabilities?: string[] }[] },
      ];
      const can = components.map(({ capabilities = [], name }) => `${name} ${capabilities}`.trim());
      assert.deepEqual(can.toSorted(), [
        'dot',
        'env',
        'memory SUBSCRIBE_WILDCARDS',
        'multi MULTIPLE_KEY_VALUES_PER_SECRET',
        'nothing',
        'other MULTIPLE_KEY_VALUES_PER_SECRET',
        'plain',
        'prefixed',
        'tokens',
      ]);
    });

    test('in memory, a topic with a star at its end is all that begins so', async () => {
      const url = `http://127.0.0.1:${mesh.port('caller')}`;
      await until('it is ready', async () => (await fetch(`${url}/v1.0/healthz`)).ok);
      for (const topic of ['a/b', 'a/', 'a/b/c', 'b']) {
        const to = `${url}/v1.0/publish/memory/${topic}`;
        const headers = { 'content-type': 'application/json' };
        assert.equal((await fetch(to, { method: 'POST', headers, body: '1' })).status, 204, topic);
      }
      const all = ['/on-all b', '/on-exact a/b', '/on-star a/b', '/on-star a/b/c'];
      await until('all have come', () => events.length >= all.length);
      await sleep(200);
      assert.deepEqual(events.toSorted(), all);
    });

    for (const [what, file, why] of [
      ['no file', undefined, /secrets ?file/i],
      [
        'a file that is not there',
        'nowhere.json',
        /open .*nowhere\.json: no such file or directory$/,
      ],
      // All that is shown of it is one letter.
      [
        'a file that is no JSON',
        'broken.json',
        /^(?!.*hunter).*invalid character 'h' looking for beginning of value$/s,
      ],
      // Words of Go's JSON parser are ours.
      ['a file of a list', 'list.json', /must hold a JSON object$|cannot unmarshal array/],
    ] as const) {
      test(`it does not start with ${what}`, async () => {
        const metadata = file === undefined ? {} : { secretsFile: path.join(folder, file) };
        const resources = { 'c.yaml': componentYaml('s', 'secretstores.local.file', metadata) };
        assert.match((await setupFailure(executable, { resources })) ?? 'it started', why);
      });
    }
  });
});

function wanted(): readonly object[] {
  return [
    { pubsubname: 'memory', topic: 'a/*', route: '/on-star' },
    { pubsubname: 'memory', topic: 'a/b', route: '/on-exact' },
    { pubsubname: 'memory', topic: 'b', route: '/on-all' },
  ];
}
