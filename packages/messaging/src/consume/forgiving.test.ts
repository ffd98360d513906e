import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgiving } from './forgiving.ts';
import { resolveSubscribeOptions } from './subscribe-options.ts';

test('what a layout cannot read is a message as it lies there, and its reader is told why', () => {
  const told: unknown[] = [];
  const onProblem = (problem: unknown) => told.push(problem);
  const message = (id: string) => ({
    id,
    topic: 't',
    key: undefined,
    body: Buffer.from('x'),
    headers: {},
  });
  const error = new Error('no such version');
  const options = resolveSubscribeOptions({ group: 'g', onProblem });
  const read = (raw: string) =>
    forgiving(
      () => {
        if (raw === 'newer') throw error;
        return message(`read ${raw}`);
      },
      () => message(`plain ${raw}`),
      options,
    );

  assert.deepEqual([read('ours').id, read('newer').id], ['read ours', 'plain newer']);
  assert.deepEqual(told, [{ kind: 'handler-failed', id: 'plain newer', error }]);
});
