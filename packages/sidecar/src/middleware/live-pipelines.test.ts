import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LivePipelines } from './live-pipelines.ts';
import type { Middleware } from './middleware.ts';
import type { HandlerSpec, OpenMiddleware } from './open-pipeline.ts';

test('handlers come, change places and go; middleware whose component stays is the same', () => {
  const { components, follow, pipelines, said } = start({ a: 'upper', b: 'guard' });

  follow(['a'], []);
  assert.deepEqual([pipelines.api, pipelines.app], [[components.get('a')!.middleware], []]);
  follow(['b', 'a'], ['a']);

  const [a, b] = ['a', 'b'].map((name) => components.get(name)!.middleware);
  assert.deepEqual([pipelines.api, pipelines.app], [[b, a], [a]]);
  follow([], []);
  assert.deepEqual([pipelines.api, pipelines.app, said], [[], [], []]);
});

test('a changed component takes the place of the one before', () => {
  const { components, follow, pipelines } = start({ a: 'upper' });
  follow(['a'], []);
  const [before] = pipelines.api;

  components.set('a', open('upper'));
  follow(['a'], []);

  assert.notEqual(pipelines.api[0], before);
  assert.equal(pipelines.api[0], components.get('a')!.middleware);
});

test('a handler whose component is gone stays in force, and that is told once', () => {
  const { components, follow, pipelines, said } = start({ a: 'upper' });
  follow(['a'], []);
  const before = pipelines.api;

  components.delete('a');
  follow(['a'], []);
  follow(['a'], []);

  assert.deepEqual(pipelines.api, before);
  assert.deepEqual(said, [
    'here: the component "a" is gone, so the handler stays in force as it was; take it off the list if it shall not.',
  ]);
  follow([], []);
  assert.deepEqual(pipelines.api, []);
});

test('one that keeps nothing out goes with its component, and that is told', () => {
  const { components, follow, pipelines, said } = start({ a: 'middleware.http.uppercase' });
  follow(['a'], []);
  const before = pipelines.api.length;
  components.delete('a');
  follow(['a'], []);
  assert.deepEqual([before, pipelines.api, said.length], [1, [], 1]);
  assert.match(said[0]!, /the handler "a" .* is skipped/);
});

test('a handler that never had a component is skipped, and that is told once', () => {
  const { follow, pipelines, said } = start({});
  follow(['a'], ['a']);
  follow(['a'], ['a']);
  assert.deepEqual([pipelines.api, said.length], [[], 1]);
  assert.match(said[0]!, /the handler "a" .* is skipped/);
});

function start(given: Readonly<Record<string, string>>) {
  const components = new Map(Object.entries(given).map(([name, type]) => [name, open(type)]));
  const types = { ...given };
  const said: string[] = [];
  const specs = (names: readonly string[]): readonly HandlerSpec[] =>
    names.map((name) => ({ place: 'here', name, type: types[name] ?? 'upper', version: 'v1' }));
  const none = { httpPipeline: [], appHttpPipeline: [] };
  const pipelines = new LivePipelines(
    () => components,
    none,
    (message) => void said.push(message),
  );
  const follow = (api: readonly string[], app: readonly string[]) =>
    pipelines.follow({ httpPipeline: specs(api), appHttpPipeline: specs(app) });
  return { components, follow, pipelines, said };
}

function open(type: string): OpenMiddleware {
  return { type, version: 'v1', middleware: { type } as unknown as Middleware };
}
