import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sqliteLocation } from './sqlite-location.ts';

describe('sqliteLocation', () => {
  test('hands SQLite a URI with the parameters that are its own', () => {
    const uri = (text: string) => sqliteLocation(text).uri;
    assert.deepEqual(
      [
        uri('/data/a b.db'),
        uri('file:a%20b.db?mode=rw&mode=ro&_txlock=immediate'),
        uri('data.db?nolock=1&_pragma=cache_size(10)'),
        uri(':memory:'),
        uri('file::memory:?cache=shared'),
        uri('file:name?mode=memory'),
      ],
      ['file:/data/a b.db', 'file:a%20b.db?mode=rw', 'file:data.db?nolock=1'].concat(
        Array(3).fill(':memory:'),
      ),
    );
  });

  test('knows where nothing can be written', () => {
    const readOnly = (text: string) => sqliteLocation(text).readOnly;
    assert.deepEqual(
      [readOnly('a.db?mode=ro'), readOnly('file:a.db?immutable=1'), readOnly('a.db?immutable=0')],
      [true, true, false],
    );
  });

  test('names what nobody heeds', () => {
    const { pragmas, unheeded } = sqliteLocation(
      'a.db?_txlock=Deferred&_time_format=sqlite&_pragma=cache_size(-2000)&_pragma=synchronous=1&mood=ro',
    );
    assert.deepEqual(pragmas, ['cache_size(-2000)', 'synchronous=1']);
    assert.deepEqual(unheeded, ['_txlock', '_time_format', 'mood']);
  });

  test('refuses what may not stand there', () => {
    const refused = (query: string) => () => sqliteLocation(`a.db?${query}`);
    assert.throws(refused('_txlock=now'), /_txlock .* "now", not one of deferred, immediate/);
    assert.throws(
      refused('_pragma=Journal_Mode(WAL)'),
      /found forbidden option '_pragma=journal_mode' in the connection string; .* disableWAL/,
    );
    assert.throws(refused('_pragma=busy_timeout=5'), /busyTimeout/);
    assert.throws(refused('_pragma=foreign_keys(1)'), /forbidden/);
    assert.throws(refused('_pragma=cache_size(1);%20DROP%20TABLE%20state'), /such as cache_size/);
  });
});
