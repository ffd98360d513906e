import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachments, readPostmasterFile } from './leftovers.ts';

test("postmaster.pid tells the server's number and its shared memory", () => {
  const file = '4711\n/data\n1732180000\n5433\n\n127.0.0.1\n 84345     32769\nready   \n';

  assert.deepEqual(readPostmasterFile(file), { pid: 4711, sharedMemoryId: 32769 });
});

test('a postmaster.pid that was cut short tells no shared memory', () => {
  assert.deepEqual(readPostmasterFile('4711\n/data\n'), { pid: 4711, sharedMemoryId: undefined });
});

test('the table of shared memory tells how many processes hold a segment', () => {
  const table = [
    '       key      shmid perms       size  cpid  lpid nattch   uid',
    '     84345      32769   600         56  4711  4713      5   101',
  ].join('\n');

  assert.deepEqual(
    [attachments(table, 32769), attachments(table, 7), attachments('', 7)],
    [5, 0, 0],
  );
});
