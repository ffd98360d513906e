import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerSink, Flow } from './answer.ts';
import { PendingAnswer } from './pending-answer.ts';

test('a receiver that cannot take what was held is sent no more until it goes on', () => {
  const { answer, sender } = held(['a', 'b']);
  const receiver = slow();
  answer.forwardTo(receiver);
  const stalled = sender.running;
  receiver.goOn();
  assert.deepEqual([stalled, sender.running, receiver.texts], [false, true, ['a', 'b']]);
});

test('a sender that was stopped while nobody knew what becomes of its answer goes on', () => {
  const { answer, sender } = held(['a'.repeat(70_000)]);
  const stalled = sender.running;
  const texts: string[] = [];
  answer.forwardTo({ ...slow(), data: (chunk) => void texts.push(String(chunk)) });
  assert.deepEqual([stalled, sender.running, texts.length], [false, true, 1]);
});

/** An answer of which so much has come before anybody wanted it. */
function held(texts: readonly string[]) {
  const sender = { running: true };
  const flow: Flow = {
    pause: () => {
      sender.running = false;
    },
    resume: () => {
      sender.running = true;
    },
    abort: () => {},
  };
  const answer = new PendingAnswer(
    () => {},
    () => {},
  );
  answer.head(200, [], flow);
  for (const text of texts) answer.data(Buffer.from(text));
  return { answer, sender };
}

/** Takes what it is given, and asks for no more until it is told to. */
function slow(): AnswerSink & { goOn(): void; readonly texts: string[] } {
  let from: Flow | undefined;
  const texts: string[] = [];
  return {
    texts,
    head: (_status, _headers, flow) => {
      from = flow;
    },
    data: (chunk) => {
      texts.push(String(chunk));
      from?.pause();
    },
    end: () => {},
    fail: () => {},
    goOn: () => from?.resume(),
  };
}
