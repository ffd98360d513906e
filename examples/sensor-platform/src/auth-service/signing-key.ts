import type { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

/** The key that signs tokens, and its public half as others get it. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicJwk: JWK;
}

/** Reads the key from `file`, or makes it once: tokens outlive a restart of the service. */
export async function loadSigningKey(file: string): Promise<SigningKey> {
  if (!existsSync(file)) await makeKey(file);
  const jwk: JWK = JSON.parse(await readFile(file, 'utf8'));
  const id = await calculateJwkThumbprint(jwk);
  const { d: _secret, ...half } = jwk;
  return {
    id,
    privateKey: (await importJWK(jwk, 'EdDSA')) as webcrypto.CryptoKey,
    publicJwk: { ...half, kid: id, alg: 'EdDSA', use: 'sig' },
  };
}

async function makeKey(file: string): Promise<void> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  await mkdir(dirname(file), { recursive: true });
  // Written beside and moved: killed half way, no half a key is found later.
  await writeFile(`${file}.new`, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
