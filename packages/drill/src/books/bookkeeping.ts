import type { Clock } from '@holdfast/core';
import { type Account, type Arrival, balance } from './accounting.ts';
import type { Ledger } from './ledger.ts';
import { sumLedger } from './ledger-entry.ts';

/** The witness's side, and what the service itself says about what has not arrived yet. */
export interface Witness {
  /** A place in the witness's ledger: what arrives from now on comes after it. */
  mark(): Promise<string>;

  /** Everything that arrived after the mark, read to the end. */
  arrivalsSince(mark: string): Promise<readonly Arrival[]>;

  /** What the service says of these ids, none of which has arrived. It need not know all of them. */
  whereabouts(ids: readonly string[]): Promise<Whereabouts>;

  /** Whether the service takes the client's name of a request as its own. @default true */
  readonly clientNames?: boolean;
}

export interface Whereabouts {
  /** Kept, and not done yet. */
  readonly queued: readonly string[];

  /** Given up, and kept as dead letters. */
  readonly dead: readonly string[];

  /** Done, so the arrival is due: worth waiting for, and lost if it never comes. @default none */
  readonly due?: readonly string[];
}

export interface AuditOptions {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly witness: Witness;
  /** Where the witness's ledger was when the first of these drills began. */
  readonly mark: string;
  /** Only what this drill asked for. @default all of the ledger */
  readonly drill?: string;
}

export interface Audit {
  readonly account: Account;
  /** How many ids may still arrive, says the service, those of unknown outcome included. */
  readonly onTheWay: number;
}

/** Adds up the ledger and what the witness saw, as things stand now. */
export async function audit(options: AuditOptions): Promise<Audit> {
  const { ledger, witness, mark, drill } = options;
  const entries = await ledger.read();
  const mine = sumLedger(entries.filter((entry) => drill === undefined || entry.drill === drill));
  const others = sumLedger(entries.filter((entry) => drill !== undefined && entry.drill !== drill));

  const all = await witness.arrivalsSince(mark);
  const delivered = all.filter(({ id }) => !others.accepted.has(id) && !others.unknown.has(id));
  const arrived = new Set(delivered.map(({ id }) => id));
  const named = witness.clientNames ?? true;
  const unknown = named ? [...mine.unknown] : [];
  const missing = [...mine.accepted, ...unknown].filter((id) => !arrived.has(id));
  const { queued, dead, due = [] } = await witness.whereabouts(missing);
  const unnamedUnknown = named ? 0 : mine.unknown.size;

  const account = balance({ ...mine, unknown, unnamedUnknown, delivered, queued, dead });
  return { account, onTheWay: queued.length + due.length };
}

/**
 * Audits again and again until nothing is on its way and nothing is missing,
 * or until `limitMs` are over: then what is missing is missing.
 */
export async function auditWhenSettled(
  options: AuditOptions,
  { clock, limitMs, signal }: { clock: Clock; limitMs: number; signal: AbortSignal },
): Promise<Account> {
  const deadlineMs = clock.now() + limitMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 500)) {
    const isLastTry = clock.now() >= deadlineMs;
    const found = await tryAudit(options, !isLastTry);
    const isSettled = found?.account.lost.length === 0 && found.onTheWay === 0;
    if (found !== undefined && (isSettled || isLastTry)) return found.account;
    await clock.sleep(pauseMs, signal);
  }
}

/** A witness that is just coming back may not answer; only at the last try that is an error. */
async function tryAudit(options: AuditOptions, mayFail: boolean): Promise<Audit | undefined> {
  try {
    return await audit(options);
  } catch (error) {
    if (mayFail) return undefined;
    throw error;
  }
}
