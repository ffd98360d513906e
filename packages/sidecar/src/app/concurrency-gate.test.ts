import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { AnswerSink, Flow, Upstream } from '../flow/answer.ts';
import { startMesh } from '../testing/start-mesh.ts';
import { createGate } from './concurrency-gate.ts';

test('with a limit of two calls in the application, the others wait their turn and are answered', async (t) => {
  let inside = 0;
  let most = 0;
  const order: string[] = [];
  const held: ServerResponse[] = [];
  const { url } = await startMesh(
    t,
    (req, res) => {
      order.push(req.url ?? '');
      inside += 1;
      most = Math.max(most, inside);
      held.push(res);
      if (held.length < 2) return;
      // Both places are taken; a third would come meanwhile.
      setTimeout(() => {
        inside -= 2;
        for (const answer of held.splice(0)) answer.end('ok');
      }, 20);
    },
    { callee: { appMaxConcurrency: 2 } },
  );

  const statuses = await Promise.all(
    Array.from({ length: 10 }, async (_, at) => (await fetch(`${url}/${at}`)).status),
  );

  assert.deepEqual([statuses, most, order.length], [Array(10).fill(200), 2, 10]);
});

test('a call that is given up in the queue takes no place in the application', () => {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const upstream: Upstream = {
    send({ path }, sink) {
      started.push(path);
      ends.push(() => sink.end(null));
      return { pause() {}, resume() {}, abort() {} };
    },
  };
  const gate = createGate(1);
  const send = (path: string): Flow =>
    gate.send(upstream, { method: 'GET', path, headers: [], body: null }, SINK);

  send('/first');
  const second = send('/second');
  send('/third');
  second.abort(new Error('the client left'));
  ends[0]?.();
  const afterOne = [...started];
  ends[1]?.();
  send('/fourth').abort(new Error('the client left'));
  send('/fifth');

  assert.deepEqual(
    [afterOne, started],
    [
      ['/first', '/third'],
      ['/first', '/third', '/fourth', '/fifth'],
    ],
  );
});

const SINK: AnswerSink = { head() {}, data() {}, end() {}, fail() {} };
