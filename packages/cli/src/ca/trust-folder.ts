import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Signed } from './certificates.ts';

/**
 * The files of an authority:
 *
 *     ca.crt                    the roots that sidecars trust, newest first
 *     ca.key                    key of the newest root; may be kept elsewhere
 *     issuer.crt, issuer.key    what workloads are signed with (names as Dapr's)
 *     apps/NAMESPACE/APP/       tls.crt (with the issuer), tls.key
 */
export class TrustFolder {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Whether there is an authority here. */
  get exists(): boolean {
    return existsSync(this.#at('ca.crt')) || existsSync(this.#at('issuer.crt'));
  }

  roots(): readonly string[] {
    return certificatesOf(this.#read('ca.crt'));
  }

  issuer(): Signed {
    return { certificate: this.#read('issuer.crt'), key: this.#read('issuer.key') };
  }

  async writeRoots(roots: readonly string[], key: string | undefined): Promise<void> {
    if (key !== undefined) await this.#write('ca.key', key);
    await this.#write('ca.crt', roots.join(''));
  }

  async writeIssuer({ certificate, key }: Signed): Promise<void> {
    await this.#write('issuer.key', key);
    await this.#write('issuer.crt', certificate);
  }

  /** Every workload that has a certificate here. */
  apps(): readonly { readonly namespace: string; readonly appId: string }[] {
    const names = (folder: string): string[] =>
      existsSync(folder)
        ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
            entry.isDirectory() ? [entry.name] : [],
          )
        : [];
    return names(this.#at('apps')).flatMap((namespace) =>
      names(this.#at('apps', namespace)).flatMap((appId) =>
        this.app(namespace, appId) === undefined ? [] : [{ namespace, appId }],
      ),
    );
  }

  /** The certificate of a workload; undefined where it has none. */
  app(namespace: string, appId: string): X509Certificate | undefined {
    const file = this.#at('apps', namespace, appId, 'tls.crt');
    if (!existsSync(file)) return undefined;
    return parsed(file, readFileSync(file, 'utf8'));
  }

  async writeApp(
    namespace: string,
    appId: string,
    signed: Signed,
    issuer: string,
  ): Promise<string> {
    const folder = path.join('apps', namespace, appId);
    // The key first: a sidecar that reads in between finds a pair that does not match, and waits.
    await this.#write(path.join(folder, 'tls.key'), signed.key);
    await this.#write(path.join(folder, 'tls.crt'), signed.certificate + issuer);
    return this.#at(folder);
  }

  #at(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  #read(name: string): string {
    const file = this.#at(name);
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new Error(`${file} is not there; \`holdfast ca init\` makes an authority.`);
    }
  }

  /** Readers see the old file or the new one whole; nobody but the owner sees either. */
  async #write(name: string, text: string): Promise<void> {
    const file = this.#at(name);
    const next = `${file}.${randomBytes(6).toString('hex')}`;
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(next, text, { mode: 0o600, flag: 'wx' });
      await rename(next, file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(
        `${file} cannot be written (${code ?? message}); --dir must be a folder, there or to be made, that this user may write to.`,
      );
    }
  }
}

/** The certificates of a PEM text, each with its line break. */
export function certificatesOf(pem: string): readonly string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return found.map((text) => `${text}\n`);
}

export function parsed(file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Error(`${file} holds no certificate: ${(error as Error).message}`);
  }
}
