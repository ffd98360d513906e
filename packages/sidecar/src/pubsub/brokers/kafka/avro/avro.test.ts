import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import { avroSchema } from './avro-schema.ts';
import { avroToJson, LONGEST_TEXT } from './avro-to-json.ts';
import { jsonToAvro, type Unions } from './json-to-avro.ts';

const RECORD = {
  type: 'record',
  name: 'shop.Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'size', type: { type: 'enum', name: 'Size', symbols: ['S', 'L'] }, default: 'L' },
  ],
};

test('a record of JSON, with defaults for what is missing', () => {
  assert.equal(hex(RECORD, '{"id":1}'), '020002');
  assert.equal(hex(RECORD, '{"size":"S","note":"a","id":-1}'), '0102026100');
  assert.equal(json(RECORD, '0102026100'), '{"id":-1,"note":"a","size":"S"}');
});

test('whole numbers keep all their digits', () => {
  assert.equal(json('long', hex('long', '9223372036854775807')), '9223372036854775807');
  assert.equal(json('long', hex('long', '-9223372036854775808')), '-9223372036854775808');
});

test('the branch of a union is the first that takes the value: numbers and objects by the order of names', () => {
  const cases: readonly [unknown, string, string][] = [
    [['null', 'string'], 'null', '00'],
    [['null', 'string'], '"a"', '020261'],
    [['null', 'long', 'double'], '1', '04000000000000f03f'],
    [['null', 'int', 'long'], '1', '0202'],
    [['null', 'int', 'long'], '3000000000', '0480f882ad16'],
    [['string', 'bytes'], '"a"', '000261'],
    [['bytes', 'string'], '"a"', '000261'],
    [[{ type: 'map', values: 'int' }, RECORD], '{"id":1}', '00020469640200'],
    [[RECORD, { type: 'map', values: 'int' }], '{"ids":1}', '0202066964730200'],
    [[{ type: 'array', items: 'int' }, 'null'], '[1]', '00020200'],
  ];
  assert.deepEqual(
    cases.map(([schema, text]) => hex(schema, text)),
    cases.map(([, , bytes]) => bytes),
  );
});

test('with Avro’s own JSON the branch is named, after its logical type too', () => {
  const union = ['null', 'string', { type: 'long', logicalType: 'timestamp-millis' }];
  assert.equal(hex(union, '{"long.timestamp-millis":5}', 'named'), '040a');
  assert.equal(json(union, '040a', true), '{"long.timestamp-millis":5}');
  assert.equal(json(union, '020261', true), '{"string":"a"}');
  assert.throws(() => hex(union, '"a"', 'named'), /cannot decode textual union/);
});

test('bytes are escaped byte by byte, texts where they are not ASCII, and a slash always', () => {
  assert.equal(hex('bytes', '"a\\u00e9\\n"'), '0661e90a');
  assert.equal(hex('bytes', '"é"'), '04c3a9');
  assert.equal(json('bytes', '0661e90a'), '"a\\u00E9\\n"');
  const text = hex('string', '"é/\\u0007😀\\""');
  assert.equal(json('string', text), '"\\u00E9\\/\\u0007\\uD83D\\uDE00\\""');
});

test('numbers as Go writes them, and what JSON has no number for', () => {
  const doubles = [
    '0.5',
    '100000',
    '1000000',
    '0.0001',
    '0.00001',
    '-0',
    '123456.789',
    '1e999',
    'null',
  ];
  assert.deepEqual(
    doubles.map((one) => json('double', hex('double', one))),
    ['0.5', '100000', '1e+06', '0.0001', '1e-05', '-0', '123456.789', '1e999', 'null'],
  );
  assert.equal(json('float', hex('float', '0.1')), '0.1');
});

const MISFITS: readonly [unknown, string, RegExp][] = [
  [
    RECORD,
    '{"id":1,"x":2}',
    /record "shop.Order": cannot decode textual map: cannot determine codec: "x"/,
  ],
  [RECORD, '{}', /only found 2 of 3 fields, without id/],
  [RECORD, '{"id":1.5}', /cannot decode textual long: found 1.5 for key: "id"/],
  [RECORD, '{"id":1,"size":"M"}', /value ought to be member of symbols: \[S L\]; "M"/],
  [RECORD, '[]', /expected: '\{'; actual: an array/],
  ['int', '2147483648', /out of range of int/],
  ['int', '1.0', /cannot decode textual int: found 1.0/],
  [{ type: 'fixed', name: 'F', size: 2 }, '"a"', /ought to equal schema size: 1 != 2/],
  [['null', 'string'], '{"a":1}', /could not decode any json data in input an object/],
];

for (const [schema, text, message] of MISFITS) {
  test(`refused: ${text} for ${JSON.stringify(schema).slice(0, 40)}`, () => {
    assert.throws(() => hex(schema, text), { message });
  });
}

const BROKEN: readonly [unknown, RegExp][] = [
  ['number', /unknown type name: "number"/],
  [{ type: 'record', name: 'A' }, /record "A" has no list of fields/],
  [{ type: 'enum', name: 'A', symbols: [] }, /enum "A" has no list of symbols/],
  [{ type: 'fixed', name: 'A', size: 0 }, /fixed "A" must have a size/],
  [{ type: 'fixed', name: 'a b', size: 1 }, /"a b" can be no name of a type/],
  [['int', 'int'], /branches that are not told apart/],
  [[], /a union has no branches/],
];

for (const [schema, message] of BROKEN) {
  test(`no schema: ${JSON.stringify(schema)}`, () => {
    assert.throws(() => avroSchema(JSON.stringify(schema)), { message });
  });
}

test('a few bytes that would be more text than fits are refused, and so are those that end too early', () => {
  // Two billion nothings.
  assert.throws(() => json({ type: 'array', items: 'null' }, 'feffffff0f'), {
    message: `it is more than ${LONGEST_TEXT} characters of JSON`,
  });
  assert.throws(() => json('string', '10'), { message: 'short buffer' });
  assert.throws(() => json('long', 'ff'.repeat(11)), { message: 'a number has no end' });
  assert.throws(() => json(['null'], '02'), { message: /index ought to be between 0 and 0/ });
});

test('unions within unions are not tried for ever', () => {
  const branch = (name: string, next: unknown) => ({
    ...{ type: 'record', name },
    fields: [{ name: 'next', type: next }],
  });
  const schema = branch('A', ['null', 'A', branch('B', ['null', 'A', 'B'])]);
  const deep = `${'{"next":'.repeat(60)}1${'}'.repeat(60)}`;
  assert.throws(() => hex(schema, deep), { message: /could not decode any json data/ });
});

/** What another library writes is read here, and written again as it was. */
const SHARED: readonly object[] = [
  RECORD,
  { type: 'array', items: ['null', 'double', 'string', { type: 'map', values: 'long' }] },
  { type: 'map', values: { type: 'array', items: 'double' } },
  {
    type: 'record',
    name: 'Tree',
    namespace: 'a.b',
    fields: [
      { name: 'bytes', type: 'bytes' },
      { name: 'flag', type: 'boolean' },
      { name: 'mark', type: { type: 'fixed', name: 'Mark', size: 3 } },
      { name: 'again', type: ['null', 'Tree', 'Mark'], default: null },
    ],
  },
];

for (const schema of SHARED) {
  test(`${JSON.stringify(schema).slice(0, 50)} as avsc writes and reads it`, () => {
    const other = avro.Type.forSchema(schema as avro.schema.AvroSchema, { wrapUnions: 'always' });
    const type = avroSchema(JSON.stringify(schema));
    for (let n = 0; n < 200; n += 1) {
      const bytes = other.toBuffer(other.random());
      const text = avroToJson(type, bytes, 0, true);
      assert.deepEqual(JSON.parse(text), JSON.parse(other.toString(other.fromBuffer(bytes))));
      assert.deepEqual(jsonToAvro(type, text, 'named'), bytes);
    }
  });
}

function hex(schema: unknown, text: string, unions: Exclude<Unions, 'first'> = 'tried'): string {
  return jsonToAvro(avroSchema(JSON.stringify(schema)), text, unions).toString('hex');
}

function json(schema: unknown, bytes: string, named = false): string {
  return avroToJson(avroSchema(JSON.stringify(schema)), Buffer.from(bytes, 'hex'), 0, named);
}
