import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TcpProxy, tcpProxy } from '@holdfast/messaging/testing';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';

/** Servers behind components that fail, and are back: what both makes do then. More, with figures, is in docs/reference/store-outages.md. */
await suiteWith('outages of what is behind components', redisServer, async (redis) => {
  await bothMakes((make, executable) => outages(make, executable, redis));
});

function outages(make: string, executable: string | undefined, redis: RedisServer): void {
  describe(`${make}, what is behind its components fails`, () => {
    let proxy: TcpProxy;
    let silent: SilentServer;
    let sidecar: Flagged;
    before(async () => {
      proxy = await tcpProxy(redis.port);
      silent = await silentServer();
      const at = { redisHost: `127.0.0.1:${proxy.port}`, readTimeout: '1s' };
      const url = `http://127.0.0.1:${silent.port}`;
      sidecar = await startFlagged(executable, {
        flags: {},
        resources: {
          'components.yaml': [
            componentYaml('plain', 'state.redis', at),
            componentYaml('guarded', 'state.redis', at),
            componentYaml('patient', 'state.redis', { ...at, redisMaxRetryInterval: '5s' }),
            componentYaml('web', 'bindings.http', { url }),
            componentYaml('hurried', 'bindings.http', { url }),
          ].join('---'),
          'resiliency.yaml': RESILIENCY,
        },
      });
    });
    after(async () => {
      await sidecar?.stop();
      await silent?.close();
      await proxy?.close();
    });
    const at = (path: string) => `http://127.0.0.1:${sidecar.ports.http}/v1.0/${path}`;
    const ask = async (path: string, body: unknown, signal?: AbortSignal) => {
      const init = { method: 'POST', body: JSON.stringify(body), ...(signal && { signal }) };
      const answer = await fetch(at(path), init);
      return [answer.status, await answer.text()] as const;
    };
    const save = (store: string) => ask(`state/${store}`, [{ key: 'k', value: 1 }]);
    const saves = (store: string) => until('it saves', async () => (await save(store))[0] === 204);
    const isUp = async () => assert.equal((await fetch(at('healthz'))).status, 204);

    test('Redis is killed and started again: it saves again, by itself', async () => {
      await saves('plain');
      await redis.process.kill();
      const [status, text] = await save('plain');
      assert.equal(status, 500, text);
      assert.match(text, /ERR_STATE_SAVE/);
      await redis.process.restart();
      await saves('plain');
      await isUp();
    });

    test('connections that something between has forgotten are given up for others', async () => {
      await saves('plain');
      proxy.silence();
      await saves('plain');
      await isUp();
    });

    test('a master is a replica for a while: what it refuses is asked again, each time after `redisMaxRetryInterval` at most', async (t) => {
      await saves('patient');
      const admin = new Redis(redis.port);
      t.after(() => admin.disconnect());
      const refusals = async () => {
        const told = /errorstat_READONLY:count=(\d+)/.exec(await admin.info('errorstats'));
        return Number(told?.[1] ?? 0);
      };
      const before = await refusals();
      await admin.call('REPLICAOF', '127.0.0.1', '1');
      const saving = save('patient');
      await until('it is refused', async () => (await refusals()) > before);
      // The shortest pauses of a driver are over by then.
      await sleep(500);
      await admin.call('REPLICAOF', 'NO', 'ONE');
      assert.deepEqual(await saving, [204, '']);
    });

    test('Redis hangs: a policy cuts off, its circuit opens, and closes when Redis goes on', async () => {
      await saves('guarded');
      redis.process.signal('SIGSTOP');
      try {
        const said = new Set<string>();
        await until('the circuit opens', async () => {
          const [status, text] = await save('guarded');
          assert.equal(status, 500);
          said.add(/store guarded: (.*)"/.exec(text)?.[1] ?? text);
          return text.includes('circuit breaker is open');
        });
        const [first = '', last = ''] = [...said];
        assert.match(first, /context deadline exceeded$/);
        assert.equal(last, 'circuit breaker is open');
      } finally {
        redis.process.signal('SIGCONT');
      }
      await saves('guarded');
    });

    test('a web server never answers: a policy cuts off', async () => {
      const [status, text] = await ask('bindings/hurried', { operation: 'get' });
      assert.equal(status, 500);
      assert.match(text, /error invoking output binding hurried: .*context deadline exceeded/);
    });

    test('a web server never answers, and its client goes: what it was asked with ends', async () => {
      const { asked, left } = silent;
      const client = new AbortController();
      const call = ask('bindings/web', { operation: 'get' }, client.signal);
      await until('the server is asked', () => silent.asked > asked);
      client.abort();
      await assert.rejects(call);
      await until('its connection is closed', () => silent.left > left);
      await isUp();
    });
  });
}

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies:
    timeouts: { short: 300ms }
    circuitBreakers: { quick: { maxRequests: 1, timeout: 500ms, trip: consecutiveFailures >= 2 } }
  targets:
    components:
      guarded: { outbound: { timeout: short, circuitBreaker: quick } }
      hurried: { outbound: { timeout: short } }
`;

interface SilentServer {
  readonly port: number;
  /** Requests that came, and connections of theirs that were closed. */
  readonly asked: number;
  readonly left: number;
  close(): Promise<void>;
}

/** Takes requests and never answers. */
async function silentServer(): Promise<SilentServer> {
  const counts = { asked: 0, left: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      counts.asked += 1;
    });
    socket.once('close', () => {
      counts.left += 1;
      sockets.delete(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get asked() {
      return counts.asked;
    },
    get left() {
      return counts.left;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
