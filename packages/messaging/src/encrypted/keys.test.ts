import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from '../memory-store.ts';
import { encryptedStore } from './encrypted-store.ts';
import { type EncryptionKey, keysFromText } from './keys.ts';

const key = Buffer.alloc(32, 7);
const base64 = key.toString('base64');

test('keys that cannot be are refused by name, with what to do, and without a byte of them', () => {
  const wrong: readonly (readonly [readonly EncryptionKey[], RegExp])[] = [
    [[], /^encryptedStore\.keys must be a list of 1 to 100 keys/],
    [
      [{ key: key.subarray(1) }],
      /^encryptedStore\.keys\[0\]\.key must be .* not 31 bytes\. `openssl/,
    ],
    [[{ key: base64 as never }], /^encryptedStore\.keys\[0\]\.key must be .* not a string\./],
    [[{ id: 'a b', key }], /^encryptedStore\.keys\[0\]\.id must be 1 to 64 letters.*not "a b"\.$/],
    [[{ key }, { key }], /^encryptedStore\.keys\[1\]\.id is "[0-9a-f]{8}" a second time/],
  ];
  for (const [keys, message] of wrong) {
    assert.throws(() => encryptedStore(memoryStore(), { keys }), { name: 'TypeError', message });
  }
  assert.throws(() => encryptedStore(memoryStore(), { keys: [{ key }], plain: 'no' as never }), {
    message: 'encryptedStore.plain must be "read" or "refuse", not "no".',
  });
});

test('keys are read from lines of text, with an id or without', () => {
  const text = `# comment\n\nk2026 ${base64}\r\n ${base64.slice(0, -1)} \n`;

  assert.deepEqual(keysFromText('keys.txt', text), [{ id: 'k2026', key }, { key }]);
  for (const line of ['short', `${base64}=`, `a b ${base64}`, `${base64.slice(0, 42)}!=`]) {
    assert.throws(() => keysFromText('keys.txt', `\n${line}`), {
      message:
        'keys.txt, line 2, must be a key of 32 bytes in Base64, or an id, a space and such a key. `openssl rand -base64 32` makes one.',
    });
  }
  assert.throws(() => keysFromText('keys.txt', '#'), /keys\.txt holds no key/);
});
