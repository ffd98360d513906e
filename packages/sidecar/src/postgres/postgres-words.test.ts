import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresWords } from './postgres-words.ts';

test('a failure is told as Dapr’s driver tells it, with where the server is and without the password', () => {
  const server = { user: 'me', database: 'd', host: 'h', port: 1, password: 'secret' };
  const words = (message: string, more: object = {}) =>
    postgresWords(Object.assign(new Error(message), more), server).message;
  const dial = 'failed to connect to `user=me database=d`: h:1 (h): dial error: dial tcp h:1';
  assert.deepEqual(
    [
      words('too many', { severity: 'FATAL', code: '53300' }),
      words('connect ECONNREFUSED', { code: 'ECONNREFUSED' }),
      words('read ECONNRESET', { code: 'ECONNRESET' }),
      words('Query read timeout'),
      words('Connection terminated unexpectedly'),
      words('', { code: 'EWHAT' }),
    ],
    [
      'FATAL: too many (SQLSTATE 53300)',
      `${dial}: connect: connection refused`,
      `${dial}: read: connection reset by peer`,
      'timeout: context deadline exceeded (Query read timeout)',
      'read tcp h:1: unexpected EOF (Connection terminated unexpectedly)',
      'EWHAT',
    ],
  );
});
