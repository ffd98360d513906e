import { until } from '@holdfast/test-servers';
import { daprClient } from '../makes/grpc-client.ts';

/** Subscribes by a stream and answers each event with the next status: 0 taken, 1 again, 2 dropped. */
export async function streamedEvents(
  grpcPort: number,
  pubsubName: string,
  answers: readonly number[],
): Promise<{ readonly events: readonly string[]; end(): void }> {
  const events: string[] = [];
  const queue: object[] = [
    {
      subscribeTopicEventsRequestType: {
        case: 'initialRequest',
        value: { pubsubName, topic: 'topic' },
      },
    },
  ];
  let subscribed = false;
  let wake = () => {};
  async function* requests() {
    for (;;) {
      while (queue.length > 0) yield queue.shift()!;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const ending = new AbortController();
  const listen = async () => {
    const left = [...answers];
    const stream = daprClient(grpcPort).subscribeTopicEventsAlpha1(requests(), {
      signal: ending.signal,
    });
    for await (const { subscribeTopicEventsResponseType: said } of stream) {
      if (said.case === 'initialResponse') subscribed = true;
      if (said.case !== 'eventMessage') continue;
      events.push(Buffer.from(said.value.data).toString());
      const status = { status: left.shift() ?? 0 };
      const value = { id: said.value.id, status };
      queue.push({ subscribeTopicEventsRequestType: { case: 'eventProcessed', value } });
      wake();
    }
  };
  // It ends by being given up.
  listen().catch(() => {});
  await until('the stream has subscribed', () => subscribed);
  return { events, end: () => ending.abort() };
}
