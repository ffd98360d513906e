import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isWaiting, newLink, type QueueLink } from '../queue-link.ts';
import { arrive, depart, giveUp, letIn, newGate, nextIn, nextOut, QUEUE_ORDERS } from './gate.ts';

test('a gate does as a list would, whoever comes, goes and gives up', () => {
  const step = fc.record({
    what: fc.constantFrom('arrive', 'depart', 'giveUp', 'displace'),
    pick: fc.nat(20),
  });
  const rules = fc.record({
    limit: fc.integer({ min: 1, max: 4 }),
    queueLimit: fc.integer({ min: 0, max: 5 }),
    order: fc.constantFrom(...QUEUE_ORDERS),
  });
  fc.assert(
    fc.property(rules, fc.array(step, { maxLength: 120, size: 'max' }), (given, steps) => {
      const gate = newGate();
      const inside: QueueLink[] = [];
      const waiting: QueueLink[] = [];
      const rankOf = new Map<QueueLink, number>();
      const rank = (one: QueueLink) => (given.order === 'criticality' ? rankOf.get(one)! : 0);
      // Stable, so that within a rank the order of arrival stays.
      const nextInLine = () =>
        given.order === 'lifo' ? waiting.at(-1) : waiting.toSorted((a, b) => rank(a) - rank(b))[0];
      for (const { what, pick } of steps) {
        if (what === 'arrive') {
          const one = newLink();
          rankOf.set(one, pick % 4);
          const told = arrive(gate, one, given, pick % 4);
          const expected =
            inside.length < given.limit
              ? 'inside'
              : waiting.length < given.queueLimit
                ? 'waits'
                : 'full';
          assert.equal(told, expected);
          if (told === 'inside') inside.push(one);
          if (told === 'waits') waiting.push(one);
        } else if (what === 'depart' && inside.length > 0) {
          inside.splice(pick % inside.length, 1);
          depart(gate);
          const expected = nextInLine();
          const next = nextIn(gate, given);
          assert.equal(next, expected, 'the one whose turn it is');
          if (next !== undefined) {
            letIn(gate, next);
            waiting.splice(waiting.indexOf(next), 1);
            inside.push(next);
          }
        } else if (what === 'displace' && given.order === 'criticality') {
          const least = waiting.findLast(
            (one) => rank(one) === Math.max(...waiting.map((other) => rank(other))),
          );
          const expected = least !== undefined && rank(least) > pick % 4 ? least : undefined;
          assert.equal(nextOut(gate, pick % 4), expected, 'the last of the least critical');
          if (expected !== undefined) {
            giveUp(gate, expected);
            waiting.splice(waiting.indexOf(expected), 1);
          }
        } else if (what === 'giveUp' && waiting.length > 0) {
          const [one] = waiting.splice(pick % waiting.length, 1);
          giveUp(gate, one!);
        }
        assert.deepEqual([gate.active, gate.queued], [inside.length, waiting.length]);
        assert.ok(waiting.every(isWaiting) && !inside.some(isWaiting));
      }
    }),
    { numRuns: 300 },
  );
});

test('nobody overtakes those who wait, also when a place happens to be free', () => {
  const gate = newGate();
  const rules = { limit: 1, queueLimit: 5, order: 'fifo' as const };
  const [first, second, third] = [newLink(), newLink(), newLink()];
  const told = [arrive(gate, first, rules), arrive(gate, second, rules)];
  depart(gate);
  told.push(arrive(gate, third, rules));
  assert.deepEqual(told, ['inside', 'waits', 'waits']);
  assert.equal(nextIn(gate, rules), second);
  letIn(gate, second!);
  assert.equal(nextIn(gate, rules), undefined, 'the place is taken');
});
