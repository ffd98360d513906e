import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { ComponentSettings } from '../../components/component-settings.ts';
import type { PublishService } from '../../pubsub/publish/publish-service.ts';
import type { PubSub, PubSubHandler, PubSubMessage } from '../../pubsub/pubsub.ts';
import { memoryState } from '../memory-state.ts';
import type { StateRequest } from '../state-requests.ts';
import { announcementsOf, type KeyedStep } from './announcements.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { stateOutboxSettings } from './state-outbox-settings.ts';

test('an event goes on when its marker is there, and the marker goes', async () => {
  const { clock, forwarded, hand, store } = await relay({});
  await clock.run(async () => {
    const handed = hand('outbox-1');
    await clock.sleep(600);
    await store.write([{ kind: 'set', key: 'outbox-1', value: '"0"', firstWrite: false }], true);
    await handed;
  });
  assert.deepEqual(
    [forwarded, await store.get('outbox-1')],
    [
      [['news', 'out', { id: 'outbox-1', topic: 'out', pubsubname: 'news' }, 'outbox-1']],
      undefined,
    ],
  );
});

test('without a marker the broker has it back after 11 s, or it is discarded where the store says so', async () => {
  const back = await relay({});
  await back.clock.run(() => assert.rejects(back.hand('outbox-1'), /outbox state not found/));
  const tookMs = back.clock.now();
  const discarded = await relay({ outboxDiscardWhenMissingState: 'true' });
  await discarded.clock.run(() => discarded.hand('outbox-1'));

  assert.deepEqual([tookMs, back.forwarded, discarded.forwarded], [11_000, [], []]);
  assert.match(back.lines.join(''), /to pubsub news: .*, rejecting for later processing/);
  assert.match(discarded.lines.join(''), /to pubsub news: .*, discarding message/);
});

test('a store of whose outbox only half is said tells nobody, with a line in the log', () => {
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const settings = new ComponentSettings('s', [['outboxPublishTopic', 't']]);
  assert.equal(stateOutboxSettings(settings, log), undefined);
  assert.match(lines.join(''), /outboxPublishPubsub is missing/);
});

test('each item that is written is told: its own value, or that of its projection', () => {
  const { announcements, steps } = announcementsOf(
    [
      upsert('a', 'plain', { trace: 'kept', data: 'no', id: 'no' }),
      upsert('b', { n: 1 }, { contentType: 'application/json' }),
      upsert('c', { n: 2 }, {}),
      upsert('a', 'shown', { 'outbox.projection': 'true' }),
      { ...upsert('d', undefined, {}), kind: 'delete' },
    ],
    { appId: 'app', pubsub: 'in', traceparent: '', tracestate: '', nowWallMs: 0 },
    undefined,
  );
  const events = announcements.map(({ event, marker }) => {
    const { data, datacontenttype, id, source, trace } = JSON.parse(String(event));
    assert.equal(id, marker);
    return [data, datacontenttype, source, trace];
  });
  assert.deepEqual(events, [
    ['shown', 'text/plain', 'app', 'kept'],
    [{ n: 1 }, 'application/json', 'app', undefined],
    ['{"n":2}', 'text/plain', 'app', undefined],
  ]);
  assert.deepEqual(
    steps.map(({ key, request }) => [key, request.value]),
    [
      ['a', 'plain'],
      ['b', { n: 1 }],
      ['c', { n: 2 }],
      ['d', undefined],
    ],
  );
});

const upsert = (key: string, value: unknown, metadata: StateRequest['metadata']): KeyedStep => ({
  kind: 'upsert',
  key,
  request: { key, value, metadata, etag: undefined, concurrency: '', consistency: '' },
});

/** A relay of one store; `hand` gives it an event as the broker would, in virtual time. */
async function relay(more: Readonly<Record<string, string>>) {
  const clock = new VirtualClock();
  const store = memoryState(clock);
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const settings = new ComponentSettings(
    's',
    Object.entries({ outboxPublishPubsub: 'news', outboxPublishTopic: 'out', ...more }),
  );
  const handlers = new Map<string, PubSubHandler>();
  const broker = {
    async subscribe(topic: string, handler: PubSubHandler) {
      handlers.set(topic, handler);
      return { close: async () => {} };
    },
  } as Partial<PubSub> as PubSub;
  const forwarded: unknown[] = [];
  const publishing = {
    async forward(pubsub: string, topic: string, { data, id }: PubSubMessage) {
      forwarded.push([pubsub, topic, JSON.parse(String(data)), id]);
    },
  } as Partial<PublishService> as PublishService;
  const scopes = { mayPublish: () => true, maySubscribe: () => true };
  const outbox = stateOutboxSettings(settings, log);
  const one = new OutboxRelay({
    appId: 'app',
    namespace: 'ns',
    state: new Map([['s', { store, keyPrefix: '', outbox }]]),
    brokers: new Map([['news', { broker, scopes }]]),
    publishing,
    clock,
    log,
  });
  await one.follow();
  const hand = async (id: string) =>
    await handlers.get('nsappoutoutbox')!({
      data: Buffer.from(JSON.stringify({ id })),
      metadata: {},
    });
  return { clock, forwarded, hand, lines, store };
}
