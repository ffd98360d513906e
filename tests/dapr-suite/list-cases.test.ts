import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casesIn } from './list-cases.ts';
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

test('a case is left out for what it starts, or for what it is about, and says which', () => {
  const why = (name: string, ...starts: string[]) => whyElsewhere({ name, starts });
  assert.equal(why('daprd/state/http/basic', 'daprd', 'http/app'), undefined);
  assert.equal(why('daprd/mtls/renew', 'daprd', 'grpc/sentry'), 'needs sentry');
  assert.equal(why('daprd/jobs/get', 'scheduler', 'scheduler/cluster'), 'needs scheduler');
  assert.equal(why('helm/crds/uptodate'), 'about the control plane');
  assert.equal(groupOf('daprd/state/http/basic'), 'daprd/state');
});
