import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/start-mesh.ts';
import { Place } from './place.ts';
import { readResources } from './resource-files.ts';

test('a place has line and column; of what is missing, those of where it should be', async (t) => {
  const file = path.join(await temporaryFolder(t), 'c.yaml');
  await writeFile(
    file,
    'kind: A\n---\nkind: B\nspec:\n  list:\n    - { name: x }\n    - name: y\n',
  );
  const [, resource] = await readResources([file], { unreadable: () => {}, empty: () => {} });
  const place = new Place('c.yaml', ['spec'], resource!.locate);
  assert.deepEqual(
    [
      place.at('list', 1, 'name'),
      place.at('list', 1, 'age'),
      place.at('list', 7),
      place.at('no', 'way'),
    ].map(String),
    [
      'c.yaml:7:13: spec.list[1].name',
      'c.yaml:7:7: spec.list[1].age',
      'c.yaml:6:5: spec.list[7]',
      'c.yaml:5:3: spec.no.way',
    ],
  );
});

test('a place in no file that was read has its keys alone', () => {
  assert.equal(String(new Place('c.yaml', ['spec', 'list', 0])), 'c.yaml: spec.list[0]');
});
