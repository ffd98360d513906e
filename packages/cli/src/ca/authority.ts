import { randomBytes, X509Certificate } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import { formatSpiffeId, uriOf } from '@holdfast/sidecar';
import { type Signed, signCertificate } from './certificates.ts';
import type { TrustFolder } from './trust-folder.ts';

const DAY_MS = 86_400_000;
/** Clocks of two machines may differ by this. */
const SKEW_MS = 5 * 60_000;
/** Renewed when less than this part of its life is left. */
const RENEW_RATIO = 1 / 3;

export const CA_DEFAULTS = {
  trustDomain: 'public',
  namespace: 'default',
  rootDays: 3_650,
  issuerDays: 365,
  workloadDays: 30,
} as const;

/** What a command of the authority did, for people. */
export interface Issued {
  readonly id: string;
  readonly folder: string;
  readonly notAfterMs: number;
}

/** What a certificate for an app is to be. */
export interface IssueRequest {
  readonly namespace: string;
  readonly appId: string;
  readonly days: number;
  /** @default the issuer's; Dapr's names none */
  readonly trustDomain?: string | undefined;
  /** Whether a certificate that is still good is replaced. */
  readonly force: boolean;
}

/** Makes and renews certificates in one folder. */
export class Authority {
  readonly #files: TrustFolder;
  readonly #clock: Clock;

  constructor(files: TrustFolder, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /** A root and an issuer below it. Refuses where there is one: its certificates would all be worth nothing. */
  async init(
    trustDomain: string,
    days: { readonly root: number; readonly issuer: number },
    force: boolean,
  ): Promise<void> {
    if (this.#files.exists && !force) {
      throw new Error(
        `${this.#files.folder} holds an authority already; \`holdfast ca rotate\` replaces it without an outage, --force at once.`,
      );
    }
    // Throws for a name that no id can hold, before anything is written.
    formatSpiffeId({ trustDomain, namespace: 'default', appId: 'a' });
    const root = await this.#root(trustDomain, days.root);
    const issuer = await this.#issuer(root, days.issuer);
    await this.#files.writeRoots([root.certificate], root.key);
    await this.#files.writeIssuer(issuer);
  }

  /** A new root and issuer; the old roots stay trusted until `prune`. */
  async rotate(days: { readonly root: number; readonly issuer: number }): Promise<void> {
    const nowMs = this.#clock.wallMs();
    const known = this.#files.roots().filter((pem) => notAfterMs(pem) > nowMs);
    const root = await this.#root(this.trustDomain(), days.root);
    const issuer = await this.#issuer(root, days.issuer);
    await this.#files.writeRoots([root.certificate, ...known], root.key);
    await this.#files.writeIssuer(issuer);
  }

  /** Trusts the newest root alone; says how many were dropped. Refuses while a workload still needs another. */
  async prune(force: boolean): Promise<number> {
    const [newest, ...others] = this.#files.roots();
    if (newest === undefined || others.length === 0) return 0;
    const issuer = new X509Certificate(this.#files.issuer().certificate);
    const old = this.#files
      .apps()
      .filter(
        ({ namespace, appId }) => !this.#files.app(namespace, appId)!.verify(issuer.publicKey),
      );
    if (old.length > 0 && !force) {
      const names = old.map(({ namespace, appId }) => `${namespace}/${appId}`).join(', ');
      throw new Error(
        `${names} still ${old.length === 1 ? 'has a certificate' : 'have certificates'} of an older issuer; \`holdfast ca renew --all\` first, or --force.`,
      );
    }
    await this.#files.writeRoots([newest], undefined);
    return others.length;
  }

  /** A certificate for an app. Refuses where it has one that is still good. */
  async issue({ namespace, appId, days, trustDomain, force }: IssueRequest): Promise<Issued> {
    const domain = trustDomain ?? this.trustDomain();
    const id = formatSpiffeId({ trustDomain: domain, namespace, appId });
    if (this.#files.app(namespace, appId) !== undefined && !force) {
      throw new Error(
        `${id} has a certificate already; \`holdfast ca renew ${appId}\` renews it, --force replaces it.`,
      );
    }
    return this.#sign(id, namespace, appId, days);
  }

  /** New certificates, with new keys, for apps whose certificate is in the last third of its life, or for all. */
  async renew(
    chosen: (namespace: string, appId: string) => boolean,
    all: boolean,
    days: number | undefined,
  ): Promise<readonly Issued[]> {
    const issued: Issued[] = [];
    // Throws where there is no authority: then nothing being due is no good news.
    this.#files.issuer();
    for (const { namespace, appId } of this.#files.apps()) {
      if (!chosen(namespace, appId)) continue;
      const { subjectAltName, validFromDate, validToDate } = this.#files.app(namespace, appId)!;
      const lifeMs = validToDate.getTime() - validFromDate.getTime();
      const leftMs = validToDate.getTime() - this.#clock.wallMs();
      if (!all && leftMs > lifeMs * RENEW_RATIO) continue;
      const id =
        uriOf(subjectAltName) ??
        formatSpiffeId({ trustDomain: this.trustDomain(), namespace, appId });
      // As long again as the one before.
      issued.push(await this.#sign(id, namespace, appId, days ?? (lifeMs - SKEW_MS) / DAY_MS));
    }
    return issued;
  }

  /** As the issuer's certificate says. */
  trustDomain(): string {
    const uri = uriOf(new X509Certificate(this.#files.issuer().certificate).subjectAltName);
    const domain = uri?.replace(/^spiffe:\/\//, '');
    if (domain === undefined || domain === '') {
      throw new Error(
        `The issuer in ${this.#files.folder} names no trust domain (spiffe://NAME), as Dapr's does not; say which with --trust-domain, or make one with \`holdfast ca init\`.`,
      );
    }
    return domain;
  }

  async #sign(id: string, namespace: string, appId: string, days: number): Promise<Issued> {
    const issuer = this.#files.issuer();
    const nowMs = this.#clock.wallMs();
    // A certificate that outlives its issuer would fail on a day that nobody expects.
    const endMs = Math.min(nowMs + days * DAY_MS, notAfterMs(issuer.certificate));
    if (endMs <= nowMs) {
      throw new Error(
        `The issuer in ${this.#files.folder} has expired; \`holdfast ca rotate\` makes another.`,
      );
    }
    const signed = await signCertificate({
      kind: 'workload',
      // Common names end at 64 characters; nothing reads it.
      name: appId.slice(0, 64),
      uri: id,
      notBeforeMs: nowMs - SKEW_MS,
      notAfterMs: endMs,
      by: issuer,
    });
    const folder = await this.#files.writeApp(namespace, appId, signed, issuer.certificate);
    return { id, folder, notAfterMs: endMs };
  }

  #root(trustDomain: string, days: number): Promise<Signed> {
    const nowMs = this.#clock.wallMs();
    return signCertificate({
      kind: 'root',
      // Each root has a name of its own, so that a chain is never built over another's.
      name: `Holdfast root ${randomBytes(4).toString('hex')}`,
      uri: `spiffe://${trustDomain}`,
      notBeforeMs: nowMs - SKEW_MS,
      notAfterMs: nowMs + days * DAY_MS,
    });
  }

  #issuer(root: Signed, days: number): Promise<Signed> {
    const nowMs = this.#clock.wallMs();
    return signCertificate({
      kind: 'issuer',
      name: `Holdfast issuer ${randomBytes(4).toString('hex')}`,
      uri: uriOf(new X509Certificate(root.certificate).subjectAltName)!,
      notBeforeMs: nowMs - SKEW_MS,
      notAfterMs: Math.min(nowMs + days * DAY_MS, notAfterMs(root.certificate)),
      by: root,
    });
  }
}

function notAfterMs(pem: string): number {
  return new X509Certificate(pem).validToDate.getTime();
}
