import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_REASONS, type Unreadable } from '@holdfast/messaging/encrypted';
import { unreadableLines } from './unreadable-lines.ts';

test('each reason is said once, with what becomes of the event', () => {
  assert.deepEqual(
    said([
      ['lost', false],
      ['lost', false],
      ['torn', true],
    ]),
    [
      'Event 0 of p in p.db lost It waits, and others pass.',
      'Event 2 of p in p.db torn It is a dead letter now.',
    ],
  );
});

test('a file that names ever other keys neither fills the memory nor the log', () => {
  const reasons = Array.from({ length: MOST_REASONS + 50 }, (_, n) => [`key ${n}`, false] as const);
  assert.equal(said(reasons).length, MOST_REASONS);
});

/** What is logged of events unreadable for these reasons, one after the other. */
function said(reasons: ReadonlyArray<readonly [reason: string, dead: boolean]>): string[] {
  const lines: string[] = [];
  const tell = unreadableLines(
    { component: 'p', path: 'p.db' },
    { error: (line: string) => void lines.push(line) },
  );
  for (const [n, [reason, dead]] of reasons.entries()) {
    const message = { id: `${n}` } as Unreadable['message'];
    tell({ message, reason, dead });
  }
  return lines;
}
