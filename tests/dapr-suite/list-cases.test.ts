import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { casesIn, listCases } from './list-cases.ts';
import { groupOf, whyElsewhere } from './scope.ts';

test('a case is named by its folder and its type, with what its file starts', () => {
  const source = `
import (
	"example.org/dapr/tests/integration/framework"
	"example.org/dapr/tests/integration/framework/process/daprd"
	procsentry "example.org/dapr/tests/integration/framework/process/grpc/sentry"
)

func init() {
	suite.Register(new(renew))
	// suite.Register(new(retired))
}
`;
  assert.deepEqual(casesIn('daprd/mtls', source), [
    { name: 'daprd/mtls/renew', starts: ['daprd', 'grpc/sentry'] },
  ]);
  assert.deepEqual(casesIn('daprd/mtls', 'package mtls'), []);
});

test('a folder that nothing imports is not in the suite', (t) => {
  const root = mkdtempSync(path.join(tmpdir(), 'holdfast-list-cases-'));
  t.after(() => rmSync(root, { recursive: true }));
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const at = (folder: string) => `"example.org/dapr/tests/integration/${folder}"`;
  write('import.go', `import _ ${at('suite/daprd')}\n`);
  write('suite/daprd/daprd.go', `import (\n\t_ ${at('suite/daprd/state')}\n)\n`);
  write('suite/daprd/state/b.go', 'func init() { suite.Register(new(b)) }\n');
  write('suite/daprd/state/a.go', 'func init() {\n\tsuite.Register(new(a))\n}\n');
  write('suite/daprd/startup/c.go', 'func init() {\n\tsuite.Register(new(c))\n}\n');
  assert.deepEqual(
    listCases(root).map(({ name }) => name),
    ['daprd/state/a', 'daprd/state/b'],
  );
});

test('a case is left out for what it starts, or for what it is about, and says which', () => {
  const why = (name: string, ...starts: string[]) => whyElsewhere({ name, starts });
  assert.equal(why('daprd/state/http/basic', 'daprd', 'http/app'), undefined);
  assert.equal(why('daprd/mtls/renew', 'daprd', 'grpc/sentry'), 'needs sentry');
  assert.equal(why('daprd/jobs/get', 'scheduler', 'scheduler/cluster'), 'needs scheduler');
  assert.equal(why('helm/crds/uptodate'), 'about the control plane');
  assert.equal(groupOf('daprd/state/http/basic'), 'daprd/state');
});
