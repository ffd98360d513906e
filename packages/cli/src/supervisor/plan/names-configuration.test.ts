import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesConfiguration } from './names-configuration.ts';

test('a folder whose name means something in a URI is that folder', () => {
  const text = namesConfiguration('/home/me/50% #1?/names.db');
  assert.match(text, /connectionString: "\/home\/me\/50%25 %231%3F\/names\.db"$/m);
});
