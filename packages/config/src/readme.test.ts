import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { checkResiliency, loadResiliency, parseResiliency, type StatusOf } from '@holdfast/config';
import { pipeline } from '@holdfast/core';

test('the example of the README does what it says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const source = await readFile(new URL(import.meta.url), 'utf8');
  const example = /\/\/ example\n([\s\S]*?)\n {2}\/\/ end/
    .exec(source)?.[1]
    ?.replaceAll(/^ {2}/gm, '');
  assert.ok(readme.includes(`${example}\n\`\`\``), 'the example of the README is another');

  const file = new URL('../fixtures/good/one-app.yaml', import.meta.url).pathname;
  const url = 'http://127.0.0.1:1/';
  const fetch = async (_: string, __: object) => new Response('fine', { status: 200 });
  // example
  const { policies, problems } = await loadResiliency([file], { appId: 'shop' });

  const statusOf: StatusOf = ({ value }) => (value as Response | undefined)?.status;
  const target = pipeline('target-app', policies.forApp('target-app').policies(statusOf, 'http'));

  const response = await target.execute(({ signal }) => fetch(url, { signal }));
  // end
  assert.deepEqual([response.status, problems.length], [200, 1]);
  target[Symbol.dispose]();
});

test('the file of docs/reference/own-policies.md has nothing that anybody could complain about', async () => {
  const page = new URL('../../../docs/reference/own-policies.md', import.meta.url);
  const [, file = ''] = /```yaml\n([\s\S]*?)```/.exec(await readFile(page, 'utf8')) ?? [];

  const { documents, problems } = parseResiliency(file, 'own-policies.md');

  assert.deepEqual([...problems, ...checkResiliency(documents)], []);
  assert.equal(documents[0]?.targets.apps.get('catalogue')?.methods.length, 3);
});
