import type { Database } from '../service/database.ts';
import type { SidecarClient } from '../service/sidecar-client.ts';
import { dropEvents, nextEvents } from './tests-table.ts';

const BATCH = 200;

/**
 * One round of the forwarder: hands events to event-service, oldest first, and
 * forgets them once it has answered 202, which means: on its disk.
 *
 * Killed between the two, it hands the same events over again; their ids are
 * the same, and event-service knows them. What fails is left for the next round.
 *
 * @returns a function that says whether there was anything to do
 */
export function eventForwarder(database: Database, sidecar: SidecarClient): () => Promise<boolean> {
  return async () => {
    const events = await nextEvents(database, BATCH);
    if (events.length === 0) return false;

    const answer = await sidecar.invoke('event-service', '/events', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ events: events.map(({ body }) => body) }),
    });
    if (answer.status !== 202) {
      throw new Error(`event-service answered ${answer.status}: ${await answer.text()}`);
    }
    await answer.body?.cancel();
    await dropEvents(
      database,
      events.map(({ position }) => position),
    );
    return true;
  };
}
