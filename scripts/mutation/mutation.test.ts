import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { schema } from '@stryker-mutator/api/core';
import { changedFiles, survivingPlaces, withSecond } from './again.ts';
import { CORE, coreTests, folderOf, mutatedFiles, needsServers, stagesFor } from './core-tests.ts';
import { EQUIVALENTS, whyEquivalent } from './equivalents.ts';
import { inSample } from './sample.ts';
import { EQUIVALENT, ratioOf, scoresOf, scoreTable } from './score.ts';
import { limitOf } from './spent.ts';

describe('tests of a mutant', () => {
  test('are the folder’s own, then its slow ones and those of composition, for the engine all but slow ones', () => {
    const tests = [
      'src/breaker/states.test.ts',
      'src/engine/random-program.test.ts',
      'src/hedge/hedge.test.ts',
      'src/hedge/live-quantile.test.ts',
      'src/hedge/model.test.ts',
      'src/pipeline.test.ts',
    ];
    assert.deepEqual(stagesFor('hedge', tests), [
      ['src/hedge/hedge.test.ts'],
      ['src/hedge/live-quantile.test.ts'],
      ['src/pipeline.test.ts', 'src/engine/random-program.test.ts', 'src/hedge/model.test.ts'],
    ]);
    assert.deepEqual(stagesFor('engine', tests), [
      ['src/pipeline.test.ts', 'src/engine/random-program.test.ts'],
      ['src/breaker/states.test.ts', 'src/hedge/hedge.test.ts', 'src/hedge/live-quantile.test.ts'],
    ]);
  });

  test('of what Redis does are its own, and the contracts that it keeps; nobody else meets them', () => {
    const tests = [
      'src/cache/cache-store.test.ts',
      'src/cache/cache.test.ts',
      'src/redis/redis-rate-store.test.ts',
    ];
    assert.deepEqual(stagesFor('redis', tests), [
      ['src/redis/redis-rate-store.test.ts'],
      ['src/cache/cache-store.test.ts'],
    ]);
    assert.deepEqual(stagesFor('engine', tests), [
      ['src/cache/cache-store.test.ts', 'src/cache/cache.test.ts'],
    ]);
    assert.deepEqual([needsServers(['cache', 'redis']), needsServers(['cache'])], [true, false]);
  });

  test('exist for every folder that has code', () => {
    const tests = coreTests(CORE);
    for (const file of mutatedFiles(CORE)) {
      assert.ok(stagesFor(folderOf(file), tests).length > 0, file);
    }
    assert.equal(folderOf('src/breaker/shared/options.ts'), 'breaker');
    assert.equal(folderOf('src/pipeline.ts'), 'src');
  });
});

describe('a sample', () => {
  const mutants = Array.from({ length: 1_000 }, (_, line) => ({
    fileName: 'src/retry/retry.ts',
    mutatorName: 'BooleanLiteral',
    location: { start: { line, column: 1 } },
  }));

  test('is the same for a seed, another for another, and near its share', () => {
    const taken = (seed: number) => mutants.map((mutant) => inSample(mutant, 0.25, seed));
    assert.deepEqual(taken(7), taken(7));
    assert.notDeepEqual(taken(7), taken(8));
    const size = taken(7).filter(Boolean).length;
    assert.ok(size > 200 && size < 300, `${size}`);
  });

  test('of all is all, and a larger one holds a smaller one of the same seed', () => {
    for (const mutant of mutants) {
      assert.ok(inSample(mutant, 1, 3));
      assert.ok(!inSample(mutant, 0.1, 3) || inSample(mutant, 0.2, 3));
    }
  });
});

describe('a run made again', () => {
  test('asks what survived, and keeps what was found out about the rest', () => {
    const first = report(['Killed', 'Survived', 'NoCoverage', 'Timeout']);
    const second = report(['CompileError', 'Killed', 'Survived', 'CompileError']);
    assert.equal(survivingPlaces(first).length, 2);
    const { mutants } = withSecond(first, second).files['src/retry/retry.ts']!;
    assert.deepEqual(
      mutants.map(({ status }) => status),
      ['Killed', 'Killed', 'Survived', 'Timeout'],
    );
  });

  test('is not made of code that has changed', () => {
    const first = report(['Survived']);
    assert.deepEqual(
      changedFiles(first, () => first.files['src/retry/retry.ts']!.source),
      [],
    );
    assert.deepEqual(
      changedFiles(first, () => 'other'),
      ['src/retry/retry.ts'],
    );
  });
});

test('a mutant may spend what its tests spend without it several times over, and some seconds', () => {
  const spent = { 'a.test.ts': { busyMs: 1_120, idleMs: 100 } };
  assert.deepEqual(limitOf(['a.test.ts', 'unknown.test.ts'], spent), {
    busyMs: 3_500,
    idleMs: 20_200,
  });
});

describe('the score', () => {
  test('counts what was noticed of what was run, by folder, and names the survivors', () => {
    const scores = scoresOf(report(['Killed', 'Killed', 'Timeout', 'Survived', 'CompileError']));
    assert.equal(ratioOf(scores), 0.75);
    assert.deepEqual(scores[0]!.survivors, [
      {
        file: 'src/retry/retry.ts',
        line: 2,
        source: 'const limit = 3;',
        original: '3',
        replacement: '3',
        mutator: 'Literal',
        equivalent: undefined,
      },
    ]);
    assert.match(scoreTable(scores), /\| all \| 4 \| 2 \| 1 \| 1 \| 0 \| 75\.0 % \|$/);
  });

  test('counts what is known to be equivalent as survived, though it was not run', () => {
    const given = report(['Killed', 'CompileError', 'CompileError']);
    given.files['src/retry/retry.ts']!.mutants[1]!.statusReason = `${EQUIVALENT}it is.`;
    assert.match(scoreTable(scoresOf(given)), /\| all \| 2 \| 1 \| 0 \| 1 \| 0 \| 50\.0 % \|$/);
  });

  test('has a reason for each mutant called equivalent', () => {
    for (const { why, source } of EQUIVALENTS) assert.ok(why.length > 10, `${source}`);
    const mutant = { file: 'src/a.ts', line: 1, mutator: 'ConditionalExpression' };
    const source = 'if (!reporter.listening) return;';
    const original = '!reporter.listening';
    assert.ok(whyEquivalent({ ...mutant, source, original, replacement: 'false' }));
    assert.equal(whyEquivalent({ ...mutant, source, original, replacement: 'true' }), undefined);
  });
});

function report(statuses: readonly schema.MutantStatus[]): schema.MutationTestResult {
  const mutants = statuses.map((status, id) => ({
    id: `${id}`,
    status,
    mutatorName: 'Literal',
    replacement: `${id}`,
    location: { start: { line: 2, column: 17 }, end: { line: 2, column: 18 } },
  }));
  const source = '\n  const limit = 3;\n';
  return {
    schemaVersion: '2',
    thresholds: { high: 80, low: 60 },
    files: { 'src/retry/retry.ts': { language: 'typescript', source, mutants } },
  };
}
