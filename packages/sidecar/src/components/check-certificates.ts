import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** One that cannot be read would be found out at the first call, which may be at night. @throws Error that begins with `said`. */
export function checkAuthority(ca: string | undefined, said: string): void {
  if (ca === undefined) return;
  try {
    new X509Certificate(ca);
  } catch (error) {
    throw new Error(`${said}: ${(error as Error).message}`);
  }
}

/** That a certificate and its key belong together. @throws Error that begins with `said`. */
export function checkPair(
  pair: { readonly cert?: string; readonly key?: string },
  said: string,
): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new Error(`${said}: ${(error as Error).message}`);
  }
}
