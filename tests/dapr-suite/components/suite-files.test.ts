import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Component } from './components.ts';
import { writeSuiteFiles } from './suite-files.ts';

test("a component is Dapr's, with the places of its servers as they are here", () => {
  assert.deepEqual(filesOf({ kind: 'pubsub', name: 'kafka', profile: 'theirs' }), {
    list: {
      component: 'kafka',
      profile: 'theirs',
      operations: ['bulkpublish'],
      config: { messageCount: 3 },
    },
    spec: {
      type: 'pubsub.kafka',
      version: 'v1',
      metadata: [
        { name: 'brokers', value: '127.0.0.1:5' },
        { name: 'durable', value: 'true' },
      ],
    },
  });
});

test('one of ours has other metadata, operations and settings', () => {
  const own: Component = {
    kind: 'pubsub',
    name: 'kafka',
    profile: 'theirs',
    as: 'ours',
    metadata: { durable: null, version: '2.6.0' },
    operations: [],
    config: { testTopicName: 'mine' },
  };
  assert.deepEqual(filesOf(own), {
    list: {
      component: 'kafka',
      profile: 'ours',
      operations: [],
      config: { messageCount: 3, testTopicName: 'mine' },
    },
    spec: {
      type: 'pubsub.kafka',
      version: 'v1',
      metadata: [
        { name: 'brokers', value: '127.0.0.1:5' },
        { name: 'version', value: '2.6.0' },
      ],
    },
  });
});

test("one that Dapr's list has not says what is asked of it, or is refused", () => {
  const own: Component = { kind: 'pubsub', name: 'mine', operations: ['bulkpublish'] };
  assert.deepEqual(filesOf(own).spec, { type: 'pubsub.mine', version: 'v1', metadata: [] });
  assert.throws(() => filesOf({ kind: 'pubsub', name: 'mine' }), {
    message: "Dapr's list of pubsub has no mine, and ours does not say what to ask of it.",
  });
});

/** What the suite reads of a component beside a list of Dapr's with one. */
function filesOf(component: Component): { readonly list: unknown; readonly spec: unknown } {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-suite-files-'));
  try {
    const dapr = path.join(folder, 'dapr');
    mkdirSync(path.join(dapr, 'pubsub/kafka/theirs'), { recursive: true });
    writeFileSync(path.join(dapr, 'pubsub/tests.yml'), LIST);
    writeFileSync(path.join(dapr, 'pubsub/kafka/theirs/pubsub.yml'), FILE);
    writeSuiteFiles(folder, dapr, component, { 'localhost:9092': '127.0.0.1:5' });
    const read = (...at: readonly string[]) =>
      JSON.parse(readFileSync(path.join(folder, 'pubsub', ...at), 'utf8'));
    const [list] = read('tests.yml').components;
    return { list, spec: read(list.component, list.profile, 'component.yml').spec };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const LIST = `
componentType: pubsub
components:
  - component: kafka
    profile: theirs
    operations: ['bulkpublish']
    config: { messageCount: 3 }
`;
const FILE = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec:
  type: pubsub.kafka
  version: v1
  metadata:
    - { name: brokers, value: localhost:9092 }
    - { name: durable, value: true }
`;
