import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { NONE_PLUGGED, type PluggedTypes } from '../pluggable/plugged-types.ts';
import { memoryPubSub } from '../pubsub/brokers/memory-pubsub.ts';
import { memoryState } from '../state/memory-state.ts';
import type { ComponentSettings } from './component-settings.ts';
import type { ComponentSpec } from './component-spec.ts';
import { type ComponentsEnv, openComponents } from './open-components.ts';

/** Each is opened again every minute where it may fail: what stayed open would add up. */
test('a component that cannot be used leaves nothing open', async () => {
  const open: string[] = [];
  const opens =
    <Port>(port: Port) =>
    async () => {
      open.push('one');
      return port;
    };
  const plugged: PluggedTypes = {
    ...NONE_PLUGGED,
    state: { 'state.mine': opens(memoryState(new VirtualClock())) },
    pubsub: { 'pubsub.mine': opens(memoryPubSub(() => {})) },
    inputs: {
      'bindings.mine': opens({
        start: () => {},
        suspend: async () => {},
        stop: async () => void open.pop(),
      }),
    },
    outputs: { 'bindings.mine': () => Promise.reject(new Error('nobody answers')) },
  };
  const whys = [
    await whyNot('state.mine', { keyPrefix: 'a||b' }, plugged),
    await whyNot('state.mine', { outboxPublishTopic: 'a', OUTBOXPUBLISHTOPIC: 'b' }, plugged),
    await whyNot('pubsub.mine', { allowedTopics: 'a', ALLOWEDTOPICS: 'b' }, plugged),
    await whyNot('bindings.mine', {}, plugged),
  ];
  const before = '/c.yaml: component c';
  assert.deepEqual(whys, [
    `${before} (state.mine) cannot be used: keyPrefix "a||b" must not contain ||`,
    `${before} (state.mine) cannot be used: component c: key outboxpublishtopic is duplicate in the metadata, as outboxPublishTopic and as OUTBOXPUBLISHTOPIC; leave one out`,
    `${before} (pubsub.mine) cannot be used: component c: key allowedtopics is duplicate in the metadata, as allowedTopics and as ALLOWEDTOPICS; leave one out`,
    `${before} (bindings.mine) cannot be used: nobody answers`,
  ]);
  assert.deepEqual(open, []);
});

test('a component that comes up when the others have been closed is closed as well', async () => {
  const closed: string[] = [];
  const late = Promise.withResolvers<void>();
  const opens = async ({ component }: ComponentSettings) => {
    if (component === 'late') await late.promise;
    return {
      ...memoryState(new VirtualClock()),
      close: async () => void closed.push(component),
    };
  };
  const plugged = { ...NONE_PLUGGED, state: { 'state.mine': opens } };
  const components = await openComponents([spec('early', 'state.mine')], env(plugged));
  const replaced = components.replace([spec('late', 'state.mine'), spec('next', 'state.mine')]);
  // It has left, and what takes its place is on its way.
  await components.close();
  late.resolve();
  await replaced;
  assert.deepEqual([closed, components.list], [['early', 'late'], []]);
});

async function whyNot(
  type: string,
  metadata: Readonly<Record<string, string>>,
  plugged: PluggedTypes,
): Promise<string> {
  return await openComponents([spec('c', type, metadata)], env(plugged)).then(
    () => 'it was opened',
    (error: Error) => error.message,
  );
}

const spec = (
  name: string,
  type: string,
  metadata: Readonly<Record<string, string>> = {},
): ComponentSpec => ({
  file: '/c.yaml',
  name,
  type,
  version: 'v1',
  ignoreErrors: false,
  initTimeoutMs: undefined,
  secretStore: undefined,
  metadata: Object.entries(metadata).map(([name, value]) => ({ name, kind: 'value', value })),
});

const env = (plugged: PluggedTypes): ComponentsEnv => ({
  appId: 'app',
  namespace: 'default',
  givenNamespace: '',
  clock: new VirtualClock(),
  log: createLogger({ write: () => {} }),
  variables: {},
  stateDir: '/nowhere',
  outbound: () => undefined,
  plugged,
  denied: () => false,
  graceMs: 0,
});
