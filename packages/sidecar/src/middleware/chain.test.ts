import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinFilters, passThrough } from './chain.ts';
import { type BodyFilter, type Middleware, PASS, plainAnswer, type Verdict } from './middleware.ts';

const HEAD = { method: 'GET', path: '/a', headers: [], from: undefined };

for (const how of ['at once', 'later'] as const) {
  test(`each sees what the one before made of the path, and adds to the answer; it knows ${how}`, async () => {
    const seen: string[] = [];
    const said = await passThrough(
      [
        says(how, () => ({ kind: 'pass', path: '/b', headers: ['x-one', '1'] })),
        says('at once', ({ path }) => {
          seen.push(path);
          return PASS;
        }),
        says(how, ({ path }) => ({ kind: 'pass', path: `${path}/c`, headers: ['x-two', '2'] })),
      ],
      HEAD,
    );
    assert.deepEqual(
      [seen, said.verdict, said.headers],
      [['/b'], { kind: 'pass', path: '/b/c' }, ['x-one', '1', 'x-two', '2']],
    );
  });

  test(`who answers ${how} is the last to be asked; what stands before changes its answer too`, async () => {
    let asked = 0;
    const said = await passThrough(
      [
        { answer: () => marking('o') },
        says(how, () => plainAnswer(403, 'no')),
        says('at once', () => {
          asked += 1;
          return PASS;
        }),
        { answer: () => marking('i') },
      ],
      HEAD,
    );
    const filter = joinFilters(said.answer);
    const body = Buffer.concat([filter!.push(Buffer.from('no')), filter!.end()]).toString();
    assert.deepEqual([said.verdict, asked, body], [plainAnswer(403, 'no'), 0, '(ono)o']);
  });
}

test('requests meet the outermost first, answers last, and what is held back meets the rest', async () => {
  const said = await passThrough(
    [
      { request: () => marking('1'), answer: () => marking('1') },
      { request: () => marking('2'), answer: () => marking('2') },
    ],
    HEAD,
  );
  const through = (filters: readonly BodyFilter[]) => {
    const filter = joinFilters(filters);
    return Buffer.concat([filter!.push(Buffer.from('x')), filter!.end()]).toString();
  };
  assert.deepEqual([through(said.request), through(said.answer)], ['(2(1x(2)1)2', '(1(2x(1)2)1']);
});

function says(how: 'at once' | 'later', judge: (head: typeof HEAD) => Verdict): Middleware {
  return {
    judge: (head) =>
      how === 'later' ? Promise.resolve(judge(head as typeof HEAD)) : judge(head as typeof HEAD),
  };
}

/** Puts a mark before each chunk, and another at the end. */
function marking(name: string): BodyFilter {
  return {
    push: (chunk) => (chunk.length === 0 ? chunk : Buffer.concat([Buffer.from(`(${name}`), chunk])),
    end: () => Buffer.from(`)${name}`),
  };
}
