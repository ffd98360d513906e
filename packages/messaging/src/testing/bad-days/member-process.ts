import { setTimeout as sleep } from 'node:timers/promises';
import type { GivenUp, SubscribeOptions } from '../../broker.ts';
import type { IncomingMessage } from '../../message.ts';

/** What a member is to do; it is told as JSON, its only argument. */
export interface MemberTask {
  readonly url: string;
  readonly clientId: string;
  readonly topic: string;
  readonly group: string;
  /** What the handler takes for a message whose id has `slow` in it. @default 0 ms */
  readonly slowMs?: number;
  /** A message whose id begins with `deadly` kills this process. @default false */
  readonly dies?: boolean;
  /** @default 1 */
  readonly concurrency?: number;
  /** After so many tries it publishes a message to `TOPIC-dead`, with the reason and its ends without a word as headers. @default never */
  readonly givesUpAfter?: number;
  /** By so much its wall clock is wrong. @default 0 ms */
  readonly shiftMs?: number;
  /** Ids that it publishes once it has subscribed. @default none */
  readonly publishes?: readonly string[];
}

/**
 * A member of a group. Prints `ready`; `begins ID#DELIVERY` and `ends ID#DELIVERY` for what it handles; and for
 * what it publishes `published`, or why not. SIGTERM ends it cleanly.
 */
const task = JSON.parse(process.argv[2] ?? '') as MemberTask;
const {
  clientId,
  concurrency = 1,
  dies = false,
  group,
  shiftMs = 0,
  slowMs = 0,
  topic,
  url,
} = task;
if (shiftMs !== 0) shiftWallClock(shiftMs);
// Whatever looks at the clock when it is loaded sees the wrong one too.
const { brokerAt } = await import('./broker-at.ts');
const broker = await brokerAt(url, clientId);
await broker.subscribe(topic, options(), async ({ id, delivery }) => {
  process.stdout.write(`begins ${id}#${delivery}\n`);
  // A moment later, so that what it is at work beside dies with it.
  if (dies && id.startsWith('deadly') && concurrency > 1) await sleep(20);
  if (dies && id.startsWith('deadly')) process.kill(process.pid, 'SIGKILL');
  if (id.includes('slow')) await sleep(slowMs);
  process.stdout.write(`ends ${id}#${delivery}\n`);
});
process.stdout.write('ready\n');
process.once('SIGTERM', () => void broker.close().then(() => process.exit(0)));
for (const id of task.publishes ?? []) {
  process.stdout.write(`${await published(id)}\n`);
}

function options(): SubscribeOptions {
  const always = { group, concurrency, redeliverMs: 50 };
  const { givesUpAfter: after } = task;
  if (after === undefined) return always;
  const to = async (
    { delivery, ...message }: IncomingMessage,
    error: unknown,
    { history }: GivenUp,
  ) => {
    const ended = history.filter(({ what }) => what === 'ended').map(({ detail }) => detail);
    const reason = (error as Error).message;
    const headers = { ...message.headers, reason, ended: JSON.stringify(ended) };
    await broker.publish([{ ...message, topic: `${topic}-dead`, headers }]);
    process.stdout.write(`gives up ${message.id}#${delivery}\n`);
  };
  return { ...always, giveUp: { after, to } };
}

/** A topic that has just been made is nobody's for a moment: it tries as a relay would, only not for ever. */
async function published(id: string): Promise<string> {
  const message = { id, topic, key: undefined, body: Buffer.from(id), headers: {} };
  let said = '';
  for (let tries = 0; tries < 3 && said !== 'published'; tries += 1) {
    if (tries > 0) await sleep(500);
    said = await broker.publish([message]).then(
      () => 'published',
      (error: unknown) => `${id}: ${(error as Error).message}`,
    );
  }
  return said;
}

function shiftWallClock(byMs: number): void {
  const Right = Date;
  globalThis.Date = class extends Right {
    constructor(...given: [] | ConstructorParameters<typeof Date>) {
      if (given.length === 0) super(Right.now() + byMs);
      else super(...given);
    }
    static override now(): number {
      return Right.now() + byMs;
    }
  } as typeof Date;
}
