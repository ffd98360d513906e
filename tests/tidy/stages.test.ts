import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { root, text, trackedFiles } from './tree.ts';

// A test in a folder that no stage looks into passes for ever.
test('every test file is held by one stage of `npm test`', () => {
  const patterns = text('scripts/test.ts').matchAll(/'([^' ]+\*\.test\.ts)'/g);
  const held = [...patterns].flatMap(([, pattern]) => globSync(pattern!, { cwd: root }));
  const twice = held.filter((file, at) => held.indexOf(file) !== at);
  const tests = trackedFiles().filter((file) => file.endsWith('.test.ts'));
  assert.deepEqual(
    { unheld: tests.filter((file) => !held.includes(file)), twice },
    { unheld: [], twice: [] },
  );
});
