import type { OddCase } from './odd-apps.ts';

const publish = (body: string, status: number, why?: string): OddCase => ({
  name: `CloudEvents: ${JSON.stringify(body)} ${why ?? 'is one'}`,
  send: {
    method: 'POST',
    path: '/v1.0/publish/bus/t',
    headers: ['Content-Type: application/cloudevents+json'],
    body,
  },
  expect: {
    status,
    body: why === undefined ? '' : new RegExp(`"error":"${why.replaceAll('"', '\\\\"')}"`),
  },
});

/** Events that say they are CloudEvents, read as Go reads a stream of JSON. */
export const oddEvents: readonly OddCase[] = [
  publish('', 500, 'EOF'),
  publish(' ', 500, 'EOF'),
  publish('{"a":', 500, 'unexpected EOF'),
  publish('tru', 500, 'unexpected EOF'),
  publish('{"id":"x', 500, 'unexpected EOF'),
  publish('{"id":"1"} and more', 204),
];
