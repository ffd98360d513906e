import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom, VirtualClock } from '@holdfast/core/testing';
import { AddressBook } from './address-book.ts';

describe('AddressBook', () => {
  test('asks the resolver once a second at most', async () => {
    const { book, clock, asked } = bookOf(['a:1']);

    void book.find('orders', 'default');
    void book.find('orders', 'default');
    await clock.advance(1_001);
    void book.find('orders', 'default');

    assert.equal(asked(), 2);
  });

  test('uses all addresses', () => {
    const { book } = bookOf(['a:1', 'b:2']);

    const used = new Set(Array.from({ length: 50 }, () => book.find('orders', 'default')));

    assert.deepEqual([...used].sort(), ['a:1', 'b:2']);
  });

  test('passes over an address that failed for five seconds, while there is another', async () => {
    const { book, clock } = bookOf(['a:1', 'b:2']);
    book.suspect('orders', 'default', 'a:1');

    const during = new Set(Array.from({ length: 50 }, () => book.find('orders', 'default')));
    await clock.advance(5_001);
    const after = new Set(Array.from({ length: 50 }, () => book.find('orders', 'default')));

    assert.deepEqual([[...during], [...after].sort()], [['b:2'], ['a:1', 'b:2']]);
  });

  test('gives a suspect when there is nobody else', () => {
    const { book } = bookOf(['a:1']);
    book.suspect('orders', 'default', 'a:1');

    assert.equal(book.find('orders', 'default'), 'a:1');
  });

  test('says in the resolver’s words that there is nobody', () => {
    const { book } = bookOf([]);

    assert.throws(() => book.find('orders', 'default'), {
      code: 'NO_ADDRESS',
      message: 'nobody: orders',
    });
  });
});

function bookOf(addresses: readonly string[]) {
  const clock = new VirtualClock();
  let asked = 0;
  const resolver = {
    register: async () => {},
    resolve() {
      asked += 1;
      return addresses;
    },
    unreachable() {},
    notFound: (appId: string) => `nobody: ${appId}`,
    close: async () => {},
  };
  return { book: new AddressBook(resolver, clock, seededRandom(1)), clock, asked: () => asked };
}
