import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { SidecarClient } from '../service/sidecar-client.ts';

/** The public keys of auth-service, kept on disk for when it is down. */
export interface PublicKeys {
  /** Undefined until auth-service was reached once, in this life or an earlier one. */
  current(): JWTVerifyGetKey | undefined;
  refresh(): Promise<void>;
}

export async function publicKeys(file: string, sidecar: SidecarClient): Promise<PublicKeys> {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  let keys = kept === undefined ? undefined : createLocalJWKSet(JSON.parse(kept) as JSONWebKeySet);

  return {
    current: () => keys,
    async refresh() {
      const answer = await sidecar.invoke('auth-service', '/.well-known/jwks.json');
      if (!answer.ok) throw new Error(`auth-service answered ${answer.status} for its keys.`);
      const set = (await answer.json()) as JSONWebKeySet;
      keys = createLocalJWKSet(set); // throws on nonsense, which then is not kept
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.new`, JSON.stringify(set), { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
  };
}
