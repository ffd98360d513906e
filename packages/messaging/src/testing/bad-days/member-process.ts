import { setTimeout as sleep } from 'node:timers/promises';

/** What a member is to do; it is told as JSON, its only argument. */
export interface MemberTask {
  readonly url: string;
  readonly clientId: string;
  readonly topic: string;
  readonly group: string;
  /** What the handler takes for a message whose id begins with `slow`. @default 0 ms */
  readonly slowMs?: number;
  /** A message whose id begins with `deadly` kills this process. @default false */
  readonly dies?: boolean;
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
const { clientId, dies = false, group, shiftMs = 0, slowMs = 0, topic, url } = task;
if (shiftMs !== 0) shiftWallClock(shiftMs);
// Whatever looks at the clock when it is loaded sees the wrong one too.
const { brokerAt } = await import('./broker-at.ts');
const broker = await brokerAt(url, clientId);
await broker.subscribe(topic, { group, redeliverMs: 50 }, async ({ id, delivery }) => {
  process.stdout.write(`begins ${id}#${delivery}\n`);
  if (dies && id.startsWith('deadly')) process.kill(process.pid, 'SIGKILL');
  if (id.startsWith('slow')) await sleep(slowMs);
  process.stdout.write(`ends ${id}#${delivery}\n`);
});
process.stdout.write('ready\n');
process.once('SIGTERM', () => void broker.close().then(() => process.exit(0)));
for (const id of task.publishes ?? []) {
  process.stdout.write(`${await published(id)}\n`);
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
