import type { CircuitStore, SharedVerdict } from '../breaker/shared/circuit-store.ts';
import { NODE_LIMIT } from '../breaker/shared/shared-record.ts';
import { checkMethods, checkName, checkOptions } from '../check.ts';
import type { RedisClient } from './client.ts';
import { EXCHANGE } from './exchange-script.ts';

/**
 * Shares circuits over processes in Redis (7 or later; 5 with script effects
 * replication) or a cluster of it: one hash a circuit, gone by itself when
 * nobody uses it; all moments are of Redis' clock. The client is the caller's;
 * let it fail fast (`maxRetriesPerRequest: 1`) rather than queue.
 *
 * @param prefix of the keys. @default 'holdfast:circuit:'
 */
export function redisCircuitStore(
  client: RedisClient,
  options: { readonly prefix?: string } = {},
): CircuitStore {
  checkOptions('redisCircuitStore', options, { prefix: 0 });
  const { prefix = 'holdfast:circuit:' } = options;
  checkMethods('redisCircuitStore.client', client ?? null, 'eval');
  checkName('redisCircuitStore.prefix', prefix);
  return {
    async exchange(circuit, report) {
      const { era, failing, leaseMs, node, openMs, probed = '', probeMs, quorum } = report;
      const answer = await client.eval(
        EXCHANGE,
        1,
        prefix + circuit,
        ...[node, failing ? 1 : 0, era, whole(leaseMs), whole(openMs), quorum.nodes, quorum.ratio],
        ...[whole(probeMs), probed, NODE_LIMIT],
      );
      return verdictOf(answer);
    },
  };
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
