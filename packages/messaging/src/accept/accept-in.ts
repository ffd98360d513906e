import type { Clock } from '@holdfast/core';
import { OutboxRefusedError } from '../errors.ts';
import type { NewMessage, Receipt } from '../message.ts';
import { OUTBOX_DEFAULTS, type OutboxLimits } from '../outbox-options.ts';
import type { AppendGroup, AppendMessage, AppendResult, StoreLimits } from '../store.ts';
import { traceAccept } from '../trace/accept-spans.ts';
import type { MessageTracer } from '../trace/message-tracer.ts';
import { completeMessage } from './new-message.ts';

/** A store whose messages can be a part of a transaction of yours. */
export interface AcceptsIn<Client> {
  /**
   * Keeps all of `messages` or none, in the transaction that `client` is in: they are accepted when it
   * commits, and never were when it is rolled back. Rejects with `OutboxRefusedError` when the queue is
   * full, and with the client's own error for what the database refuses. The store must have been
   * opened. Spans of a tracer of the store end with the statement, before your commit. `limits`: as `openOutbox` takes them; `null`: none, which spares a round trip, and under
   * `SERIALIZABLE` conflicts with every other accept.
   */
  acceptIn(
    client: Client,
    messages: readonly NewMessage[],
    limits?: OutboxLimits | null,
  ): Promise<readonly Receipt[]>;
}

/** What `acceptIn` stands on, for stores that wrap such a store. */
export interface AppendsIn<Client> {
  /** Records a span for each message that `acceptIn` takes. */
  readonly tracer?: MessageTracer | undefined;

  /** As `append`, of one group, in the transaction that `client` is in; without `limits` nothing is looked at before. */
  appendIn(client: Client, group: AppendGroup, limits?: StoreLimits): Promise<AppendResult>;
}

/** `acceptIn` of a store by its `appendIn`. */
export async function acceptIn<Client>(
  store: AppendsIn<Client> & { readonly clock: Pick<Clock, 'wallMs'> },
  client: Client,
  messages: readonly NewMessage[],
  given: OutboxLimits | null = {},
): Promise<readonly Receipt[]> {
  const limits = { ...OUTBOX_DEFAULTS.limits, ...given };
  const wallMs = store.clock.wallMs();
  const group = messages.map((each) => completeMessage(each, limits.maxBodyBytes, wallMs));
  if (group.length === 0) return [];
  const append = (traced: readonly AppendMessage[]) =>
    appendGroup(store, client, traced, given === null ? undefined : limits);
  return store.tracer === undefined ? append(group) : traceAccept(store.tracer, group, append);
}

async function appendGroup<Client>(
  store: AppendsIn<Client>,
  client: Client,
  group: AppendGroup,
  limits: StoreLimits | undefined,
): Promise<readonly Receipt[]> {
  const result = await (limits === undefined
    ? store.appendIn(client, group)
    : store.appendIn(client, group, limits));
  switch (result.kind) {
    case 'kept':
      return group.map(({ id }, index) => ({ id, duplicate: result.duplicates[index] === true }));
    case 'full':
      throw new OutboxRefusedError(
        'OUTBOX_FULL',
        `The outbox is full: ${result.queued} messages and ${result.queuedBytes} bytes wait, of at most ${limits?.maxMessages} and ${limits?.maxBytes}.`,
        1_000,
      );
  }
}
