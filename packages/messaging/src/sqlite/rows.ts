import { stateOf } from '../kept-states.ts';
import type { Message } from '../message.ts';
import type { DeadLetter, HistoryEntry, Lease, MessageStatus, PausedTopic } from '../store.ts';
import type { MessageRow } from './statements.ts';

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Empty for no headers, which spares parsing what most messages do not have. */
export function headersText(message: Message): string {
  for (const _ in message.headers) return JSON.stringify(message.headers);
  return '';
}

export function messageOf(row: MessageRow): Message {
  return {
    id: row.id,
    topic: row.topic,
    key: row.key ?? undefined,
    body: row.body,
    headers: row.headers === '' ? NO_HEADERS : (JSON.parse(row.headers) as Record<string, string>),
  };
}

/** Of a row as it was before it was leased. */
export function leaseOf(row: MessageRow, token: string, nowMs: number): Lease {
  const { seq, deliveries, expire_ms } = row;
  const expired = expire_ms !== null && expire_ms <= nowMs;
  return { token, seq, message: messageOf(row), delivery: deliveries + 1, expired };
}

/** Where the page after this one begins. */
export function nextOf(rows: readonly MessageRow[], limit: number): number | undefined {
  return rows.length < limit ? undefined : rows.at(-1)?.seq;
}

export function pausedOf(row: Readonly<Record<string, unknown>>, nowMs: number): PausedTopic {
  const { topic, since_ms, until_ms } = row;
  return {
    topic: String(topic),
    forMs: Math.max(0, nowMs - Number(since_ms)),
    endsInMs: until_ms === null ? undefined : Number(until_ms) - nowMs,
  };
}

export function parseHistory(text: string | null): readonly HistoryEntry[] {
  return text === null ? [] : (JSON.parse(text) as HistoryEntry[]);
}

export function statusOf(row: {
  readonly id: string;
  readonly state: number;
  readonly deliveries: number;
  readonly reason: string | null;
  readonly history: string | null;
  readonly leased: number;
  readonly progress: string | null;
  readonly result: string | null;
}): MessageStatus {
  const { id, deliveries } = row;
  const leased = row.leased === 1;
  const progress = leased ? (row.progress ?? undefined) : undefined;
  const history = parseHistory(row.history);
  const result = row.result ?? undefined;
  return { id, state: stateOf(row), deliveries, leased, progress, result, history };
}

export function deadLetterOf(row: MessageRow, wallMs: number): DeadLetter {
  return {
    message: messageOf(row),
    reason: row.reason ?? '',
    deliveries: row.deliveries,
    replays: row.replays,
    deadForMs: Math.max(0, wallMs - (row.died_ms ?? wallMs)),
    history: parseHistory(row.history),
  };
}
