import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

test('the example in the README is the drill that the tests hold', async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const [readme, drill] = await Promise.all([
    read('../README.md'),
    read('./testing/readme-drill.ts'),
  ]);

  assert.ok(readme.includes(`\`\`\`ts\n${drill}\`\`\``), 'README.md and readme-drill.ts differ');
});
