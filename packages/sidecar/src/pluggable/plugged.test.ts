import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { systemClock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { until } from '@holdfast/test-servers';
import { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { ErrorInfoSchema } from '../grpc/protos/error_details_pb.ts';
import { memoryState } from '../state/memory-state.ts';
import { stateContract } from '../testing/state-contract.ts';
import { type PluggedTypes, pluggedHere } from './plugged-types.ts';
import {
  InputBinding,
  OutputBinding,
  PubSub,
  SecretStore,
  StateStore,
  TransactionalStateStore,
} from './protos/components_pb.ts';
import { serveState } from './testing/serve-state.ts';
import { type RunningComponent, startComponent } from './testing/start-component.ts';

stateContract('a pluggable state store', async (t) => {
  const clock = new VirtualClock();
  const services = [StateStore, TransactionalStateStore];
  const component = await startComponent(t, 'Mine', services, (router) =>
    serveState(router, memoryState(clock)),
  );
  const { types } = await plugged(component);
  return {
    store: await types.state['state.mine']!(settings(), env([])),
    elapse: (seconds) => clock.advance(seconds * 1_000),
  };
});

test('a component that words its own errors is heard', async (t) => {
  const component = await startComponent(t, 'mine', [StateStore], (router) => {
    router.service(StateStore, {
      init: () => ({}),
      features: () => ({}),
      get() {
        const metadata = { kit_error: 'true', http_code: '506', tag: 'MY_TAG' };
        const value = { reason: 'WHY', domain: 'mine', metadata };
        throw new ConnectError('no', Code.DataLoss, undefined, [{ desc: ErrorInfoSchema, value }]);
      },
      set() {
        throw new ConnectError('full', Code.ResourceExhausted);
      },
    });
  });
  const { types } = await plugged(component);
  const store = await types.state['state.mine']!(settings(), env([]));
  t.after(() => store.close());
  await assert.rejects(store.get('a'), {
    name: 'WordedError',
    message: 'api error: code = DataLoss desc = no',
    status: 506,
    errorCode: 'MY_TAG',
  });
  const write = store.write([{ kind: 'set', key: 'a', value: '1', firstWrite: false }], false);
  await assert.rejects(write, { message: 'rpc error: code = ResourceExhausted desc = full' });
});

test('a broker hands over in order, hears what became of each, and is found again after a restart', async (t) => {
  const acked: [string, string | undefined][] = [];
  const published: string[] = [];
  const waiting = ['one', 'bad', 'three'];
  let streams = 0;
  const component = await startComponent(t, 'mine', [PubSub], (router) => {
    router.service(PubSub, {
      init: ({ metadata }) => {
        assert.deepEqual(metadata?.properties, { place: 'here' });
        return {};
      },
      features: () => ({ features: ['BULK_PUBSUB'] }),
      publish({ data, topic }) {
        published.push(`${topic}:${Buffer.from(data)}`);
        return {};
      },
      bulkPublish: ({ entries }) => ({
        failedEntries: [{ entryId: entries[1]!.entryId, error: 'too large' }],
      }),
      async *pullMessages(requests) {
        streams += 1;
        for await (const { ackError, ackMessageId, topic } of requests) {
          if (topic === undefined) acked.push([ackMessageId, ackError?.message]);
          const next = waiting.shift();
          if (next !== undefined) yield { id: next, data: Buffer.from(next), topicName: 'news' };
        }
      },
    });
  });
  const { lines, types } = await plugged(component);
  const broker = await types.pubsub['pubsub.mine']!(settings([['place', 'here']]), env(lines));
  t.after(() => broker.close());
  const seen: string[] = [];
  await broker.subscribe('news', async ({ data, topic }) => {
    seen.push(`${topic}:${data}`);
    if (String(data) === 'bad') throw new Error('not this one');
  });
  await until('all are answered', () => acked.length === 3);
  assert.deepEqual(seen, ['news:one', 'news:bad', 'news:three']);
  assert.deepEqual(acked, [
    ['one', undefined],
    ['bad', 'not this one'],
    ['three', undefined],
  ]);

  await broker.publish('news', { data: Buffer.from('x'), metadata: {} });
  const message = { data: Buffer.from('y'), metadata: {} };
  const results = await broker.publishAll!('news', [message, message]);
  assert.deepEqual(
    [published, results.map((one) => one?.message)],
    [['news:x'], [undefined, 'too large']],
  );

  waiting.push('four');
  await component.restart();
  await until('it is found again', () => acked.length === 4);
  assert.deepEqual([seen.at(-1), streams], ['news:four', 2]);

  await broker.drain();
  assert.match(lines.join('\n'), /Topic news of mine/);
});

test('a broker has a subscription before it is said to be there', async (t) => {
  const subscribed: (string | undefined)[] = [];
  const component = await startComponent(t, 'mine', [PubSub], (router) => {
    router.service(PubSub, {
      init: () => ({}),
      features: () => ({ features: [] }),
      async *pullMessages(requests) {
        for await (const { topic } of requests) {
          subscribed.push(topic?.name);
          yield { id: '1', data: Buffer.from('x'), topicName: 'news' };
        }
      },
    });
  });
  const { types } = await plugged(component);
  const broker = await types.pubsub['pubsub.mine']!(settings(), env([]));
  t.after(() => broker.close());
  await broker.subscribe('news', async () => {});
  assert.deepEqual(subscribed.slice(0, 1), ['news']);
});

test('bindings go both ways, and the component hears the answer', async (t) => {
  const answers: string[] = [];
  const component = await startComponent(t, 'mine', [InputBinding, OutputBinding], (router) => {
    router.service(OutputBinding, {
      init: () => ({}),
      listOperations: () => ({ operations: ['create'] }),
      invoke: ({ data, metadata, operation }) => ({
        data: Buffer.from(`${operation} ${Buffer.from(data)} ${metadata.to}`),
        metadata: { done: 'yes' },
      }),
    });
    router.service(InputBinding, {
      init: () => ({}),
      async *read(requests) {
        yield { data: Buffer.from('hello'), messageId: '1', metadata: { a: 'b' } };
        yield { data: Buffer.from('fail'), messageId: '2' };
        for await (const { messageId, responseData, responseError } of requests) {
          answers.push(`${messageId} ${Buffer.from(responseData)}${responseError?.message ?? ''}`);
        }
      },
    });
  });
  const { types } = await plugged(component);
  const output = await types.outputs['bindings.mine']!(settings(), env([]));
  const input = await types.inputs['bindings.mine']!(settings(), env([]));
  t.after(async () => {
    await Promise.all([output.close(), input.stop()]);
  });
  const request = {
    operation: 'create',
    data: Buffer.from('it'),
    metadata: { to: 'x' },
    trace: [],
  };
  const answer = await output.invoke(request);
  assert.deepEqual(
    [output.operations, String(answer?.data), answer?.metadata],
    [['create'], 'create it x', { done: 'yes' }],
  );
  input.start(async ({ data, metadata }) => {
    if (String(data) === 'fail') throw new Error('no');
    return Buffer.from(`${data} ${metadata.a}`);
  });
  await until('both are answered', () => answers.length === 2);
  assert.deepEqual(answers.sort(), ['1 hello b', '2 no']);
});

test('a binding that is suspended has its stream ended, and another when it is started again', async (t) => {
  let open = 0;
  let opened = 0;
  const component = await startComponent(t, 'mine', [InputBinding], (router) => {
    router.service(InputBinding, {
      init: () => ({}),
      async *read(requests, { signal }) {
        open += 1;
        opened += 1;
        signal.addEventListener('abort', () => {
          open -= 1;
        });
        yield { data: Buffer.from(`event ${opened}`), messageId: String(opened) };
        for await (const _ of requests);
      },
    });
  });
  const { types } = await plugged(component);
  const input = await types.inputs['bindings.mine']!(settings(), env([]));
  t.after(() => input.stop());
  const told: string[] = [];
  const start = () =>
    input.start(async ({ data }) => {
      told.push(String(data));
      return undefined;
    });
  start();
  await until('the first comes', () => told.length === 1);
  await input.suspend();
  await until('the stream has ended', () => open === 0);
  start();
  await until('the next comes', () => told.length === 2);
  assert.deepEqual([told, open, opened], [['event 1', 'event 2'], 1, 2]);
});

test('secrets come from a component', async (t) => {
  const component = await startComponent(t, 'mine', [SecretStore], (router) => {
    router.service(SecretStore, {
      init: () => ({}),
      features: () => ({ features: ['MULTIPLE_KEY_VALUES_PER_SECRET'] }),
      get({ key }) {
        if (key !== 'known') throw new ConnectError(`no ${key}`, Code.NotFound);
        return { data: { known: 'value' } };
      },
      bulkGet: () => ({ data: { known: { secrets: { known: 'value' } } } }),
    });
  });
  const { types } = await plugged(component);
  const store = await types.secrets['secretstores.mine']!(settings(), env([]));
  assert.deepEqual(await store.get('known'), { known: 'value' });
  assert.deepEqual(await store.all(), { known: { known: 'value' } });
  await assert.rejects(store.get('other'), {
    message: 'rpc error: code = NotFound desc = no other',
  });
});

test('a component that cannot begin, or is closed, leaves no connection', async (t) => {
  const services = [StateStore, PubSub, SecretStore, InputBinding, OutputBinding];
  let fails = true;
  const init = () => {
    if (fails) throw new ConnectError('no', Code.Unavailable);
    return {};
  };
  const component = await startComponent(t, 'mine', services, (router) => {
    for (const service of services) router.service(service, { init });
    router.service(SecretStore, { init, features: () => ({}) });
  });
  const { types } = await plugged(component);
  const [state, pubsub, secrets, input, output] = [
    types.state['state.mine']!,
    types.pubsub['pubsub.mine']!,
    types.secrets['secretstores.mine']!,
    types.inputs['bindings.mine']!,
    types.outputs['bindings.mine']!,
  ];
  for (const open of [state, pubsub, secrets, input, output]) {
    await assert.rejects(open(settings(), env([])), /no$/);
  }
  await until('none is left', () => component.connections() === 0);
  fails = false;
  const store = await secrets(settings(), env([]));
  assert.equal(component.connections(), 1);
  store.close?.();
  await until('that of the store is closed', () => component.connections() === 0);
});

test('what is no component in the folder is told, and keeps nobody from starting', async (t) => {
  const component = await startComponent(t, 'mine', [StateStore], () => {});
  await writeFile(path.join(component.folder, 'notes.txt'), '');
  const deaf = net.createServer((socket) => socket.destroy());
  deaf.listen(path.join(component.folder, 'deaf.sock'));
  await once(deaf, 'listening');
  t.after(() => void deaf.close());
  const { lines, types } = await plugged(component);
  assert.deepEqual(Object.keys(types.state), ['state.mine']);
  const said = lines.join('\n');
  assert.match(said, /could not use socket for file .*notes\.txt/);
  assert.match(said, /deaf\.sock does not answer: .*; start it before the sidecar/);
  const none = await pluggedHere({ DAPR_COMPONENTS_SOCKETS_FOLDER: '/nowhere' }, logTo([]));
  assert.deepEqual(Object.keys(none.state), []);
});

const logTo = (lines: string[]) => createLogger({ write: (line) => void lines.push(line) });

async function plugged({
  folder,
}: RunningComponent): Promise<{ types: PluggedTypes; lines: string[] }> {
  const lines: string[] = [];
  const types = await pluggedHere({ DAPR_COMPONENTS_SOCKETS_FOLDER: folder }, logTo(lines));
  return { types, lines };
}

const settings = (metadata: readonly (readonly [string, string])[] = []) =>
  new ComponentSettings('mine', metadata);

/** What the ports of pluggable components look at. */
const env = (lines: string[]) =>
  ({ clock: systemClock, log: logTo(lines) }) as unknown as ComponentsEnv;
