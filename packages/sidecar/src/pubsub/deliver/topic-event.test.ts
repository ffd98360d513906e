import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicEventOf } from './topic-event.ts';

test('a dead letter has the topic that it came from; the one it was published to is an extension', () => {
  const event = { id: '1', topic: 'orders', data: 'x', datacontenttype: 'foo/bar' };
  const place = { pubsub: 'bus', topic: 'graves', path: '/dead' };
  const { data, extensions, path, topic } = topicEventOf(event, place);
  assert.deepEqual(
    [topic, extensions, path, String(Buffer.from(data!))],
    ['graves', { topic: 'orders' }, '/dead', 'x'],
  );
});
