import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { API_FILE, coreApi } from '../../scripts/api.ts';

test('api.txt is what core exports: after a change on purpose, run npm run api and read the diff', () => {
  assert.equal(readFileSync(API_FILE, 'utf8'), coreApi());
});
