import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentSettings } from '../components/component-settings.ts';
import type { MetadataItem } from '../components/component-spec.ts';
import { encryptionKeys } from './encryption-keys.ts';

const HEX = 'ab'.repeat(16);

test('a store without keys is not encrypted', () => {
  assert.equal(keys([]), undefined);
});

test('keys have the names of their secrets, and their names may be in any letter case', () => {
  const given = [secret('PrimaryEncryptionKey', 'new'), secret('secondaryEncryptionKey', 'old')];
  const bytes = Buffer.from(HEX, 'hex');
  assert.deepEqual(keys(given), {
    primary: { name: 'new', bytes },
    secondary: { name: 'old', bytes },
  });
});

test('a key that cannot be used is refused, with what may stand there', () => {
  const refused = (given: readonly MetadataItem[], value = HEX) => {
    try {
      return keys(given, value);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.deepEqual(
    [
      refused([{ name: 'primaryEncryptionKey', kind: 'value', value: HEX }]),
      refused([{ name: 'primaryEncryptionKey', kind: 'variable', variable: 'KEY' }]),
      refused([secret('secondaryEncryptionKey', 'old')]),
      refused([secret('primaryEncryptionKey', 'new')], 'hush'),
      refused([secret('primaryEncryptionKey', 'new')], 'ab'.repeat(20)),
    ],
    [
      'metadata primaryEncryptionKey must be a secretKeyRef: a key in the file protects nothing',
      'metadata primaryEncryptionKey must be a secretKeyRef: a key in the file protects nothing',
      'metadata secondaryEncryptionKey decrypts what was written before; primaryEncryptionKey, which encrypts, is missing',
      'metadata primaryEncryptionKey: the secret "new" must be 32, 48 or 64 hexadecimal digits (AES-128, -192 or -256), not 4 characters',
      'metadata primaryEncryptionKey: the secret "new" must be 32, 48 or 64 hexadecimal digits (AES-128, -192 or -256), not 40 characters',
    ],
  );
});

const secret = (name: string, key: string): MetadataItem => ({
  name,
  kind: 'secret',
  secret: key,
  key,
});

/** As the sidecar has them: the secrets looked up. */
function keys(metadata: readonly MetadataItem[], value = HEX) {
  const values = metadata.map(({ name }) => [name, value] as const);
  return encryptionKeys(metadata, new ComponentSettings('store', values));
}
