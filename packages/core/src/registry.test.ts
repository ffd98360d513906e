import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from './breaker/breaker.ts';
import { keyedPipeline } from './keyed/keyed-pipeline.ts';
import { pipeline } from './pipeline.ts';
import { createRegistry, registry } from './registry.ts';
import { retry } from './retry/retry.ts';
import { record } from './testing/record.ts';

describe('a registry', () => {
  test('lists its pipelines until they are disposed of', () => {
    const own = createRegistry();
    const p = pipeline('p', [], { registry: own });
    pipeline('q', [], { registry: own });
    pipeline('elsewhere', [], { registry: undefined });
    assert.deepEqual([own.list().map(({ name }) => name), own.get('p')], [['p', 'q'], p]);
    p[Symbol.dispose]();
    assert.deepEqual([own.list().map(({ name }) => name), own.get('p')], [['q'], undefined]);
  });

  test('of the process holds every pipeline that was given no other', () => {
    const p = pipeline('in the process’s registry', []);
    assert.equal(registry.get(p.name), p);
    p[Symbol.dispose]();
    assert.equal(registry.get(p.name), undefined);
  });

  test('lists the newest of a name, and disposing of an older one leaves it', () => {
    const own = createRegistry();
    const older = pipeline('p', [], { registry: own });
    const newer = pipeline('p', [retry()], { registry: own });
    older[Symbol.dispose]();
    assert.deepEqual([own.list().length, own.get('p')], [1, newer]);
    pipeline('q', [], { registry: own });
    pipeline('p', [], { registry: own });
    assert.deepEqual(
      own.list().map(({ name }) => name),
      ['q', 'p'],
    );
  });

  test('lists 10,000 pipelines at most', () => {
    const own = createRegistry();
    for (let i = 0; i < 10_001; i += 1) pipeline(`p${i}`, [], { registry: own });
    assert.deepEqual(
      [own.list().length, own.get('p0'), own.get('p1')?.name],
      [10_000, undefined, 'p1'],
    );
  });

  test('lists families apart from pipelines, the newest of a name and 10,000 at most', () => {
    const own = createRegistry();
    const family = (name: string) => keyedPipeline(name, [], { registry: own });
    const older = family('hosts');
    const newer = family('hosts');
    older[Symbol.dispose]();
    assert.deepEqual([own.list(), own.families().map(({ name }) => name)], [[], ['hosts']]);
    newer[Symbol.dispose]();
    assert.deepEqual(own.families(), []);
    for (let i = 0; i < 10_001; i += 1) family(`f${i}`);
    family('f1');
    const names = own.families().map(({ name }) => name);
    assert.deepEqual([names.length, names[0], names.at(-1)], [10_000, 'f2', 'f1']);
  });

  test('lets listeners hear all of them, also those that come later, until they leave', async () => {
    const own = createRegistry();
    const { events, listener } = record();
    const early = pipeline('early', [], { registry: own });
    const leave = own.listen(listener);
    const leaveAgain = own.listen(listener);
    const late = pipeline('late', [], { registry: own });
    await early.execute(() => 1);
    leaveAgain();
    await late.execute(() => 1);
    leave();
    await late.execute(() => 1);
    assert.deepEqual(
      events.map(({ type, pipeline }) => `${pipeline} ${type}`),
      ['early attempt', 'early attempt', 'early call', 'early call', 'late attempt', 'late call'],
    );
  });

  test('does not force the whole of a pipeline where one key was meant', () => {
    const registry = createRegistry();
    const p = pipeline('plain', [circuitBreaker()], { registry });
    assert.throws(() => registry.force('plain', 'forced-open', { key: 'a' }), {
      name: 'RangeError',
      message: 'force.key must not be given for "plain": it has no keys.',
    });
    assert.equal(p.inspect().policies[0]?.circuit?.state, 'closed');
  });

  test('says whom it could not force, and whom it could', () => {
    const own = createRegistry();
    pipeline('payments', [retry()], { registry: own });
    pipeline('stock', [circuitBreaker()], { registry: own });
    assert.throws(() => own.force('paiments', 'forced-open'), {
      name: 'RangeError',
      message: 'force.pipeline must be a listed pipeline ("payments", "stock"), not "paiments".',
    });
    assert.throws(() => createRegistry().force('stock', 'forced-open'), /\(none\), not "stock"/);
    assert.throws(() => own.force('payments', 'forced-open'), /"payments" has none/);
    const hosts = keyedPipeline('hosts', [circuitBreaker()], { registry: own });
    assert.throws(
      () => own.force('hosts', 'forced-open', { key: 'a' }),
      /force\.pipeline "hosts" has no key "a" with a circuit breaker now\./,
    );
    assert.throws(
      () => own.force('hosts', 'forced-open'),
      /force\.pipeline "hosts" has no key with a circuit breaker now\./,
    );
    hosts[Symbol.dispose]();
    assert.throws(() => own.force('stock', 'open' as never), /force\.as must be one of/);
    assert.throws(() => own.force('stock', 'disabled', { forMs: 86_400_001 }), /force\.forMs/);
    const circuit = () => own.list()[1]?.policies[0]?.circuit;
    assert.equal(circuit()?.state, 'closed');
    for (const as of ['forced-open', 'forced-closed', 'disabled', 'observe', 'closed'] as const) {
      own.force('stock', as);
      assert.equal(circuit()?.state, as);
      const forMs = circuit()?.expiresInMs ?? 0;
      assert.ok(as === 'closed' ? forMs === 0 : forMs > 299_000 && forMs <= 300_000, `${forMs}`);
    }
  });
});
