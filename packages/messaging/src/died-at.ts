import type { Message } from './message.ts';

/** Says of a message that it was a subscriber's dead letter: how often, and when last. A replay of it is no duplicate. */
const HEADER = 'x-holdfast-died';

type Named = Pick<Message, 'headers' | 'id'>;

/** Undefined where it never was one, as far as its headers say. */
export function lastDeath({ headers }: Pick<Message, 'headers'>) {
  const [, deaths, at] = /^(\d{1,6}) (\S{1,40})$/.exec(headers[HEADER] ?? '') ?? [];
  return at === undefined ? undefined : { deaths: Number(deaths), at };
}

/** Its headers, now that it died once more. */
export function diedAt(message: Pick<Message, 'headers'>, wallMs: number): Message['headers'] {
  const deaths = (lastDeath(message)?.deaths ?? 0) + 1;
  return { ...message.headers, [HEADER]: `${deaths} ${new Date(wallMs).toISOString()}` };
}

/**
 * What a broker that knows messages again is to know this one by. It has had the message that died, and would drop its
 * replay as the same; sent twice, the replay itself is known again.
 */
export function identityOf({ headers, id }: Named): string {
  const died = headers[HEADER];
  return died === undefined ? id : `${id} ${died}`;
}
