import { brokerContract } from './contracts/broker-contract.ts';
import { memoryBroker } from './memory-broker.ts';

const TOO_LARGE_BYTES = 1_000_000;
const broker = memoryBroker();
broker.refuseIf(({ body }) => (body.byteLength >= TOO_LARGE_BYTES ? 'too large' : undefined));

brokerContract('memoryBroker', async () => ({
  // One broker for all clients; each client closes what it subscribed.
  connect: () => {
    const mine: { close(): Promise<void> }[] = [];
    return {
      publish: (messages) => broker.publish(messages),
      async subscribe(topic, options, handler) {
        const subscription = await broker.subscribe(topic, options, handler);
        mine.push(subscription);
        return subscription;
      },
      close: async () => {
        await Promise.all(mine.map((subscription) => subscription.close()));
      },
    };
  },
  tooLargeBytes: TOO_LARGE_BYTES,
  kill: async () => broker.become('down'),
  start: async () => broker.become('up'),
}));
