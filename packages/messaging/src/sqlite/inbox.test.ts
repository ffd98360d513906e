import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteInbox } from './inbox.ts';

describe('sqliteInbox', () => {
  test('a message that is delivered three times has its effect once', async (t) => {
    const { database, balance } = await account(t);
    const inbox = sqliteInbox({ database });

    const ran = [1, 2, 3].map(() => inbox.once('payment-1', () => deposit(database, 10)));

    assert.deepEqual({ ran, balance: balance() }, { ran: [true, false, false], balance: 10 });
  });

  test('an effect that fails leaves neither itself nor the mark, and may be tried again', async (t) => {
    const { database, balance } = await account(t);
    const inbox = sqliteInbox({ database });

    assert.throws(
      () =>
        inbox.once('payment-1', () => {
          deposit(database, 10);
          throw new Error('limit exceeded');
        }),
      /limit exceeded/,
    );
    assert.equal(balance(), 0);
    assert.equal(
      inbox.once('payment-1', () => deposit(database, 10)),
      true,
    );
    assert.equal(balance(), 10);
  });

  test('the mark is there for the next process', async (t) => {
    const { database, path } = await account(t);
    sqliteInbox({ database }).once('payment-1', () => deposit(database, 10));
    const next = new DatabaseSync(path);
    t.after(() => next.close());

    assert.equal(
      sqliteInbox({ database: next }).once('payment-1', () => deposit(next, 10)),
      false,
    );
  });

  test('it forgets the oldest ids beyond its limit', async (t) => {
    const { database } = await account(t);
    const inbox = sqliteInbox({ database, remember: 2 });

    const ran = ['a', 'b', 'c', 'b', 'c', 'a'].map((id) => inbox.once(id, () => {}));

    assert.deepEqual(ran, [true, true, true, false, false, true]);
  });

  test('a limit that cannot work is refused', async (t) => {
    const { database } = await account(t);
    assert.throws(() => sqliteInbox({ database, remember: 0 }), RangeError);
  });
});

async function account(t: TestContext) {
  const path = join(await tempDir(t), 'account.db');
  const database = new DatabaseSync(path);
  t.after(() => database.close());
  database.exec('CREATE TABLE account (balance INTEGER); INSERT INTO account VALUES (0);');
  const balance = () => database.prepare('SELECT balance FROM account').get()?.balance;
  return { database, path, balance };
}

function deposit(database: DatabaseSync, amount: number): void {
  database.prepare('UPDATE account SET balance = balance + ?').run(amount);
}
