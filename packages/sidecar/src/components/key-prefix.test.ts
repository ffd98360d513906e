import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentSettings } from './component-settings.ts';
import { keyPrefix } from './key-prefix.ts';

test('what stands before a key is daprd’s to the byte', () => {
  const given = [undefined, '', ' ', 'APPID', 'Name', 'none', 'namespace', 'MyOwn'];
  assert.deepEqual(
    given.map((one) => prefix(one)),
    ['app||', '||', ' ||', 'app||', 'Store||', '', 'shop.app||', 'myown||'],
  );
  assert.equal(prefix('namespace', ''), 'app||');
  assert.throws(() => prefix('a||b'), /keyPrefix "a\|\|b" must not contain \|\|/);
});

function prefix(given: string | undefined, givenNamespace = 'shop'): string {
  const items = given === undefined ? [] : [['keyPrefix', given] as const];
  return keyPrefix(new ComponentSettings('Store', items), 'Store', {
    appId: 'app',
    givenNamespace,
  });
}
