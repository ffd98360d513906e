import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postponement, reasonOf, replyCode } from './refusals.ts';

const SHA = 'a'.repeat(40);
const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

test('an error of a command within a script is known, as Redis 6 and 7 tell it', () => {
  const seven = `OOM command not allowed when used memory > 'maxmemory'. script: ${SHA}, on @user_script:31.`;
  const six = `ERR Error running script (call to f_${SHA}): @user_script:31: @user_script: 31: -OOM command not allowed when used memory > 'maxmemory'.`;

  assert.deepEqual([replyCode(reply(seven)), replyCode(reply(six))], ['OOM', 'OOM']);
  assert.equal(postponement(reply(six)), 'Redis has no memory for it now (maxmemory)');
});

test('what Redis cannot do now for nobody is an outage, in its own words and with what to do', () => {
  const loading = reply('LOADING Redis is loading the dataset in memory');
  const replica = reply(
    `READONLY You can't write against a read only replica. script: ${SHA}, on @user_script:9.`,
  );

  assert.deepEqual([postponement(loading), postponement(replica)], [undefined, undefined]);
  assert.deepEqual(
    [reasonOf(loading), reasonOf(replica)],
    [
      'LOADING Redis is loading the dataset in memory (it reads its data from disk)',
      "READONLY You can't write against a read only replica (it is a replica: name the master, or its sentinels)",
    ],
  );
});

test('an error that is no answer of Redis says nothing of the message', () => {
  const reset = new Error('read ECONNRESET');

  assert.deepEqual(
    [replyCode(reset), postponement(reset), reasonOf(reset)],
    [undefined, undefined, 'read ECONNRESET'],
  );
});
