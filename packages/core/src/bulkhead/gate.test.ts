import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  arrive,
  depart,
  giveUp,
  isWaiting,
  letIn,
  newGate,
  newLink,
  type QueueLink,
} from './gate.ts';

test('a gate does as a list would, whoever comes, goes and gives up', () => {
  const step = fc.record({ what: fc.constantFrom('arrive', 'depart', 'giveUp'), pick: fc.nat(20) });
  const rules = fc.record({
    limit: fc.integer({ min: 1, max: 4 }),
    queueLimit: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(rules, fc.array(step, { maxLength: 120 }), (given, steps) => {
      const gate = newGate();
      const inside: QueueLink[] = [];
      const waiting: QueueLink[] = [];
      for (const { what, pick } of steps) {
        if (what === 'arrive') {
          const one = newLink();
          const told = arrive(gate, one, given);
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
          const next = letIn(gate, given);
          assert.equal(next, waiting.shift(), 'the one that has waited longest');
          if (next !== undefined) inside.push(next);
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
  const rules = { limit: 1, queueLimit: 5 };
  const [first, second, third] = [newLink(), newLink(), newLink()];
  const told = [arrive(gate, first, rules), arrive(gate, second, rules)];
  depart(gate);
  told.push(arrive(gate, third, rules));
  assert.deepEqual(told, ['inside', 'waits', 'waits']);
  assert.equal(letIn(gate, rules), second);
  assert.equal(letIn(gate, rules), undefined, 'the place is taken');
});
