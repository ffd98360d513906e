import { stateOf } from '../kept-states.ts';
import type { Message } from '../message.ts';
import type { DeadLetter, HistoryEntry, MessageStatus, PausedTopic } from '../store.ts';

/** A row as `COLUMNS` names it; `pg` gives big integers as text. */
export interface MessageRow {
  readonly seq: string;
  readonly id: string;
  readonly topic: string;
  readonly key: string | null;
  readonly headers: string;
  readonly body: Uint8Array;
  readonly deliveries: number;
  readonly replays: number;
  readonly reason: string | null;
  readonly history: string | null;
}

/** What leasing tells more than that. */
export interface LeasedRow extends MessageRow {
  readonly priority: number;
  readonly expired: boolean;
}

export const COLUMNS =
  'seq::text, id, topic, key, headers, body, priority, deliveries, replays, reason, history::text';

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

export function messageOf(row: MessageRow): Message {
  const { id, topic, body } = row;
  const headers = row.headers === '' ? NO_HEADERS : JSON.parse(row.headers);
  return { id, topic, key: row.key ?? undefined, body, headers };
}

/** A row as the statement that finds a status names it. */
export interface StatusRow extends Pick<MessageRow, 'id' | 'deliveries' | 'reason' | 'history'> {
  readonly state: number;
  readonly leased: boolean;
  readonly progress: string | null;
  readonly result: string | null;
}

export function statusOf(row: StatusRow): MessageStatus {
  const { id, deliveries, leased } = row;
  const progress = leased ? (row.progress ?? undefined) : undefined;
  const result = row.result ?? undefined;
  return { id, state: stateOf(row), deliveries, leased, progress, result, history: historyOf(row) };
}

/** Of what the statement of totals gathers; no end is null there. */
export function pausedIn(text: string | null): readonly PausedTopic[] {
  const rows: readonly (Omit<PausedTopic, 'endsInMs'> & { endsInMs: number | null })[] = JSON.parse(
    text ?? '[]',
  );
  return rows.map(({ endsInMs, ...row }) => ({ ...row, endsInMs: endsInMs ?? undefined }));
}

export function deadLetterOf(row: MessageRow & { readonly dead_for: string }): DeadLetter {
  return {
    message: messageOf(row),
    reason: row.reason ?? '',
    deliveries: row.deliveries,
    replays: row.replays,
    deadForMs: Math.max(0, Number(row.dead_for)),
    history: historyOf(row),
  };
}

function historyOf({ history }: Pick<MessageRow, 'history'>): readonly HistoryEntry[] {
  return history === null ? [] : (JSON.parse(history) as HistoryEntry[]);
}
