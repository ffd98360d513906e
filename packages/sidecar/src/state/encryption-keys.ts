import type { ComponentSettings } from '../components/component-settings.ts';
import type { MetadataItem } from '../components/component-spec.ts';
import type { EncryptionKey, EncryptionKeys } from './encrypted-state.ts';

const PRIMARY = 'primaryEncryptionKey';
const SECONDARY = 'secondaryEncryptionKey';

/**
 * The keys that a state store's metadata names, as in Dapr; undefined where it names none.
 *
 * @throws Error for a key that cannot be used: without it values would lie in the open.
 */
export function encryptionKeys(
  metadata: readonly MetadataItem[],
  settings: ComponentSettings,
): EncryptionKeys | undefined {
  const primary = keyOf(PRIMARY, metadata, settings);
  const secondary = keyOf(SECONDARY, metadata, settings);
  if (primary !== undefined) return { primary, secondary };
  if (secondary === undefined) return undefined;
  throw new Error(
    `metadata ${SECONDARY} decrypts what was written before; ${PRIMARY}, which encrypts, is missing`,
  );
}

function keyOf(
  name: string,
  metadata: readonly MetadataItem[],
  settings: ComponentSettings,
): EncryptionKey | undefined {
  const item = metadata.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (item === undefined) return undefined;
  if (item.kind !== 'secret') {
    throw new Error(`metadata ${name} must be a secretKeyRef: a key in the file protects nothing`);
  }
  const hex = settings.text(name) ?? '';
  if (!/^(?:[\da-f]{32}|[\da-f]{48}|[\da-f]{64})$/i.test(hex)) {
    throw new Error(
      `metadata ${name}: the secret "${item.secret}" must be 32, 48 or 64 hexadecimal digits (AES-128, -192 or -256), not ${hex.length} characters`,
    );
  }
  return { name: item.secret, bytes: Buffer.from(hex, 'hex') };
}
