import type { Clock } from '@holdfast/core';
import type { GivenUp } from '../broker.ts';
import { diedAt, lastDeath } from '../died-at.ts';
import { sealedWith } from '../encrypted/sealed-mark.ts';
import { withStack } from '../error-text.ts';
import { withEntry } from '../history.ts';
import type { IncomingMessage } from '../message.ts';
import type { DeadLetter, MessageStore } from '../store.ts';

/**
 * Makes a dead letter of what a subscriber gave up. It may have gone out from this very store: then the letter takes the
 * place of what the store remembers of it. Where another group gave it up before, one letter is enough, for a replay reaches
 * all groups: its history tells of both.
 */
export async function keepGivenUp(
  store: MessageStore,
  { delivery, ...message }: IncomingMessage,
  error: unknown,
  clock: Clock,
  given: GivenUp | undefined,
): Promise<void> {
  const { group, ...known } = given ?? {
    group: undefined,
    deliveries: delivery,
    reason: withStack('given up', error),
    history: [],
  };
  const [line = ''] = known.reason.split('\n', 1);
  const said = group === undefined ? line : `group ${group}: ${line}`;
  const wallMs = clock.wallMs();
  const before = lastDeath(message);
  const past = [
    ...(before === undefined
      ? []
      : [{ at: before.at, what: 'died' as const, detail: 'before, and was replayed' }]),
    ...known.history,
  ];
  const letter: DeadLetter = {
    message: { ...message, headers: diedAt(message, wallMs) },
    reason: known.reason,
    deliveries: known.deliveries,
    replays: before?.deaths ?? 0,
    deadForMs: 0,
    history: withEntry(past, 'died', said, wallMs),
  };
  if ((await store.addDead([letter], { inPlaceOfDelivered: true })) === 1) return;
  const dead = await store.findDead(message.id);
  if (dead === undefined) {
    // It came before its relay had marked it, most likely: a moment later that is done.
    throw new Error(`"${message.id}" is still queued here, and can be no dead letter yet`);
  }
  if (sealedWith(dead.message) !== undefined) return;
  await store.amendDead(dead.message, `died once more; ${said}`);
}
