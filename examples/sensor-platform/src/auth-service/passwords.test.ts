import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPassword, hashPassword } from './passwords.ts';

test('a password is known again by its hash, which differs each time and says what it cost', async () => {
  const [one, other] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);

  assert.match(one, /^scrypt\$16384\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
  assert.notEqual(one, other);
  assert.deepEqual(
    [await checkPassword('secret', one), await checkPassword('Secret', one)],
    [true, false],
  );
});

test('a hash made when hashing cost less is still good', async () => {
  const cheap =
    'scrypt$1024$8$1$AAAAAAAAAAAAAAAAAAAAAA$MAQg4JGLPMRqJFBEKf8fQ-4nhhombI56iCi1UYs3wDs';

  assert.deepEqual(
    [await checkPassword('secret', cheap), await checkPassword('other', cheap)],
    [true, false],
  );
});

test('nobody has no password, not even an empty one', async () => {
  assert.deepEqual(
    [await checkPassword('', undefined), await checkPassword('secret', undefined)],
    [false, false],
  );
});
