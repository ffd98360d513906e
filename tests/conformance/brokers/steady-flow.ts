import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';

const PAUSE_MS = 20;

/** Publishes one text after the other until it is told to stop; `publish` answers with a status. */
export function steadyFlow(publish: (text: string) => Promise<number>) {
  const sent: string[] = [];
  let goesOn = true;
  const flow = (async () => {
    for (let n = 0; goesOn; n += 1) {
      const text = `in the background ${n}`;
      if ((await publish(text)) === 204) sent.push(text);
      await sleep(PAUSE_MS);
    }
  })();
  return {
    /** Resolves when so many more are published. */
    async sends(more: number): Promise<void> {
      const before = sent.length;
      await until(`${more} more are published`, () => sent.length >= before + more);
    },
    /** Resolves with all that was answered with 204. */
    async stop(): Promise<readonly string[]> {
      goesOn = false;
      await flow;
      return sent;
    },
  };
}
