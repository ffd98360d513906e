import type { Message } from '../message.ts';
import {
  type AppendGroup,
  type AppendMessage,
  type AppendResult,
  priorityOf,
  type StoreLimits,
  sizeOf,
} from '../store.ts';
import { fitGroups } from './fit-groups.ts';
import type { PostgresClient } from './module.ts';
import type { Statements } from './statements.ts';

export interface AppendContext {
  readonly sql: Statements;
  /** Empty where nobody is to be told. */
  readonly channel: string;
  /** Who appends, and need not hear of it; empty where nobody knows it before the commit. */
  readonly teller: string;
}

/**
 * Keeps what fits, in one statement: alone it is a transaction, in yours a part of it. `limits` are
 * looked at before, so that what several processes accept in the same moment may exceed them a little.
 */
export async function append(
  client: PostgresClient,
  groups: readonly AppendGroup[],
  limits: StoreLimits | undefined,
  context: AppendContext,
): Promise<readonly AppendResult[]> {
  const all = groups.flat();
  for (const message of all) refuseNul(message);
  const keep = (messages: readonly AppendMessage[], within?: StoreLimits) =>
    insert(client, messages, { ...context, within });
  const kept = await keep(all, limits);
  if (kept !== undefined) return groups.map((group) => answerOf(group, kept));

  // What one replaces makes room for the next.
  if (groups.length > 1 && replacesAny(all)) {
    const results: AppendResult[] = [];
    for (const group of groups) {
      results.push(...(await append(client, [group], limits, context)));
    }
    return results;
  }
  const fits = limits === undefined ? [] : await plan(client, groups, limits, context.sql);
  const some = (await keep(groups.filter((_, index) => fits[index]?.fits).flat())) ?? new Set();
  return groups.map((group, index): AppendResult => {
    const plan = fits[index];
    if (plan?.fits !== false) return answerOf(group, some);
    return { kind: 'full', queued: plan.queued, queuedBytes: plan.queuedBytes };
  });
}

/** The first of an id in a call is the one that was kept; it is taken out of `kept`. */
function answerOf(group: AppendGroup, kept: Set<string>): AppendResult {
  return { kind: 'kept', duplicates: group.map(({ id }) => !kept.delete(id)) };
}

async function plan(
  client: PostgresClient,
  groups: readonly AppendGroup[],
  limits: StoreLimits,
  sql: Statements,
) {
  const ids = groups.flat().map(({ id }) => id);
  const { rows } = await client.query(sql.room, [ids]);
  const { queued, queued_bytes, known } = rows[0];
  const room = { queued: Number(queued), queuedBytes: Number(queued_bytes) };
  return fitGroups(groups, new Set(JSON.parse(known ?? '[]') as string[]), room, limits);
}

/** The ids of those that are new; undefined where there may not be room for all of them. */
async function insert(
  client: PostgresClient,
  messages: readonly AppendMessage[],
  { sql, channel, teller, within }: AppendContext & { readonly within: StoreLimits | undefined },
): Promise<Set<string> | undefined> {
  if (messages.length === 0) return new Set();
  const values = [
    messages.map(({ id }) => id),
    messages.map(({ topic }) => topic),
    messages.map(({ key }) => key ?? null),
    messages.map(({ headers }) => headersText(headers)),
    messages.map(({ body }) => body),
    messages.map(sizeOf),
    messages.map(({ delayMs = 0 }) => delayMs),
    messages.map(priorityOf),
    channel,
    within?.maxMessages ?? null,
    within?.maxBytes ?? null,
    messages.map(({ lifetimeMs }) => lifetimeMs ?? null),
    teller,
  ];
  const { rows } = await (replacesAny(messages)
    ? client.query(sql.put, [
        ...values,
        messages.map(({ replaces }) => replaces?.name ?? null),
        messages.map(({ replaces }) => replaces?.due === 'kept'),
        messages.map(({ replaces }) => replaces?.maxWaitMs ?? null),
      ])
    : client.query(sql.insert, values));
  return rows[0].kept === null ? undefined : new Set<string>(JSON.parse(rows[0].kept));
}

function replacesAny(messages: readonly AppendMessage[]): boolean {
  return messages.some(({ replaces }) => replaces !== undefined);
}

export function headersText(headers: AppendMessage['headers']): string {
  for (const _ in headers) return JSON.stringify(headers);
  return '';
}

/** PostgreSQL's texts cannot hold it; headers can, as they are kept as JSON. */
export function refuseNul(message: Message): void {
  for (const field of ['id', 'topic', 'key'] as const) {
    if (message[field]?.includes('\0')) {
      throw new TypeError(`message.${field} must not hold U+0000: PostgreSQL cannot keep it.`);
    }
  }
}
