import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import type { AppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import type { Seen } from '../makes/echo-app.ts';
import {
  ancestors,
  type SpanCollector,
  startCollector,
  type ZipkinSpan,
} from '../makes/span-collector.ts';
import { startSubscribedApp } from '../makes/subscribed-app.ts';

const GIVEN = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const NONE = '00-00000000000000000000000000000000-0000000000000000-00';

const RESOURCES = {
  'bus.yaml': componentYaml('bus', 'pubsub.in-memory'),
  'tick.yaml': componentYaml('tick', 'bindings.cron', { schedule: '@every 1s' }),
};

const bulk = { bulkSubscribe: { enabled: true, maxMessagesCount: 2, maxAwaitDurationMs: 500 } };
const SUBSCRIPTIONS = [
  { pubsubname: 'bus', topic: 'good', route: '/good' },
  { pubsubname: 'bus', topic: 'bad', route: '/bad' },
  { pubsubname: 'bus', topic: 'after', route: '/after' },
  { pubsubname: 'bus', topic: 'raw', route: '/raw', metadata: { rawPayload: 'true' } },
  { pubsubname: 'bus', topic: 'many', route: '/many', ...bulk },
];

await bothMakes(eventSpans);

function eventSpans(make: Make, executable: string | undefined): void {
  // Side by side, as each waits for a batch of spans, which leaves every five seconds.
  describe(`${make} sends spans of what it brings to the application`, { concurrency: 5 }, () => {
    let collector: SpanCollector;
    let app: Awaited<ReturnType<typeof startListening>>;
    before(async () => {
      collector = await startCollector();
      const spec = `tracing: { samplingRate: "1", zipkin: { endpointAddress: "${collector.url}" } }`;
      app = await startListening(executable, spec);
    });
    after(async () => {
      await app.mesh.stop();
      collector.close();
    });

    /** The spans of bringing events of `topic`, when there are so many. */
    const brought = async (topic: string, wanted: number): Promise<readonly ZipkinSpan[]> => {
      const mine = () => collector.spans().filter(({ name }) => name === `pubsub/${topic}`);
      await until(
        () => `${wanted} spans of ${topic}, not ${mine().length}`,
        () => mine().length >= wanted,
      );
      return mine();
    };

    test('an event: inside the span in which it was published, and the application inside it', async () => {
      await publish(app.mesh, 'good', '1', { traceparent: GIVEN });

      const [span] = await brought('good', 1);
      await until('it was published', () => ancestors(collector.spans(), span!).length > 0);
      const [seen] = await app.called('/good', 1);
      assert.deepEqual(
        [span!.kind, span!.traceId, span!.tags['messaging.system'], span!.tags.error],
        ['CLIENT', GIVEN.split('-')[1], 'pubsub', undefined],
      );
      assert.equal(span!.tags['messaging.destination.name'], 'good');
      assert.equal(ancestors(collector.spans(), span!)[0]?.parentId, GIVEN.split('-')[2]);
      assert.equal(seen!.headers.traceparent, `00-${span!.traceId}-${span!.id}-01`);
    });

    test('an event that the application does not take: an error with the status in words', async () => {
      await publish(app.mesh, 'bad', '1');

      const [span] = await brought('bad', 1);
      assert.deepEqual(
        [span!.tags.error, span!.tags['otel.status_code']],
        ['Code(404): Not Found', 'ERROR'],
      );
    });

    // daprd begins none (dapr/dapr#9990): what others publish, or put back from dead letters, is in no trace.
    test('a raw event, which tells no trace, begins one', async () => {
      await publish(app.mesh, 'raw', '1');
      await publish(app.mesh, 'after', '1');

      const [seen] = await app.called('/raw', 1);
      await brought('after', 1);
      const spans = collector.spans().filter(({ name }) => name === 'pubsub/raw');
      const begun = spans.map(({ id, traceId }) => `00-${traceId}-${id}-01`);
      const { traceparent } = seen!.headers;
      assert.deepEqual(
        [traceparent, begun.length],
        make === 'daprd' ? [undefined, 0] : [begun[0], 1],
      );
      assert.equal(spans[0]?.parentId, undefined);
    });

    test('events in bulk: one each, and the application inside the last', async () => {
      await Promise.all(['1', '2'].map((body) => publish(app.mesh, 'many', body)));

      const spans = await brought('many', 2);
      const [seen] = await app.called('/many', 1);
      assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 2);
      const { entries } = JSON.parse(seen!.body) as { entries: { event: { traceid: string } }[] };
      const last = entries.at(-1)!.event.traceid.split('-')[1];
      assert.equal(seen!.headers.traceparent?.split('-')[1], last);
    });

    test('an event of a binding', async () => {
      const [seen] = await app.called('/tick', 1);
      const own = () =>
        collector.spans().find(({ traceId }) => seen!.headers.traceparent?.includes(traceId));
      await until('its span', () => own() !== undefined);
      assert.deepEqual(
        [own()!.name, own()!.kind, own()!.tags['db.system'], own()!.tags['db.name']],
        ['bindings/tick', 'CLIENT', 'bindings', 'tick'],
      );
      assert.equal(own()!.tags['db.connection_string'], 'POST /tick');
    });
  });

  describe(`${make}, nobody being sent spans`, () => {
    let app: Awaited<ReturnType<typeof startListening>>;
    before(async () => {
      app = await startListening(executable, '');
    });
    after(() => app.mesh.stop());

    test('an event is in no trace, and one of a trace goes on in it as it came', async () => {
      await publish(app.mesh, 'good', '1');
      await app.called('/good', 1);
      await publish(app.mesh, 'good', '2', { traceparent: GIVEN });

      const seen = await app.called('/good', 2);
      assert.deepEqual(
        seen.map(({ headers }) => headers.traceparent),
        [NONE, GIVEN],
      );
      const told = seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
      assert.deepEqual(
        told.map(({ traceid, traceparent }) => [traceid, traceparent]),
        [
          ['', ''],
          [GIVEN, GIVEN],
        ],
      );
    });

    // An application's own tracing begins a trace where it finds none, but not inside one that is not sampled.
    test('a call is in no trace, and one of a trace goes on in it as it came', async () => {
      const call = async (headers: Record<string, string>) => {
        const url = `http://127.0.0.1:${app.mesh.port('caller')}/v1.0/invoke/caller/method/traced`;
        const answer = await fetch(url, { method: 'POST', headers });
        await answer.arrayBuffer();
        return answer.headers.get('traceparent');
      };
      assert.deepEqual([await call({}), await call({ traceparent: GIVEN })], [NONE, GIVEN]);
      const seen = await app.called('/traced', 2);
      assert.deepEqual(
        seen.map(({ headers }) => headers.traceparent),
        [NONE, GIVEN],
      );
    });
  });
}

async function publish(
  mesh: AppMesh<'caller'>,
  topic: string,
  body: string,
  trace: Readonly<Record<string, string>> = {},
): Promise<void> {
  const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/bus/${topic}`;
  const headers = { 'content-type': 'application/json', ...trace };
  const { status } = await fetch(url, { method: 'POST', headers, body });
  assert.equal(status, 204);
}

/** A sidecar whose application has subscribed; `called` resolves with what came to a path, when it was so often. */
async function startListening(executable: string | undefined, spec: string) {
  const answer = ({ url }: Seen) => ({ status: url === '/bad' ? 404 : 200, body: '' });
  const { mesh, seen } = await startSubscribedApp(
    executable,
    RESOURCES,
    SUBSCRIPTIONS,
    answer,
    spec,
  );
  const called = async (url: string, times: number): Promise<readonly Seen[]> => {
    const of = () => seen.filter((one) => one.url === url);
    await until(
      () => `${url} is called ${times} times, after ${seen.map((one) => one.url)}`,
      () => of().length >= times,
    );
    return of();
  };
  return { mesh, called };
}
