import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProgrammingError } from './retriable.ts';

/** What `fetch`, or reading its body, throws where the network fails, by who says it; none has a cause or a code. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  Node: ['fetch failed', 'terminated'],
  Chromium: ['Failed to fetch', 'Failed to fetch (example.com)', 'network error'],
  Safari: ['Load failed', 'Load failed (example.com)'],
  'Safari 16': [
    'The Internet connection appears to be offline.',
    'The network connection was lost.',
  ],
  Firefox: ['NetworkError when attempting to fetch resource.'],
  'React Native': ['Network request failed', 'Network request timed out'],
  Workers: ['Network connection lost', 'Network connection lost.'],
  Bun: [' A network error occurred.'],
  Deno: ['error sending request for url (http://127.0.0.1:9/)'],
};

test('a network that failed is no programming error, in whatever words: most were never tried again', () => {
  for (const [engine, messages] of Object.entries(WORDS)) {
    for (const message of messages) {
      assert.equal(isProgrammingError(new TypeError(message)), false, `${engine}: ${message}`);
    }
  }
});

test('what a program gets wrong is one, though it has words of these in it', () => {
  const messages = [
    'x is not a function',
    'my fetch failed',
    'terminated is not a function',
    'Cannot read properties of undefined (reading "Network")',
    'Invalid URL',
    'The network is not iterable',
  ];
  for (const message of messages)
    assert.equal(isProgrammingError(new TypeError(message)), true, message);
});
