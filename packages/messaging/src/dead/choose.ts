import type { DeadLetter, MessageStore } from '../store.ts';
import { reasonGroup } from './reason-group.ts';

/** Which dead letters are meant; what is left out does not matter. Nothing at all means every one. */
export interface DeadChoice {
  readonly ids?: readonly string[];
  readonly topic?: string;
  /** A group's reason, as `groups` tells it, or a letter's own. */
  readonly reason?: string;
  /** Dead for at least so long. */
  readonly minDeadMs?: number;
}

const PAGE = 200;

/**
 * The letters that are meant, in order, a page in memory at a time. `sinceMs`: for how long somebody
 * has been at it; what died after that was not meant.
 */
export async function* chosenLetters(
  store: MessageStore,
  choice: DeadChoice,
  sinceMs = () => 0,
): AsyncGenerator<DeadLetter> {
  const matching = matches(choice);
  // Asked before the store is: what the answer takes on its way would make letters too young.
  const fitting = () => {
    const leastMs = sinceMs();
    return (letter: DeadLetter) => matching(letter) && letter.deadForMs >= leastMs;
  };
  if (choice.ids !== undefined) {
    for (const id of new Set(choice.ids)) {
      const fits = fitting();
      const letter = await store.findDead(id);
      if (letter !== undefined && fits(letter)) yield letter;
    }
    return;
  }
  for (let after: number | undefined = 0; after !== undefined; ) {
    const fits = fitting();
    const page = await store.listDead({ limit: PAGE, after });
    yield* page.letters.filter(fits);
    after = page.next;
  }
}

function matches({ topic, reason, minDeadMs = 0 }: DeadChoice) {
  const group = reason === undefined ? undefined : reasonGroup(reason);
  return ({ message, reason: why, deadForMs }: DeadLetter): boolean =>
    (topic === undefined || message.topic === topic) &&
    (group === undefined || reasonGroup(why) === group) &&
    deadForMs >= minDeadMs;
}
