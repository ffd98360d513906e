import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { accountLines } from './account-lines.ts';
import { type Arrival, type Books, balance } from './accounting.ts';

describe('balance', () => {
  test('puts every accepted id under exactly one heading', () => {
    const account = balance({
      accepted: ['a', 'b', 'c', 'd'],
      refused: ['r'],
      unknown: ['u', 'v'],
      delivered: [{ id: 'a' }, { id: 'a' }, { id: 'u', delivery: 2 }],
      queued: ['b'],
      dead: ['c'],
    });

    assert.deepEqual(account, {
      accepted: 4,
      refused: 1,
      unknown: 2,
      delivered: 1,
      queued: 1,
      dead: 1,
      recovered: 1,
      lost: ['d'],
      unexpected: [],
      duplicates: 1,
      redelivered: 1,
      balances: false,
    });
  });

  test('a duplicate does not pay for a loss', () => {
    const account = balance({ ...EMPTY, accepted: ['a', 'b'], delivered: arrivals(['a', 'a']) });

    assert.deepEqual([account.lost, account.duplicates, account.balances], [['b'], 1, false]);
  });

  test('an arrival that nobody asked for does not balance', () => {
    const account = balance({ ...EMPTY, delivered: arrivals(['ghost']) });

    assert.deepEqual([account.unexpected, account.balances], [['ghost'], false]);
  });

  test('the arrival of what was refused does not balance, even beside unnamed unknowns', () => {
    const account = balance({
      ...EMPTY,
      refused: ['no'],
      unnamedUnknown: 5,
      delivered: arrivals(['no', 'named-by-the-service']),
    });

    assert.deepEqual([account.unexpected, account.recovered], [['no'], 1]);
  });

  test('unnamed unknowns explain as many strangers as there are unknowns, and no more', () => {
    const account = balance({ ...EMPTY, unnamedUnknown: 1, delivered: arrivals(['x', 'y']) });

    assert.deepEqual([account.recovered, account.unexpected], [1, ['y']]);
  });
});

describe('whatever the books say', () => {
  test('accepted = delivered + queued + dead + lost', () => {
    fc.assert(
      fc.property(anyBooks, (books) => {
        const account = balance(books);
        const sum = account.delivered + account.queued + account.dead + account.lost.length;
        assert.equal(sum, account.accepted);
        assert.equal(account.accepted, new Set(books.accepted).size);
      }),
    );
  });

  test('every arrival is accounted for: delivered, recovered, unexpected or a duplicate', () => {
    fc.assert(
      fc.property(anyBooks, (books) => {
        const { delivered, recovered, unexpected, duplicates } = balance(books);
        const arrived = delivered + recovered + unexpected.length + duplicates;
        assert.equal(arrived, [...books.delivered].length);
      }),
    );
  });

  test('taking away every trace of one accepted id loses exactly that id', () => {
    fc.assert(
      fc.property(anyBooks, anyId, (books, id) => {
        const without = (ids: Iterable<string>) => [...ids].filter((other) => other !== id);
        const kept = balance({
          ...books,
          accepted: [...books.accepted, id],
          queued: [...books.queued, id],
        });
        const gone = balance({
          ...books,
          accepted: [...books.accepted, id],
          queued: without(books.queued),
          dead: without(books.dead),
          delivered: [...books.delivered].filter((arrival) => arrival.id !== id),
        });
        assert.deepEqual(new Set(gone.lost), new Set([...kept.lost, id]));
        assert.equal(gone.balances, false);
      }),
    );
  });

  test('delivering everything again changes the duplicates and nothing else', () => {
    fc.assert(
      fc.property(anyBooks, (books) => {
        const once = balance(books);
        const twice = balance({ ...books, delivered: [...books.delivered, ...books.delivered] });
        const duplicates = once.duplicates + [...books.delivered].length;
        assert.deepEqual(twice, { ...once, duplicates, redelivered: once.redelivered * 2 });
      }),
    );
  });

  test('order and repetition in the ledgers do not matter', () => {
    fc.assert(
      fc.property(anyBooks, (books) => {
        const reversed = balance({
          ...books,
          accepted: [...books.accepted, ...books.accepted].reverse(),
          refused: [...books.refused].reverse(),
          unknown: [...books.unknown, ...books.unknown],
        });
        const { lost, ...counts } = balance(books);
        const { lost: lostReversed, ...countsReversed } = reversed;
        assert.deepEqual([countsReversed, new Set(lostReversed)], [counts, new Set(lost)]);
      }),
    );
  });

  test('it balances exactly if nothing is lost and nothing unexpected', () => {
    fc.assert(
      fc.property(anyBooks, (books) => {
        const { balances, lost, unexpected } = balance(books);
        assert.equal(balances, lost.length === 0 && unexpected.length === 0);
      }),
    );
  });
});

describe('accountLines', () => {
  test('says the equation, and names what is lost', () => {
    const books = { ...EMPTY, accepted: ['a', 'b'], delivered: arrivals(['a']) };

    assert.deepEqual(accountLines(balance(books)), [
      'accepted 2 ≠ delivered 1 + queued 0 + dead-lettered 0',
      'lost 1 · unexpected none · duplicates 0 · redelivered 0',
      'refused 0 · without a clear answer 0, of which arrived all the same 0',
      'lost: b',
      '❌ The books do not balance.',
    ]);
  });

  test('names no more than ten ids', () => {
    const accepted = Array.from({ length: 12 }, (_, i) => `id${i}`);

    const lines = accountLines(balance({ ...EMPTY, accepted }));

    assert.equal(lines[3], 'lost: id0, id1, id2, id3, id4, id5, id6, id7, id8, id9, and 2 more');
  });
});

const EMPTY: Books = {
  accepted: [],
  refused: [],
  unknown: [],
  delivered: [],
  queued: [],
  dead: [],
};

const arrivals = (ids: readonly string[]): readonly Arrival[] => ids.map((id) => ({ id }));

// Few ids, so that the sets overlap in every way.
const anyId = fc.constantFrom(...'abcdefgh');
const anyIds = fc.array(anyId, { maxLength: 12, size: 'max' });
const anyArrival = fc.record({ id: anyId, delivery: fc.integer({ min: 1, max: 3 }) });
const anyBooks: fc.Arbitrary<Books> = fc.record({
  accepted: anyIds,
  refused: anyIds,
  unknown: anyIds,
  unnamedUnknown: fc.integer({ min: 0, max: 3 }),
  delivered: fc.array(anyArrival, { maxLength: 16, size: 'max' }),
  queued: anyIds,
  dead: anyIds,
});
