import type { OutgoingMessage } from '../../message.ts';
import type { PostgresBrokerOptions } from '../../postgres-broker/options.ts';
import { type PostgresBroker, postgresBroker } from '../../postgres-broker/postgres-broker.ts';
import { eventually } from '../eventually.ts';
import type { PostgresSuite } from './postgres-suite.ts';

/** A broker in a schema of its own, and more of them on the same; all closed after the test. */
export function beginBroker(
  t: { after(end: () => Promise<unknown>): void },
  { newSchema, pool }: PostgresSuite,
  options: Partial<PostgresBrokerOptions> = {},
) {
  const schema = newSchema();
  const another = (more: Partial<PostgresBrokerOptions> = {}): PostgresBroker => {
    const common = { pool, schema, reconnectMs: 50, timeoutMs: 30_000 };
    const broker = postgresBroker({ ...common, ...options, ...more });
    t.after(() => broker.close());
    return broker;
  };
  return { schema, broker: another(), another };
}

export function order(id: string, key?: string): OutgoingMessage {
  return { id, topic: 'orders', key, body: Buffer.from(id), headers: {} };
}

/** A member that takes down the ids of what it is handed. */
export async function record(broker: PostgresBroker, group = 'g') {
  const got: string[] = [];
  const { close } = await broker.subscribe('orders', { group }, async ({ id }) => {
    got.push(id);
  });
  return { got, close };
}

export function arrived(got: readonly string[], count: number) {
  return eventually(
    () => got.length,
    (length) => length >= count,
    `${count} arrive`,
  );
}
