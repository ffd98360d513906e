import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { parseResiliency } from '../parse/parse-resiliency.ts';
import { type Field, RESILIENCY } from '../parse/vocabulary.ts';
import { resiliencySchema } from './json-schema.ts';
import { keysDocument } from './keys-document.ts';
import { rulesDocument } from './rules-document.ts';

const root = new URL('../../', import.meta.url);
const remedy = 'Run: node --conditions=source packages/config/src/pages/generate-main.ts';

test('RULES.md and KEYS.md are what the code says', async () => {
  assert.equal(await readFile(new URL('RULES.md', root), 'utf8'), rulesDocument(), remedy);
  assert.equal(await readFile(new URL('KEYS.md', root), 'utf8'), keysDocument(), remedy);
});

describe('the JSON Schema', () => {
  test('is what the vocabulary says', async () => {
    const text = await readFile(new URL('schema/resiliency.schema.json', root), 'utf8');
    assert.deepEqual(JSON.parse(text), resiliencySchema(), remedy);
  });

  test('accepts every good file', async () => {
    for (const name of await readdir(new URL('fixtures/good/', root))) {
      if (name === 'other-kind.yaml') continue;
      assert.deepEqual(await schemaErrors(`good/${name}`), [], name);
    }
  });

  test('refuses what an editor can see', async () => {
    const said: Record<string, readonly string[]> = {};
    for (const name of ['unknown-key', 'wrong-type', 'retry-words', 'out-of-range', 'key-case']) {
      said[name] = await schemaErrors(`bad/${name}.yaml`);
    }
    assert.deepEqual(said, {
      'unknown-key': [
        '/spec target',
        '/spec/policies/retries/retryApi backoff',
        '/spec/policies/retries/retryApi maxRetrys',
      ],
      'wrong-type': [
        '/spec/policies/circuitBreakers',
        '/spec/policies/retries/retryApi/maxRetries',
        '/spec/policies/retries/retryOther',
      ],
      'retry-words': [
        '/spec/policies/retries/exponental/policy',
        '/spec/policies/retries/jitter/jitter',
        '/spec/policies/retries/linear/policy',
      ],
      'out-of-range': [
        '/spec/policies/bulkheads/few/maxConcurrent',
        '/spec/policies/circuitBreakers/cbApi/maxRequests',
        '/spec/targets/apps/target-app/circuitBreakerCacheSize',
      ],
      'key-case': [
        '/spec/policies/retries/DefaultRetryPolicy maxretries',
        '/spec/policies/retries/DefaultRetryPolicy/matching grpcStatusCodes',
      ],
    });
  });

  test('and the parser know the same keys', () => {
    // Each key of the vocabulary, written where it belongs: the parser must know every one,
    // and none of them under another name.
    const unknown = (suffix: string) =>
      parseResiliency(JSON.stringify(everyKey(RESILIENCY, suffix)), 'all.yaml')
        .problems.filter(({ rule }) => rule === 'unknown-key')
        .map(({ message }) => message.replace(/ has no key "(.*)"; .*/, '.$1'));
    assert.deepEqual(unknown(''), []);
    const leaves = unknown('X').length;
    assert.ok(leaves > 30, `only ${leaves} keys were looked at`);
  });
});

/** A document with every key there is; `suffix` misspells those that have no keys below them. */
function everyKey(fields: Readonly<Record<string, Field>>, suffix: string): object {
  const entries = Object.entries(fields).map(([name, field]) => {
    if (name === 'kind') return [name, 'Resiliency'];
    if (field.fields === undefined && field.kind !== 'map') {
      return [name + suffix, field.kind === 'list' ? [] : null];
    }
    if (field.fields === undefined) return [name, {}];
    const below = everyKey(field.fields, suffix);
    return [name, field.kind === 'map' ? { any: below } : below];
  });
  return Object.fromEntries(entries);
}

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(resiliencySchema());

/** The places that the schema objects to, each once. */
async function schemaErrors(file: string): Promise<string[]> {
  const text = await readFile(new URL(`fixtures/${file}`, root), 'utf8');
  if (validate(parse(text, { merge: true, uniqueKeys: false }))) return [];
  const places = (validate.errors ?? []).map(({ instancePath, params }) =>
    `${instancePath} ${params.additionalProperty ?? ''}`.trim(),
  );
  return [...new Set(places)].sort();
}
