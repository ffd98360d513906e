import { setTimeout as sleep } from 'node:timers/promises';
import * as amqp from 'amqplib';
import type { Broker, Subscription } from '../../broker.ts';
import { rabbitBroker } from '../../rabbitmq/rabbit-broker.ts';
import { eventually } from '../eventually.ts';
import type { MovingServer } from '../servers/moving-server.ts';

/** What became of groups whose `subscribe` had resolved when the node was killed. */
export interface SettleCounts {
  readonly groups: number;
  /** Of these: RabbitMQ no longer knew of the binding. */
  readonly unbound: number;
  /** The queue never served again. */
  readonly dead: number;
  /** What was published was confirmed, and did not come. */
  readonly lost: number;
}

/** They begin so far apart, so that a kill finds them at every age. */
const APART_MS = 150;
const GROUPS = 14;
/** A queue that is well serves within this, on a machine that is busy. */
const PATIENCE_MS = 30_000;

/**
 * One SIGKILL of a node with groups that are up to two seconds old. Their members are gone before the
 * node is back, so that nobody binds anew what it forgot.
 */
export async function settleKill(
  { kill, port, start }: MovingServer['suffers'],
  round: number,
  settleMs: number | undefined,
): Promise<SettleCounts> {
  const connect = (clientId: string, more: { readonly settleMs?: number } = {}) =>
    rabbitBroker({
      amqp,
      url: `amqp://guest:guest@127.0.0.1:${port()}`,
      clientId,
      timeoutMs: 5_000,
      reconnectMs: 100,
      ...more,
    });
  const topics = Array.from({ length: GROUPS }, (_, n) => `settle-${round}-${n}`);
  const ready: string[] = [];
  const members: Broker[] = [];
  for (const topic of topics) {
    const member = connect('member', settleMs === undefined ? {} : { settleMs });
    members.push(member);
    void member
      .subscribe(topic, { group: 'g' }, async () => {})
      .then(
        () => ready.push(topic),
        // Closed before it was ready: it promised nothing.
        () => {},
      );
    await sleep(APART_MS);
  }
  // The kill comes when the youngest half is not ready yet, or has just become so.
  await eventually(
    () => ready.length,
    (count) => count >= GROUPS - 2,
    'groups are ready',
  );
  await kill();
  const alive = [...ready];
  await Promise.all(members.map((member) => member.close()));
  await start();

  const publisher = connect('publisher');
  const again = connect('again', { settleMs: 0 });
  const counts = { groups: alive.length, unbound: 0, dead: 0, lost: 0 };
  const published = await Promise.all(alive.map((topic) => publishUntilHeard(publisher, topic)));
  const got = new Set<string>();
  const joined: Promise<Subscription>[] = [];
  for (const [n, topic] of alive.entries()) {
    if (published[n] === 'postponed') counts.unbound += 1;
    const subscribing = again.subscribe(topic, { group: 'g' }, async () => void got.add(topic));
    subscribing.catch(() => {});
    joined.push(subscribing);
  }
  const serving = await Promise.all(
    joined.map((each) => Promise.race([each.then(() => true), sleep(PATIENCE_MS, false)])),
  );
  const wanted = alive.filter((_, n) => published[n] === 'taken' && serving[n]);
  const deadline = performance.now() + PATIENCE_MS;
  while (wanted.some((topic) => !got.has(topic)) && performance.now() < deadline) await sleep(50);
  counts.dead = serving.filter((each) => !each).length;
  counts.lost = wanted.filter((topic) => !got.has(topic)).length;
  await Promise.all([publisher.close(), again.close()]);
  return counts;
}

/** Postponed is what RabbitMQ has no queue for; what has no leader yet is tried again for a while. */
async function publishUntilHeard(publisher: Broker, topic: string) {
  const message = { id: topic, topic, key: undefined, body: Buffer.from('x'), headers: {} };
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const error = await publisher.publish([message]).then(
      () => undefined,
      (reason: unknown) => reason as { readonly postponed?: ReadonlyMap<string, string> },
    );
    if (error === undefined) return 'taken' as const;
    if (/nobody has subscribed/.test(error.postponed?.get(topic) ?? ''))
      return 'postponed' as const;
    if (performance.now() > untilMs) return 'refused' as const;
    await sleep(200);
  }
}
