import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeDocuments } from '../policies/merge-documents.ts';
import { resiliencyPolicies } from '../policies/resiliency-policies.ts';
import { checkResiliency } from '../problems/check-resiliency.ts';
import { parseResiliency } from './parse-resiliency.ts';

const fixtures = ['good', 'bad'].flatMap((folder) => {
  const directory = new URL(`../../fixtures/${folder}/`, import.meta.url);
  return readdirSync(directory).map((file) => readFileSync(new URL(file, directory), 'utf8'));
});

/** Pieces that change what a file means. */
const SPLICES = [
  '\n',
  '  ',
  '\t',
  ': ',
  '- ',
  '&a ',
  '*a',
  '<<: *a',
  '{',
  '}',
  '[',
  '"',
  "'",
  '|\n',
  '---\n',
  '#',
];
const VALUES = [
  'null',
  'on',
  '0',
  '-1',
  '1e9',
  '5s',
  '~',
  '!!binary x',
  '0x1F',
  '\u00e9',
  '\ud83d\ude00',
  ', ',
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.nat(12),
  put: fc.constantFrom(...SPLICES, ...VALUES),
});

test('whatever a file says, it is read without throwing, and its problems point into it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...fixtures),
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      (fixture, edits) => {
        const text = edits.reduce((now, { at, drop, put }) => {
          const index = Math.floor(at * now.length);
          return now.slice(0, index) + put + now.slice(index + drop);
        }, fixture);
        const { documents, problems } = parseResiliency(text, 'fuzz.yaml');
        const merged = mergeDocuments(documents);
        const policies = resiliencyPolicies(merged, merged.policies, merged.targets);
        // What was accepted must be fit for use: core checks every number again.
        for (const app of [...policies.names.apps, 'any']) {
          policies.forApp(app).policies(() => undefined, 'http');
        }
        for (const component of [...policies.names.components, 'any']) {
          policies.forComponent(component, 'Pubsub', 'inbound').policies(() => undefined, 'grpc');
        }
        const lines = text.split('\n');
        for (const { line, column, message } of [...problems, ...checkResiliency(documents)]) {
          assert.ok(line >= 1 && line <= lines.length, `line ${line}: ${message}`);
          assert.ok(
            column >= 1 && column <= lines[line - 1]!.length + 2,
            `column ${column}: ${message}`,
          );
        }
      },
    ),
    { numRuns: 300, seed: 42 },
  );
});
