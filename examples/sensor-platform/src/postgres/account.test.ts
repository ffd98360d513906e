import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unprivilegedAccount } from './account.ts';

test('root runs PostgreSQL as postgres, else as nobody, else as the number that is nobody everywhere', () => {
  const nobody = 'root:x:0:0::/root:/bin/sh\nnobody:x:99:98::/:/sbin/nologin\n';

  assert.deepEqual(
    [
      unprivilegedAccount(`${nobody}postgres:x:101:104::/var/lib/postgresql:/bin/bash\n`),
      unprivilegedAccount(nobody),
      unprivilegedAccount(''),
    ],
    [
      { uid: 101, gid: 104 },
      { uid: 99, gid: 98 },
      { uid: 65_534, gid: 65_534 },
    ],
  );
});
