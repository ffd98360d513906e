import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import {
  type Credentials,
  type CredentialTexts,
  checkCredentials,
  readCredentialTexts,
} from './credentials.ts';
import { type MtlsOptions, resolveMtlsOptions } from './mtls-options.ts';
import { formatSpiffeId } from './spiffe-id.ts';

export interface LiveCredentialsOptions {
  readonly appId: string;
  readonly namespace: string;
  readonly mtls: MtlsOptions;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of the certificate in use, at the start and after each change. */
  readonly inUse: (notAfterMs: number) => void;
  /** Told how each change of the files went. */
  readonly reloaded: (outcome: 'good' | 'bad') => void;
}

/** Certificates as the files say, and as they said last where they now say nonsense. */
export interface LiveCredentials {
  readonly current: Credentials;
  /** Called after a change that was taken over. */
  onChange(listener: () => void): void;
  /** Looks at the files now. */
  reload(): Promise<void>;
  close(): void;
}

/** Warned of when less than this part of its life is left: `holdfast ca renew` is due at a third. */
const WARN_RATIO = 1 / 4;
const WARN_EVERY_MS = 3_600_000;

/** @throws MtlsError, RangeError where what is there at the start cannot be used. */
export async function openCredentials(options: LiveCredentialsOptions): Promise<LiveCredentials> {
  const { clock, log, inUse, reloaded } = options;
  const mtls = resolveMtlsOptions(options.mtls);
  const closed = new AbortController();
  const listeners: (() => void)[] = [];
  let current = checkCredentials(await readCredentialTexts(mtls), options, clock.wallMs());
  let refused: CredentialTexts | undefined;
  let complaint = '';
  let warnedMs = Number.NEGATIVE_INFINITY;

  const take = (next: Credentials): void => {
    current = next;
    warnedMs = Number.NEGATIVE_INFINITY;
    inUse(next.notAfterMs);
  };
  const warn = (): void => {
    const { notAfterMs, notBeforeMs, id } = current;
    const leftMs = notAfterMs - clock.wallMs();
    if (leftMs > (notAfterMs - notBeforeMs) * WARN_RATIO) return;
    if (clock.now() - warnedMs < WARN_EVERY_MS) return;
    warnedMs = clock.now();
    const when = new Date(notAfterMs).toISOString();
    const remedy = `\`holdfast ca renew ${id.appId}\` makes another, which is taken over without a restart`;
    if (leftMs > 0)
      log.warn(`The certificate of ${formatSpiffeId(id)} ends at ${when}; ${remedy}.`);
    else log.error(`The certificate of ${formatSpiffeId(id)} ended at ${when}; ${remedy}.`);
  };
  const look = async (): Promise<void> => {
    try {
      const texts = await readCredentialTexts(mtls);
      complaint = '';
      if (same(texts, current.texts) || (refused !== undefined && same(texts, refused))) return;
      refused = texts;
      take(checkCredentials(texts, options, clock.wallMs()));
      refused = undefined;
    } catch (error) {
      // Said once: the files may stay as they are for long.
      const { message } = error as Error;
      if (message === complaint) return;
      complaint = message;
      reloaded('bad');
      log.error(`New certificates are not taken over, those before stay in use: ${message}`);
      return;
    }
    reloaded('good');
    log.info(`New certificates are in use until ${new Date(current.notAfterMs).toISOString()}.`);
    for (const listener of listeners) listener();
  };
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(mtls.pollMs, closed.signal);
      await look();
      warn();
    }
  };

  take(current);
  warn();
  // It ends by the abort of `close` alone.
  watch().catch(() => {});
  return {
    get current() {
      return current;
    },
    onChange: (listener) => void listeners.push(listener),
    reload: look,
    close: () => closed.abort(),
  };
}

function same(a: CredentialTexts, b: CredentialTexts): boolean {
  return (
    a.trustAnchors === b.trustAnchors && a.certChain === b.certChain && a.certKey === b.certKey
  );
}
