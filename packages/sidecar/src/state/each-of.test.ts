import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachOf } from './each-of.ts';
import { EtagMismatchError, type StateOperation, type StateStore } from './state-store.ts';
import { writeEach } from './write-each.ts';

test('done again, it writes what was not written, and that alone', async () => {
  const { asked, work } = writing(['a', 'b', 'c'], (key, round) => {
    if (key === 'b' && round === 1) throw new Error('b is not there now');
  });
  await assert.rejects(work(), { message: 'b is not there now' });
  await work();
  assert.deepEqual(asked, [['a', 'b', 'c'], ['b']]);
});

test('several that disagree about their etags do so with one voice, which a failure of another kind takes away', async () => {
  const said = async (...errors: Error[]) => {
    const keys = errors.map((_, at) => String(at));
    const { work } = writing(['fine', ...keys], (key) => {
      if (key !== 'fine') throw errors[Number(key)]!;
    });
    return await work().catch((error: Error) => `${error.name}: ${error.message}`);
  };
  const mismatch = 'possible etag mismatch. error from state store';
  const [one, two] = [new EtagMismatchError('one'), new EtagMismatchError('two')];
  assert.deepEqual(
    [
      await said(one),
      await said(one, two),
      await said(new Error('x'), two),
      await said(new Error('x'), new Error('y')),
    ],
    [
      `EtagMismatchError: ${mismatch}: ${mismatch}: one`,
      `EtagMismatchError: ${mismatch}: ${mismatch}: one\n${mismatch}: two`,
      `EtagMismatchError: ${mismatch}: two`,
      'Error: x\ny',
    ],
  );
});

test('what is not written is told of where a store is asked for others in their stead', async () => {
  const asked: string[] = [];
  const store: Pick<StateStore, 'write'> = {
    async write(operations) {
      const others = operations.map((one) => ({ ...one }));
      await writeEach(others, ({ key }) => {
        asked.push(key);
        if (key === 'b' && asked.length < 3) throw new EtagMismatchError('b');
      });
    },
  };
  const makers = ['a', 'b'].map((key) => () => ({ kind: 'delete', key }) as const);
  const work = eachOf(store, makers);
  await assert.rejects(work(), EtagMismatchError);
  await work();
  assert.deepEqual(asked, ['a', 'b', 'b']);
});

function writing(keys: readonly string[], write: (key: string, round: number) => void) {
  const asked: string[][] = [];
  const store = {
    async write(operations: readonly StateOperation[]) {
      asked.push(operations.map(({ key }) => key));
      await writeEach(operations, ({ key }) => write(key, asked.length));
    },
  };
  const makers = keys.map((key) => () => ({ kind: 'delete', key }) as const);
  return { asked, work: eachOf(store, makers) };
}
