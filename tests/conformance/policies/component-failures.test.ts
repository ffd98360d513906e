import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { daprClient } from '../makes/grpc-client.ts';
import { type PoliciesWorld, policiesWorld, type TargetComponent } from './policies-world.ts';
import type { AppTurn } from './scripted-app.ts';
import { streamedEvents } from './streamed-events.ts';

const POLICIES = `
timeouts: { quick: 50ms, patient: 1s }
retries:
  twice: { policy: constant, duration: 10ms, maxRetries: 2 }
  always: { policy: constant, duration: 10ms, maxRetries: -1 }
  matched: { policy: constant, duration: 10ms, maxRetries: 2, matching: { httpStatusCodes: "503" } }
  DefaultBindingComponentInboundRetryPolicy: { policy: constant, duration: 10ms, maxRetries: 4 }
circuitBreakers:
  two: { maxRequests: 1, timeout: 60s, trip: "consecutiveFailures >= 2" }
  brief: { maxRequests: 1, timeout: 100ms, trip: "consecutiveFailures >= 2" }
`;

const ALWAYS = 'outbound: { retry: always }';
const SLOW = 'outbound: { timeout: quick }';
const U = Code.Unavailable;
const UNAVAILABLE = 'rpc error: code = Unavailable desc = on purpose';
const OPEN = 'circuit breaker is open';

const SCRIPTED: readonly (readonly [name: string, kind: string, policies?: string])[] = [
  ['in-retry', 'bindings', 'inbound: { retry: twice }'],
  ['in-nothing', 'bindings', ''],
  ['in-other', 'bindings', 'outbound: { retry: twice }'],
  ['in-circuit', 'bindings', 'inbound: { circuitBreaker: two }'],
  ['in-timeout', 'bindings', 'inbound: { timeout: patient, retry: twice }'],
  ['in-matched', 'bindings', 'inbound: { retry: matched }'],
  ['in-default', 'bindings'],
  ['ways', 'bindings', 'outbound: { circuitBreaker: two }, inbound: { circuitBreaker: two }'],
  ['gone-get', 'state', ALWAYS],
  ['gone-rpc', 'state', ALWAYS],
  ['gone-late', 'state', ALWAYS],
  ['gone-secret', 'secretstores', ALWAYS],
  ['gone-binding', 'bindings', ALWAYS],
  ['gone-publish', 'pubsub', ALWAYS],
  ['slow-state', 'state', SLOW],
  ['slow-secret', 'secretstores', SLOW],
  ['slow-binding', 'bindings', SLOW],
  ['slow-broker', 'pubsub', SLOW],
  ['slow-in-bulk', 'pubsub', SLOW],
  ['busy', 'state', 'outbound: { circuitBreaker: brief }'],
  ['unready', 'state', 'outbound: { retry: twice }'],
];

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, components that fail`, () => {
    let folder: string;
    let world: PoliciesWorld;
    before(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-failing-'));
      const secretsFile = path.join(folder, 'secrets.json');
      await writeFile(secretsFile, '{"key":"here"}');
      const components: readonly TargetComponent[] = [
        ...SCRIPTED.map(([name, kind, policies]) => ({
          ...{ name, policies, type: `${kind}.scripted` },
          metadata: { direction: directionOf(name), keyPrefix: 'none' },
        })),
        { name: 'bus', type: 'pubsub.in-memory', policies: 'inbound: { retry: twice }' },
        {
          ...{ name: 'file', type: 'secretstores.local.file' },
          policies: 'outbound: { retry: twice, circuitBreaker: two }',
          metadata: { secretsFile },
        },
      ];
      world = await policiesWorld(executable, POLICIES, components, ({ app, component }) => {
        component.script('unready', [U, 'ok']);
        // The application is asked whether it wants the events of `ways`, which has two directions.
        app.script('/ways', [200]);
      });
    });
    after(async () => {
      await world?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    describe('input bindings', () => {
      const failed = (status: number) =>
        `fails to send binding event to http app channel, status code: ${status} body: `;
      // daprd loses what the application said where there are retries.
      const last = (status: number) =>
        make === 'daprd' ? 'error invoking app: response object is nil' : failed(status);

      /** How often the application was asked, and what the component was told of each event. */
      const emitted = async (name: string, turns: readonly AppTurn[], events = 1) => {
        const { app, component } = world;
        app.script(`/${name}`, turns);
        const [posted, told] = [app.posted(`/${name}`), component.told(name).length];
        for (let at = 1; at <= events; at += 1) {
          component.emit(name, `${at}`);
          await until('the component is told', () => component.told(name).length === told + at);
        }
        return [app.posted(`/${name}`) - posted, ...component.told(name).slice(told)];
      };

      test('an event is tried again until it is taken', async () => {
        assert.deepEqual(await emitted('in-retry', [500, 500, 200]), [3, '1 taken']);
      });
      test('the component is told of an event that is never taken', async () => {
        assert.deepEqual(await emitted('in-retry', [500]), [3, `1 ${last(500)}`]);
      });
      for (const name of ['in-nothing', 'in-other']) {
        test(`${name}: without a policy of this direction an event is tried once`, async () => {
          assert.deepEqual(await emitted(name, [500]), [1, `1 ${failed(500)}`]);
        });
      }
      test('the default of the type and the direction', async () => {
        assert.deepEqual(await emitted('in-default', [500]), [5, `1 ${last(500)}`]);
      });
      test('matching concerns what the application answers', async () => {
        assert.deepEqual(await emitted('in-matched', [500]), [1, `1 ${last(500)}`]);
        assert.deepEqual(await emitted('in-matched', [503]), [3, `1 ${last(503)}`]);
      });
      test('an attempt takes no longer than the timeout', async () => {
        assert.deepEqual(await emitted('in-timeout', ['hang', 200]), [2, '1 taken']);
      });
      test('an open circuit keeps events from the application', async () => {
        assert.deepEqual(await emitted('in-circuit', [500], 3), [
          2,
          `1 ${failed(500)}`,
          `2 ${failed(500)}`,
          `3 error invoking app: ${OPEN}`,
        ]);
        assert.deepEqual(await world.counted('in-circuit'), [
          'component_input_binding: false 3',
          'resiliency: inbound circuitbreaker closed 2',
          'resiliency: inbound circuitbreaker open 1',
          'resiliency_activations: inbound circuitbreaker open 1',
        ]);
      });
      test('a binding that fails is no application that fails; to daprd both are one circuit', async () => {
        world.component.script('ways', [U]);
        for (const why of [UNAVAILABLE, UNAVAILABLE, OPEN]) {
          assert.match(await world.ask('invoke', 'ways'), new RegExp(`${why}$`));
        }
        assert.deepEqual(
          await emitted('ways', [200]),
          make === 'daprd' ? [0, `1 error invoking app: ${OPEN}`] : [1, '1 taken'],
        );
      });
    });

    test('a secret that is not there is a failure of a store that says so', async () => {
      const read = async (key: string) => {
        const url = `http://127.0.0.1:${world.sidecar.ports.http}/v1.0/secrets/file/${key}`;
        return await (await fetch(url)).text();
      };
      assert.match(await read('absent'), /circuit breaker is open/);
      assert.match(await read('key'), /circuit breaker is open/);
    });

    test('a circuit that is half-open refuses what comes beside its probe', async () => {
      world.component.script('busy', [U, U, 'hang']);
      await world.ask('get', 'busy');
      await world.ask('get', 'busy');
      await sleep(150);
      const ending = new AbortController();
      const probe = givenUp('state/busy/k', ending.signal);
      await until('the probe is under way', () => world.component.asked('busy').length === 3);
      assert.deepEqual(
        [await world.ask('get', 'busy'), await world.ask('grpc get', 'busy')],
        ['500 ERR_STATE_GET', '13'].map(
          (code) => `${code} fail to get k from state store NAME: too many requests`,
        ),
      );
      ending.abort();
      await probe;
    });

    test('the beginning of a component is not tried again', async () => {
      assert.deepEqual(world.component.asked('unready'), ['init']);
      assert.match(await world.ask('get', 'unready'), /^400 ERR_STATE_STORE_NOT_FOUND/);
    });

    test('a streamed event meets the inbound policies of its broker', async () => {
      const { end, events } = await streamedEvents(world.sidecar.ports.grpc, 'bus', [1, 1, 0]);
      assert.equal(await world.ask('publish', 'bus'), '204');
      await until('it is tried again', () => events.length === 3);
      end();
    });

    for (const [name, calls] of [
      [
        'slow-state',
        ['get', 'set', 'set two', 'delete', 'grpc delete two', 'get bulk', 'transact'],
      ],
      ['slow-state', ['query']],
      ['slow-secret', ['secret', 'secrets']],
      ['slow-binding', ['invoke']],
      ['slow-broker', ['publish']],
      ['slow-in-bulk', ['publish bulk']],
    ] as const) {
      test(`${name}, ${calls.join(', ')}: what takes too long is given up in the component too`, async () => {
        const { component } = world;
        component.script(name, ['hang']);
        for (const call of calls) await world.ask(call, name);
        assert.ok(component.asked(name).length >= calls.length);
        // daprd leaves a secret store with what nobody waits for.
        if (make === 'daprd' && name === 'slow-secret') return;
        await until(
          'it has heard of all',
          () => component.givenUp(name).join() === component.asked(name).join(),
        );
      });
    }

    describe('a call that its client gives up is not tried again', () => {
      const client = () => daprClient(world.sidecar.ports.grpc);
      const calls: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
        'gone-get': (signal) => givenUp('state/gone-get/k', signal),
        'gone-secret': (signal) => givenUp('secrets/gone-secret/k', signal),
        'gone-binding': (signal) =>
          givenUp('bindings/gone-binding', signal, '{"operation":"create"}'),
        'gone-rpc': (signal) => client().getState({ storeName: 'gone-rpc', key: 'k' }, { signal }),
        'gone-publish': (signal) =>
          client().publishEvent({ pubsubName: 'gone-publish', topic: 'topic' }, { signal }),
        // By the deadline that it had.
        'gone-late': () =>
          client().getState({ storeName: 'gone-late', key: 'k' }, { timeoutMs: 1_000 }),
      };
      for (const [name, call] of Object.entries(calls)) {
        test(name, async () => {
          const asked = () => world.component.asked(name).length;
          world.component.script(name, [U]);
          const leaving = new AbortController();
          const ended = call(leaving.signal).catch(() => {});
          await until('it is tried again', () => asked() > 2);
          if (name !== 'gone-late') leaving.abort();
          await ended;
          // Each time long enough for some of its retries.
          await until('nobody asks the component any more', async () => {
            const before = asked();
            await sleep(100);
            return asked() === before;
          });
        });
      }
    });

    async function givenUp(route: string, signal: AbortSignal, body?: string): Promise<void> {
      const url = `http://127.0.0.1:${world.sidecar.ports.http}/v1.0/${route}`;
      await fetch(url, { signal, ...(body && { body, method: 'POST' }) }).catch(() => {});
    }
  });
}

const directionOf = (name: string): string => {
  if (name === 'ways') return 'input, output';
  return name.startsWith('in-') ? 'input' : 'output';
};

await bothMakes(conformance);
