import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import { setupFailure } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';

/** What of a type and a version does not start; undefined: it starts. Words before a remedy are daprd's. */
const FAILURES: Readonly<Record<string, RegExp | undefined>> = {
  'type: state.in-memory, version: v9': /couldn't find .*state\.in-memory\/v9/,
  'type: state.in-memory, version: v2': /couldn't find .*state\.in-memory\/v2/,
  'type: state.in-memory, version: 1': /couldn't find .*state\.in-memory\/1/,
  'type: state.in-memory, version: " v1"': /couldn't find .*state\.in-memory\/ v1/,
  'type: state.in-memory, version: V1': undefined,
  'type: state.in-memory, version: v0': undefined,
  'type: state.in-memory, version: ""': undefined,
  'type: state.in-memory': undefined,
  'type: state.in-memory, version: v9, ignoreErrors: yes': undefined,
  'type: state.In-Memory, version: v1': undefined,
  'type: State.in-memory, version: v1': /component it error: incorrect type State\.in-memory/,
  'type: nonsense, version: v1': /component it error: incorrect type nonsense/,
  'type: 5, version: v1': /component it error: incorrect type 5/,
  'version: v1': /component it error: incorrect type /,
  'type: secretstores.local.env, version: v3': /couldn't find .*secretstores\.local\.env\/v3/,
  'type: pubsub.in-memory, version: v3': /couldn't find .*pubsub\.in-memory\/v3/,
  'type: bindings.cron, version: v3': /couldn't find .*bindings\.cron\/v3/,
  'type: configuration.redis, version: v3': /couldn't find .*configuration\.redis\/v3/,
  'type: state.postgresql, version: v3': /couldn't find .*state\.postgresql\/v3/,
  // Of a type with several versions only those that there are, and none at all, which is v1.
  'type: state.postgresql, version: v0': /couldn't find .*state\.postgresql\/v0/,
  'type: state.postgres, version: V0': /couldn't find .*state\.postgres\/V0/,
  'type: state.postgresql, version: v1': /failed to build connection string/,
  'type: state.postgresql, version: V2': /failed to build connection string/,
  'type: state.postgres, version: ""': /failed to build connection string/,
  'type: state.PostgreSQL': /failed to build connection string/,
  'type: configuration.postgresql, version: v0': /missing postgreSQL configuration table name/,
  'type: configuration.postgresql, version: v2': /couldn't find .*configuration\.postgresql\/v2/,
  'type: bindings.postgresql, version: v2': /couldn't find .*bindings\.postgresql\/v2/,
  'type: bindings.postgresql, version: v0': /failed to build connection string/,
  'type: lock.redis, version: v2': /couldn't find .*lock.*redis\/v2/,
  'type: state.sqlite3, version: v0': /missing connection string|connectionString/,
  'type: secretstores.local.env, version: v0': undefined,
  'type: pubsub.in-memory, version: v0': undefined,
  'type: pubsub.mqtt3, version: v2': /couldn't find .*pubsub\.mqtt3\/v2/,
  'type: middleware.http.uppercase, version: v3': /middleware\.http\.uppercase\/v3/,
};

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, types and versions of components`, () => {
    for (const [spec, wanted] of Object.entries(FAILURES)) {
      test(`{ ${spec} } ${wanted === undefined ? 'starts' : 'does not start'}`, async () => {
        const text = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: it }
spec: { ${spec} }
`;
        const said = await setupFailure(executable, { resources: { 'it.yaml': text } });
        if (wanted === undefined) assert.equal(said, undefined);
        else assert.match(said ?? 'it started', wanted);
      });
    }

    test('one that is not up in its initTimeout has failed', async (t) => {
      const mute = net.createServer();
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
      t.after(() => mute.close());
      const { port } = mute.address() as net.AddressInfo;
      const text = componentYaml('it', 'state.redis', { redisHost: `127.0.0.1:${port}` });
      const limited = text.replace('version: v1', 'version: v1, initTimeout: 500ms');
      const said = await setupFailure(executable, { resources: { 'it.yaml': limited } });
      assert.match(said ?? 'it started', /init timeout for component it \(state\.redis\/v1\)/);
    });
  });
}
