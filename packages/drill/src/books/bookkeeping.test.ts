import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { audit, auditWhenSettled, type Witness } from './bookkeeping.ts';
import type { Ledger } from './ledger.ts';
import type { LedgerEntry } from './ledger-entry.ts';

describe('audit', () => {
  test('asks one drill only for what it was promised itself', async () => {
    const ledger = holding([...accepted('first', 'a'), ...accepted('second', 'b')]);
    const witness = seeing(['a', 'b']);

    const { account } = await audit({ ledger, witness, mark: '0', drill: 'second' });

    assert.deepEqual(
      [account.accepted, account.delivered, account.unexpected, account.balances],
      [1, 1, [], true],
    );
  });

  test('finds over the whole run what one drill alone would not miss', async () => {
    const ledger = holding([...accepted('first', 'a'), ...accepted('second', 'b')]);

    const { account } = await audit({ ledger, witness: seeing(['b']), mark: '0' });

    assert.deepEqual([account.lost, account.balances], [['a'], false]);
  });

  test('counts an answer that was lost as recovered when the work arrived', async () => {
    const ledger = holding([{ kind: 'attempted', attempt: 'u', drill: 'd' }]);

    const { account } = await audit({ ledger, witness: seeing(['u']), mark: '0' });

    assert.deepEqual([account.unknown, account.recovered, account.balances], [1, 1, true]);
  });

  test('explains strangers by lost answers where the service names things itself', async () => {
    const ledger = holding([{ kind: 'attempted', attempt: 'mine', drill: 'd' }]);
    const witness = { ...seeing(['theirs']), clientNames: false };

    const { account } = await audit({ ledger, witness, mark: '0' });

    assert.deepEqual([account.unknown, account.recovered, account.balances], [1, 1, true]);
  });
});

describe('auditWhenSettled', () => {
  test('waits for what is on its way', async () => {
    const clock = new VirtualClock();
    const witness = {
      ...seeing([]),
      arrivalsSince: async () => arrivals(clock.now() > 3_000, 'a'),
    };

    const account = await settled(clock, witness);

    assert.deepEqual([account.delivered, account.balances], [1, true]);
  });

  test('waits for work that was done though its answer was lost, so that it is no stranger later', async () => {
    const clock = new VirtualClock();
    const ledger = holding([{ kind: 'attempted', attempt: 'u', drill: 'd' }]);
    const arrived = () => clock.now() > 2_000;
    const witness: Witness = {
      mark: async () => '0',
      arrivalsSince: async () => arrivals(arrived(), 'u'),
      whereabouts: async () => ({ queued: [], dead: [], due: arrived() ? [] : ['u'] }),
    };

    const account = await settled(clock, witness, ledger);

    assert.deepEqual([account.recovered, account.balances], [1, true]);
  });

  test('waits no longer than the limit, and then it is lost', async () => {
    const clock = new VirtualClock();

    const account = await settled(clock, seeing([]));

    assert.deepEqual(
      [account.lost, clock.now() >= 10_000, clock.now() < 11_000],
      [['a'], true, true],
    );
  });

  test('bears with a witness that does not answer, but not for ever', async () => {
    const clock = new VirtualClock();
    const arrivalsSince = async () => {
      if (clock.now() < 5_000) throw new Error('no answer');
      return arrivals(true, 'a');
    };
    assert.equal((await settled(clock, { ...seeing([]), arrivalsSince })).balances, true);

    const never = { ...seeing([]), arrivalsSince: () => Promise.reject(new Error('gone')) };
    await assert.rejects(settled(new VirtualClock(), never), { message: 'gone' });
  });
});

const accepted = (drill: string, id: string): readonly LedgerEntry[] => [
  { kind: 'attempted', attempt: id, drill },
  { kind: 'accepted', attempt: id, drill, id },
];

const arrivals = (yes: boolean, id: string) => (yes ? [{ id }] : []);

/** A ledger that was written before: only reading is asked of it here. */
function holding(entries: readonly LedgerEntry[]): Pick<Ledger, 'read'> {
  return { read: async () => entries };
}

function seeing(ids: readonly string[]): Witness {
  return {
    mark: async () => '0',
    arrivalsSince: async () => ids.map((id) => ({ id })),
    whereabouts: async () => ({ queued: [], dead: [] }),
  };
}

function settled(clock: VirtualClock, witness: Witness, ledger = holding(accepted('d', 'a'))) {
  const { signal } = new AbortController();
  return clock.run(() =>
    auditWhenSettled({ ledger, witness, mark: '0' }, { clock, limitMs: 10_000, signal }),
  );
}
