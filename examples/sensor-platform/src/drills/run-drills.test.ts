import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer } from '@holdfast/drill';
import type { DrillContext } from './drill-context.ts';
import { judgeSensorTest } from './platform.ts';
import { drillNames, runDrills } from './run-drills.ts';

describe('runDrills', () => {
  test('lists the names for one it does not know, with status 2, and breaks nothing', async () => {
    const { exitCode, printed } = await run(['auth,brokre']);

    assert.equal(exitCode, 2);
    assert.equal(printed[0], 'There is no drill called "brokre".');
    assert.deepEqual(
      printed.slice(2).map((line) => line.trim().split(' ')[0]),
      drillNames,
    );
  });

  test('lists the names when none is given', async () => {
    const { exitCode, printed } = await run(['']);

    assert.equal(exitCode, 2);
    assert.equal(printed.length, drillNames.length + 1);
  });
});

describe('an answer to a sensor test', () => {
  test('is a promise, a refusal, or neither', () => {
    const verdicts = [202, 400, 401, 404, 500, 503, 504, 0].map((status) => {
      const answer: Answer = { ...NO_ANSWER, status, json: { test_id: 'a' } };
      return [status, judgeSensorTest(answer).kind];
    });

    assert.deepEqual(verdicts, [
      [202, 'accepted'],
      [400, 'refused'],
      [401, 'refused'],
      [404, 'refused'],
      [500, 'unknown'],
      [503, 'unknown'],
      [504, 'unknown'],
      [0, 'unknown'],
    ]);
  });
});

const NO_ANSWER: Answer = {
  status: 0,
  headers: {},
  text: '',
  json: {},
  tookMs: 0,
  reached: true,
};

/** A context in which nothing may be touched: whoever tries fails the test. */
async function run(names: readonly string[]) {
  const printed: string[] = [];
  const touched = async () => assert.fail('a process was touched');
  const context: DrillContext = {
    baseUrl: 'http://127.0.0.1:9',
    control: { ps: touched, kill: touched, start: touched },
    databaseUrl: () => assert.fail('a database was touched'),
    print: (line) => printed.push(line),
  };
  return { exitCode: await runDrills(names, context), printed };
}
