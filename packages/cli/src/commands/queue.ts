import { type Outbox, openOutbox } from '@holdfast/messaging';
import { age } from '../age.ts';
import { wholeNumber } from '../dead/dead-options.ts';
import { openStore, type StoreOptions } from '../dead/open-store.ts';
import type { CommandContext } from './output.ts';
import { textTable } from './text-table.ts';

export type QueueAction = keyof typeof ACTIONS;

/** 24.8 days: as a store keeps a pause that ends by itself. */
const MOST_MINUTES = 35_791;

/** As commander hands them over: texts, or absent. */
export interface QueueOptions extends StoreOptions {
  readonly json?: boolean;
  readonly minutes?: string;
}

interface QueueCommand {
  readonly queue: Outbox;
  readonly topics: readonly string[];
  readonly options: QueueOptions;
  readonly output: CommandContext['output'];
}

/** `holdfast queue …`: how much waits in an outbox or for workers, and topics on pause, of a store that may be in use. */
export async function queue(
  action: QueueAction,
  topics: readonly string[],
  options: QueueOptions,
  { output, cwd }: CommandContext,
): Promise<number> {
  const { store, end } = await openStore(cwd, options);
  const opened = await openOutbox({ store });
  try {
    await ACTIONS[action]({ queue: opened, topics, options, output });
    return 0;
  } finally {
    await opened.close();
    await end();
  }
}

const ACTIONS = { stats, pause, resume } as const;

async function stats({ queue: opened, options, output }: QueueCommand): Promise<void> {
  const found = await opened.stats();
  if (options.json === true) {
    output.out(JSON.stringify(found, null, 2));
    return;
  }
  const { queued, queuedBytes, oldestMs, successful, dead, paused } = found;
  output.out(`waiting    ${queued} (${queuedBytes} bytes), the oldest for ${age(oldestMs)}`);
  output.out(`delivered  ${successful}`);
  output.out(`dead       ${dead}`);
  if (paused.length === 0) return;
  const rows = paused.map(({ topic, forMs, endsInMs }) => [
    age(forMs),
    endsInMs === undefined ? 'when resumed' : age(endsInMs),
    topic,
  ]);
  for (const line of textTable(['PAUSED FOR', 'ENDS IN', 'TOPIC'], rows)) output.out(line);
}

async function pause({ queue: opened, topics, options, output }: QueueCommand): Promise<void> {
  const minutes = wholeNumber('--minutes', options.minutes, 0, MOST_MINUTES);
  const until = minutes === 0 ? '' : `, for ${minutes} min`;
  for (const topic of topics) {
    const begun = await opened.pause({ topic, ...(minutes > 0 && { forMs: minutes * 60_000 }) });
    output.out(
      begun
        ? `${topic} is paused, in all processes${until}.`
        : `${topic} was paused already, and still is${until}.`,
    );
  }
}

async function resume({ queue: opened, topics, output }: QueueCommand): Promise<void> {
  for (const topic of topics) {
    const ended = await opened.resume({ topic });
    output.out(ended ? `${topic} goes on.` : `${topic} was not paused.`);
  }
}
