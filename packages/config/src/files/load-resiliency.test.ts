import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { formatProblem } from '../problems/problem.ts';
import { timeoutFile, workspace } from '../testing/workspace.ts';
import { loadResiliency, ResiliencyFileError } from './load-resiliency.ts';

describe('loadResiliency', () => {
  test('reads the YAML files of a directory by name, without subdirectories and other files', async (t) => {
    const { directory, write, at } = await workspace(t);
    await write('b.yaml', timeoutFile('second', '2s'));
    await write('a.yml', timeoutFile('first', '1s'));
    await write('c.yaml', 'kind: Component\nmetadata: { name: store }\n');
    await write('d.txt', timeoutFile('text', '4s'));
    await mkdir(at('e.yaml'));
    await mkdir(at('deeper'));
    await write('deeper/f.yaml', timeoutFile('deeper', '6s'));

    const { policies, files, problems } = await loadResiliency([directory]);
    assert.deepEqual(files, [at('a.yml'), at('b.yaml')]);
    assert.deepEqual([policies.name, policies.forApp('any').timeoutMs], ['second', 2_000]);
    assert.deepEqual(problems.map(formatProblem), [
      `${at('b.yaml')}:8:7 warning redefined: timeouts.DefaultTimeoutPolicy is defined in ${at('a.yml')}:8:7 already; this one counts.`,
    ]);
  });

  test('reads several paths in their order, files among them', async (t) => {
    const { directory, write, at } = await workspace(t);
    await mkdir(at('sub'));
    const last = await write('z.yaml', timeoutFile('last', '9s'));
    await write('sub/a.yaml', timeoutFile('sub', '1s'));
    const loaded = await loadResiliency([last, path.join(directory, 'sub')]);
    assert.equal(loaded.policies.name, 'sub');
  });

  test('leaves out what is meant for other apps', async (t) => {
    const { directory, write, at } = await workspace(t);
    await write('a.yaml', timeoutFile('all', '1s'));
    await write('b.yaml', timeoutFile('some', '2s', 'scopes: [app1, app2]\n'));
    const limitOf = async (appId?: string) => {
      const { policies } = await loadResiliency([directory], appId === undefined ? {} : { appId });
      return [policies.name, policies.forApp('any').timeoutMs];
    };
    assert.deepEqual(await limitOf('app1'), ['some', 2_000]);
    assert.deepEqual(await limitOf('app3'), ['all', 1_000]);
    assert.deepEqual(await limitOf(), ['some', 2_000]);
    assert.deepEqual((await loadResiliency([directory], { appId: 'app3' })).files, [at('a.yaml')]);
  });

  test('a name that another file defines is known', async (t) => {
    const { directory, write } = await workspace(t);
    await write(
      'a.yaml',
      'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: { name: a }\nspec: { policies: { timeouts: { general: 5s } } }\n',
    );
    await write(
      'b.yaml',
      'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: { name: b }\nspec: { targets: { apps: { shop: { timeout: general } } } }\n',
    );
    const { policies, problems } = await loadResiliency([directory]);
    assert.deepEqual([policies.forApp('shop').timeoutMs, problems], [5_000, []]);
  });

  test('loads what is wrong in part, and refuses it where that is asked for', async (t) => {
    const { write } = await workspace(t);
    const file = await write('lax.yaml', `${timeoutFile('lax', '5s')}      broken: 5 sec\n`);
    const lines = [
      `${file}:9:15 error bad-duration: timeouts.broken is "5 sec", which has the unit " sec", which is not one; did you mean \`5s\`?`,
    ];
    const { policies, problems } = await loadResiliency([file]);
    assert.equal(policies.forApp('any').timeoutMs, 5_000);
    assert.deepEqual(problems.map(formatProblem), lines);
    await assert.rejects(loadResiliency([file], { strict: true }), (error) => {
      assert.ok(error instanceof ResiliencyFileError);
      assert.deepEqual([error.code, error.message], ['RESILIENCY_FILE', lines[0]]);
      assert.deepEqual(error.problems.map(formatProblem), lines);
      return true;
    });
  });

  test('throws where a path is not there, or cannot be read', async (t) => {
    const { write, at, directory } = await workspace(t);
    await symlink(at('loop.yaml'), at('loop.yaml'));
    const said = async (paths: string[]) => {
      const error = await loadResiliency(paths).catch((reason: unknown) => reason);
      assert.ok(error instanceof ResiliencyFileError);
      return error.message.replaceAll(directory, 'DIR');
    };
    assert.deepEqual(
      [
        await said([at('gone')]),
        await said([at('loop.yaml')]),
        await said(['/dev/null']),
        await said([at('gone'), at('away.yaml')]),
      ],
      [
        'DIR/gone:1:1 error not-found: does not exist.',
        'DIR/loop.yaml:1:1 error unreadable: cannot be read (ELOOP).',
        '/dev/null:1:1 error unreadable: is neither a file nor a directory.',
        'DIR/gone:1:1 error not-found: does not exist. (and 1 more)',
      ],
    );
    assert.deepEqual((await loadResiliency([])).files, [], 'no path is no policy');
    await write('fine.yaml', timeoutFile('fine', '1s'));
    assert.match(await said([directory]), /ELOOP/, 'one unreadable file among others');
  });

  test('says of a file that is not UTF-8 where it stops being it', async (t) => {
    const { write, directory } = await workspace(t);
    const latin1 = Buffer.from(timeoutFile('na\u00efve', '1s'), 'latin1');
    const utf16 = Buffer.from(`\ufeff${timeoutFile('wide', '1s')}`, 'utf16le');
    const cut = Buffer.from(`${timeoutFile('cut', '1s')}# \u20ac`).subarray(0, -1);
    const files = [
      await write('a.yaml', latin1),
      await write('b.yaml', utf16),
      await write('c.yaml', cut),
    ];
    const { problems } = await loadResiliency(files);
    assert.deepEqual(
      problems.map((each) => formatProblem(each).replace(directory, '')),
      [
        '/a.yaml:4:11 error not-utf8: is not UTF-8; it may be Latin-1.',
        '/b.yaml:1:1 error not-utf8: is not UTF-8; it looks like UTF-16.',
        '/c.yaml:9:3 error not-utf8: is not UTF-8; it may be Latin-1.',
      ],
    );
  });

  test('reads no more of a file than the limit', async (t) => {
    const { write, directory } = await workspace(t);
    const file = await write('large.yaml', Buffer.alloc(10 * 1024 * 1024, '# anchors\n'));
    const { problems, policies } = await loadResiliency([file]);
    assert.deepEqual(
      problems.map((each) => formatProblem(each).replace(directory, '')),
      [
        '/large.yaml:1:1 error too-large: is 10485760 bytes, and 256 KiB is the limit; split it into several files.',
      ],
    );
    assert.deepEqual(policies.names.apps, []);
  });
});
