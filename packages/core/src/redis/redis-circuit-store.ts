import type { CircuitStore, NodeReport, SharedVerdict } from '../breaker/shared/circuit-store.ts';
import { NODE_LIMIT } from '../breaker/shared/shared-record.ts';
import { checkFunction, checkName } from '../check.ts';
import type { RedisClient } from './client.ts';
import { EXCHANGE } from './exchange-script.ts';

export interface RedisCircuitStoreOptions {
  /** Goes before each circuit's name. @default 'holdfast:circuit:' */
  readonly prefix?: string;
}

/**
 * Shares circuits over processes by a Redis (5 or later) or a cluster of it:
 * one hash per circuit, which goes away by itself when nobody uses it.
 */
export class RedisCircuitStore implements CircuitStore {
  readonly #client: RedisClient;
  readonly #prefix: string;

  constructor(
    client: RedisClient,
    { prefix = 'holdfast:circuit:' }: RedisCircuitStoreOptions = {},
  ) {
    checkFunction('redisCircuitStore.client.eval', client?.eval ?? null);
    checkName('redisCircuitStore.prefix', prefix);
    this.#client = client;
    this.#prefix = prefix;
  }

  async exchange(circuit: string, report: NodeReport): Promise<SharedVerdict> {
    const { era, failing, leaseMs, node, openMs, probed = '', probeMs, quorum } = report;
    const answer = await this.#client.eval(
      EXCHANGE,
      1,
      this.#prefix + circuit,
      ...[node, failing ? 1 : 0, era, whole(leaseMs), whole(openMs), quorum.nodes, quorum.ratio],
      ...[whole(probeMs), probed, NODE_LIMIT],
    );
    return verdictOf(answer);
  }
}

const whole = (ms: number) => Math.ceil(ms);

function verdictOf(answer: unknown): SharedVerdict {
  if (!Array.isArray(answer) || answer.length !== 6) {
    throw new TypeError(`Redis answered a circuit's exchange with ${JSON.stringify(answer)}.`);
  }
  const [era, open, retryAfterMs, nodes, failing, mayProbe] = answer.map(Number) as [
    ...[number, number, number, number, number, number],
  ];
  const state = open === 1 ? 'open' : 'closed';
  return { era, state, retryAfterMs, nodes, failing, mayProbe: mayProbe === 1 };
}
