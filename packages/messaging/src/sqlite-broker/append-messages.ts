import type { OutgoingMessage } from '../message.ts';
import { tooLarge } from '../too-large.ts';
import type { ResolvedSqliteBrokerOptions } from './options.ts';
import { heldMessages, type Statements } from './statements.ts';

/** Why messages of a call were not kept, by id. */
export interface Verdicts {
  readonly rejected: ReadonlyMap<string, string>;
  readonly postponed: ReadonlyMap<string, string>;
}

/** Keeps what can be kept, in order, for every group of each topic; says of each call what could not. */
export function appendMessages(
  sql: Statements,
  calls: readonly (readonly OutgoingMessage[])[],
  options: ResolvedSqliteBrokerOptions,
  nowMs: number,
): readonly Verdicts[] {
  const { lifetimeMs, maxMessageBytes, maxMessages, requireSubscriber } = options;
  const groups = new Map<string, readonly number[]>();
  const groupsOf = (topic: string): readonly number[] => {
    const known = groups.get(topic);
    if (known !== undefined) return known;
    const found = sql.groups.all(topic).map(({ id }) => Number(id));
    groups.set(topic, found);
    return found;
  };
  const before = heldMessages(sql);
  let held = before;
  let full: string | undefined;

  const keep = (message: OutgoingMessage, verdict: OwnVerdicts): void => {
    const { id, topic, key = null, body } = message;
    const headers = JSON.stringify(message.headers);
    const bytes = body.byteLength + Buffer.byteLength(headers) + Buffer.byteLength(key ?? '');
    if (bytes > maxMessageBytes) {
      verdict.rejected.set(id, tooLarge(bytes, maxMessageBytes, 'sqliteBroker.maxMessageBytes'));
      return;
    }
    const receivers = groupsOf(topic);
    if (receivers.length === 0) {
      if (requireSubscriber) verdict.postponed.set(id, `nobody has subscribed to "${topic}" yet`);
      return;
    }
    if (held >= maxMessages) {
      full ??= fullBecause(sql, maxMessages);
      verdict.postponed.set(id, full);
      return;
    }
    const lifetime = lifetimeMs(message);
    const expiresMs = lifetime === undefined ? null : Math.ceil(nowMs + lifetime);
    const row = sql.insert.run(id, topic, key, headers, body, expiresMs, receivers.length);
    for (const group of receivers) sql.offer.run(group, row.lastInsertRowid);
    held += 1;
  };

  const verdicts = calls.map((messages) => {
    const verdict: OwnVerdicts = { rejected: new Map(), postponed: new Map() };
    for (const message of messages) keep(message, verdict);
    return verdict;
  });
  if (held !== before) sql.setMessages.run(held);
  return verdicts;
}

interface OwnVerdicts {
  readonly rejected: Map<string, string>;
  readonly postponed: Map<string, string>;
}

function fullBecause(sql: Statements, maxMessages: number): string {
  const most = sql.laggard.get() as { name: string; topic: string; waiting: number } | undefined;
  const who =
    most === undefined
      ? ''
      : `: the group "${most.name}" has not acknowledged ${most.waiting} of "${most.topic}"`;
  return `the file holds ${maxMessages} messages, which is all it may (maxMessages)${who}`;
}
