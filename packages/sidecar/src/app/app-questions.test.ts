import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { askConfig } from './app-questions.ts';
import type { AskApp } from './ask-app.ts';

test('an application with actors is told in the log that there are none here', async () => {
  assert.deepEqual(await warnings(200, '{"entities":["Cart","User"]}'), [
    'The application hosts actors (Cart, User); there are no actors here.',
  ]);
});

test('no route, no actors and no body are no reason for a word', async () => {
  const said = await Promise.all([
    warnings(404, 'not found'),
    warnings(500, 'boom'),
    warnings(200, ''),
    warnings(200, 'null'),
    warnings(200, '{"entities":[]}'),
  ]);
  assert.deepEqual(said.flat(), []);
});

test('an answer that cannot be read, and none at all, are said, and nothing more comes of them', async () => {
  const said = [await warnings(200, '{'), await warnings(new Error('it hung up'))].flat();
  assert.match(said[0]!, /^The application's \/dapr\/config cannot be used: .*JSON/);
  assert.equal(said[1], "The application's /dapr/config cannot be used: it hung up");
});

test('an application that does not answer is given up after five seconds', async () => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const warn = (line: string): void => void said.push(line);
  const log = { debug() {}, info() {}, warn, error() {}, child: () => log };
  const never: AskApp = (_call, signal) =>
    new Promise((_, reject) =>
      signal!.addEventListener('abort', () => reject(signal!.reason as Error)),
    );
  const asked = askConfig(never, { appId: 'orders', clock, log });

  await clock.advance(5_000);
  await asked;

  assert.deepEqual(
    [said, clock.pendingTimers],
    [["The application's /dapr/config cannot be used: no answer within 5000 ms"], 0],
  );
});

async function warnings(answer: number | Error, body = ''): Promise<readonly string[]> {
  const said: string[] = [];
  const warn = (line: string): void => void said.push(line);
  const log = { debug() {}, info() {}, warn, error() {}, child: () => log };
  await askConfig(
    async () => {
      if (answer instanceof Error) throw answer;
      return { status: answer, body: Buffer.from(body) };
    },
    { appId: 'orders', clock: new VirtualClock(), log },
  );
  return said;
}
