import type { Random } from '@holdfast/core';
import type { Message } from '../../message.ts';
import type { DeadLetter, DeadPage, MessageStore } from '../../store.ts';
import type { StoreModel } from './store-model.ts';

interface DeadProgram {
  readonly store: () => MessageStore;
  readonly model: StoreModel;
  readonly clock: { now(): number };
  readonly random: Random;
  /** Of a message that there was, or is, most of the time. */
  readonly someId: () => string;
}

/** What a random program does about dead letters: answers of the store beside those of the model. */
export function deadSteps({ store, model, clock, random, someId }: DeadProgram) {
  const pick = (count: number) => Math.floor(random.next() * count);
  const message = (id: string): Message => ({
    id,
    topic: pick(3) === 0 ? 'other' : 'events',
    key: pick(2) === 0 ? undefined : `key-${1 + pick(3)}`,
    body: Buffer.from('y'.repeat(1 + pick(4))),
    headers: pick(2) === 0 ? {} : { of: 'elsewhere' },
  });
  const letter = (id: string): DeadLetter => ({
    message: message(id),
    reason: 'refused elsewhere',
    deliveries: pick(4),
    replays: pick(2),
    deadForMs: pick(500),
    history: [{ at: '2026-01-01T00:00:00.000Z', what: 'died', detail: 'refused' }],
  });
  let imported = 0;

  return {
    async listDead() {
      const limit = 1 + pick(4);
      const letters: DeadLetter[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page: DeadPage = await store().listDead({ limit, after });
        letters.push(...page.letters);
        after = page.next;
      }
      return [letters.map(plain), model.listDead(clock.now())] as const;
    },
    async findDead() {
      // Rarely one that is dead by chance alone.
      const dead = model.listDead(clock.now());
      const id = dead[pick(dead.length)]?.message.id ?? someId();
      const found = await store().findDead(id);
      const expected = dead.find((each) => each.message.id === id);
      return [found && plain(found), expected] as const;
    },
    async amend() {
      const dead = model.listDead(clock.now());
      const id = pick(4) === 0 ? someId() : (dead[pick(dead.length)]?.message.id ?? someId());
      const changed = message(id);
      return [await store().amendDead(changed, 'edited'), model.amendDead(changed)] as const;
    },
    async import() {
      const ids = Array.from({ length: 1 + pick(2) }, () =>
        pick(3) === 0 ? someId() : `i${++imported}`,
      );
      const letters = [...new Set(ids)].map(letter);
      const options = { inPlaceOfDelivered: pick(2) === 0 };
      return [
        await store().addDead(letters, options),
        model.addDead(letters, clock.now(), options),
      ] as const;
    },
    async replayDead() {
      const dead = model.listDead(clock.now());
      const first = pick(dead.length);
      const ids = dead.slice(first, first + 1 + pick(2)).map((each) => each.message.id);
      return [await store().replay(ids), model.replay(ids)] as const;
    },
    async purge() {
      const keep = [{ maxCount: pick(6) }, { maxAgeMs: pick(600) }, { maxCount: 2, maxAgeMs: 300 }][
        pick(3)
      ] as { maxCount?: number; maxAgeMs?: number };
      const limit = 1 + pick(3);
      const actual = await store().purgeDead(keep, limit);
      return [actual, model.purgeDead(keep, limit, clock.now())] as const;
    },
  };
}

function plain({ message: { id, topic, key, body, headers }, history, ...letter }: DeadLetter) {
  return {
    message: { id, topic, key, body: Buffer.from(body).toString(), headers },
    ...letter,
    history: history.map(({ what }) => what),
  };
}
