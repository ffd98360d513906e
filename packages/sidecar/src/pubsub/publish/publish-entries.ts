import { failureWords } from '../../invoke/invoke-error.ts';
import { MessageRefusedError, type PubSub, type PubSubMessage } from '../pubsub.ts';
import { publishMany } from './publish-many.ts';

/** An entry of a bulk publication, by the client's id. */
export interface PublishEntry {
  readonly entryId: string;
  readonly message: PubSubMessage;
}

/** An entry of a bulk publication that the broker did not take. */
export interface FailedEntry {
  readonly entryId: string;
  readonly error: string;
}

/** Runs `work` behind the policies of the broker. */
export type BulkCall = (
  work: (call?: { readonly signal: AbortSignal }) => Promise<void>,
) => Promise<void>;

/**
 * Publishes entries in one go, as Dapr does: what failed is tried again by the
 * policies, without what the broker has. `bulk` are the metadata of all. Resolves with those that failed for good.
 */
export async function publishEntries(
  broker: PubSub,
  topic: string,
  entries: readonly PublishEntry[],
  { bulk, call }: { readonly bulk: PubSubMessage['metadata']; readonly call: BulkCall },
): Promise<readonly FailedEntry[]> {
  const errors = new Map<string, unknown>();
  let pending = entries;
  const once = async (attempt?: { readonly signal: AbortSignal }) => {
    const tried = pending;
    const published = await publishMany(
      broker,
      topic,
      tried.map(({ message }) => message),
      attempt?.signal,
      bulk,
    );
    // An attempt that was given up has no say any more: another is under way.
    attempt?.signal.throwIfAborted();
    for (const [at, { entryId }] of tried.entries()) {
      if (published[at] === undefined) errors.delete(entryId);
      else errors.set(entryId, published[at]);
    }
    // Nothing is gained by asking again for what the broker will never take.
    pending = tried.filter(({ entryId }) => mayPass(errors.get(entryId)));
    const [first] = pending;
    if (first !== undefined) throw errors.get(first.entryId);
  };
  try {
    await call(once);
  } catch (error) {
    // A policy's refusal is the last word; else each entry has an error of its own.
    const ofPolicy = ![...errors.values()].includes(error);
    for (const { entryId } of pending) {
      if (ofPolicy || !errors.has(entryId)) errors.set(entryId, error);
    }
  }
  return entries.flatMap(({ entryId }) =>
    errors.has(entryId) ? [{ entryId, error: failureWords(errors.get(entryId)) }] : [],
  );
}

const mayPass = (error: unknown): boolean =>
  error !== undefined && !(error instanceof MessageRefusedError);
