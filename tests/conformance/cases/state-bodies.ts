import type { Case } from '../makes/case.ts';
import { asked, intoField, J, malformed, notRead } from './asked.ts';
import { error } from './state.ts';

const notSaved = (store: string, why: string) =>
  JSON.stringify(error('ERR_STATE_SAVE', `failed saving state in state store ${store}: ${why}`));
/** Bodies that are not quite what they should be, each with its answer. */
export const STATE_BODIES: readonly Case<'caller'>[] = ['memory', 'sqlite'].flatMap((store) => {
  const at = `/v1.0/state/${store}`;
  const save = (name: string, body: string, status: number, answer = '') =>
    asked(`${store}, save: ${name}`, ['POST', at, body], status, answer);
  const refused = (name: string, body: string, why: string) =>
    save(name, body, 400, malformed(why));
  const bulk = (name: string, body: string, status: number, answer: string) =>
    asked(`${store}, bulk: ${name}`, ['POST', `${at}/bulk`, body], status, answer);
  const step = (
    name: string,
    body: unknown,
    status: number,
    answer: string | RegExp = '',
    query = '',
  ) => {
    const text = typeof body === 'string' ? body : JSON.stringify({ operations: body });
    const path = `${at}/transaction${query}`;
    return asked(`${store}, transaction: ${name}`, ['POST', path, text], status, answer);
  };
  const upsert = (request: unknown) => [{ operation: 'upsert', request }];
  const decoding = (...lines: string[]) =>
    notRead(`${lines.length} error(s) decoding:\n\n${lines.map((line) => `* ${line}`).join('\n')}`);
  return [
    refused('nothing', '', 'EOF'),
    save('null', 'null', 204),
    save('names in any letter case', '[{"KEY":"cased","Value":1}]', 204),
    asked(`${store}, and it is there`, ['GET', `${at}/cased`], 200, '1'),
    save('what follows the list', '[{"key":"followed","value":1}] more', 204),
    refused('half a list', '[{"key":"half"', 'unexpected EOF'),
    refused('a comma too many', '[{},]', "invalid character ']' looking for beginning of value"),
    refused(
      'another quote',
      "[{'key':1}]",
      "invalid character '\\'' looking for beginning of object key string",
    ),
    refused('a literal', '[nul]', "invalid character ']' in literal null (expecting 'l')"),
    refused(
      'a key that is a number',
      '[{"key":1}]',
      intoField('number', 'SetRequest.key', 'string'),
    ),
    refused(
      'an etag that is a number',
      '[{"key":"k","etag":5}]',
      intoField('number', 'SetRequest.etag', 'string'),
    ),
    refused(
      'metadata with numbers',
      '[{"key":"k","metadata":{"x":1}}]',
      intoField('number', 'SetRequest.metadata', 'string'),
    ),
    refused(
      'options that are a list',
      '[{"key":"k","options":[]}]',
      intoField('array', 'SetRequest.options', 'state.SetStateOption'),
    ),
    refused(
      'items that are none',
      '["x"]',
      'json: cannot unmarshal string into Go value of type state.SetRequest',
    ),
    bulk('nothing', '', 400, notRead('EOF')),
    bulk('null', 'null', 200, '[]'),
    bulk(
      'keys that are a text',
      '{"keys":"a"}',
      400,
      notRead(intoField('string', 'BulkGetRequest.keys', '[]string')),
    ),
    bulk(
      'keys that are numbers',
      '{"keys":[1]}',
      400,
      notRead(intoField('number', 'BulkGetRequest.keys', 'string')),
    ),
    bulk(
      'half a lane',
      '{"keys":[],"parallelism":1.5}',
      400,
      notRead(intoField('number 1.5', 'BulkGetRequest.parallelism', 'int')),
    ),
    bulk(
      'a list',
      '[]',
      400,
      notRead('json: cannot unmarshal array into Go value of type http.BulkGetRequest'),
    ),
    step('null', 'null', 204),
    step(
      'steps that are no list',
      '{"operations":{}}',
      400,
      notRead(
        intoField(
          'object',
          'stateTransactionRequestBody.operations',
          '[]http.stateTransactionRequestBodyOperation',
        ),
      ),
    ),
    step(
      'a step that is a number',
      [{ operation: 1 }],
      400,
      notRead(
        intoField('number', 'stateTransactionRequestBodyOperation.operations.operation', 'string'),
      ),
    ),
    step('a request that is a text', upsert('x'), 400, notRead("'' expected a map, got 'string'")),
    step(
      'a key that is a number',
      upsert({ key: 1 }),
      400,
      decoding("'Key' expected type 'string', got unconvertible type 'float64', value: '1'"),
    ),
    step(
      'metadata with numbers',
      upsert({ key: 'k', metadata: { ttlInSeconds: 10 } }),
      400,
      decoding(
        "'Metadata[ttlInSeconds]' expected type 'string', got unconvertible type 'float64', value: '10'",
      ),
    ),
    step(
      'all that is wrong at once',
      upsert({ key: true, etag: [1], options: 'x' }),
      400,
      decoding(
        "'ETag' expected type 'string', got unconvertible type '[]interface {}', value: '[1]'",
        "'Key' expected type 'string', got unconvertible type 'bool', value: 'true'",
        "'Options' expected a map, got 'string'",
      ),
    ),
    step('names in any letter case', upsert({ KEY: 'cased2', VALUE: 1 }), 204),
    asked(`${store}, and that is there`, ['GET', `${at}/cased2`], 200, '1'),
    step(
      'metadata of the whole are not those of its steps',
      JSON.stringify({
        operations: upsert({ key: 'whole', value: 1 }),
        metadata: { ttlInSeconds: 'x' },
      }),
      204,
    ),
    step(
      'metadata of the address are',
      upsert({ key: 'whole', value: 1 }),
      500,
      /strconv\.\w+: parsing \\"x\\": invalid syntax/,
      '?metadata.ttlInSeconds=x',
    ),
    // What is written is written again as Go does, so that bytes compare.
    save(
      'an object',
      '[{"key":"object","value":{ "z" : 1, "10": "<&>", "a": [1.50] , "9" : null}}]',
      204,
    ),
    asked(
      `${store}, its names come in order`,
      ['GET', `${at}/object`],
      200,
      '{"10":"\\u003c\\u0026\\u003e","9":null,"a":[1.5],"z":1}',
    ),
  ];
});

/** Items of one save stand each for itself. */
export const SEVERAL: readonly Case<'caller'>[] = ['memory', 'sqlite'].map((store) => {
  const at = `/v1.0/state/${store}`;
  const post = (items: unknown) => ({
    method: 'POST',
    path: at,
    headers: [J],
    body: JSON.stringify(items),
  });
  const get = (key: string) => ({ path: `${at}/${key}` });
  const wrong = { key: 'one', value: 2, etag: '00000000-0000-4000-8000-000000000000' };
  return {
    name: `${store}: what is wrong with one item keeps no other from being written`,
    send: [
      post([{ key: 'one', value: 1 }]),
      post([wrong, { key: 'two', value: 2 }]),
      get('one'),
      get('two'),
      post([
        { key: 'three', value: 3 },
        { key: 'four', value: 4, options: { concurrency: 'x' } },
      ]),
      get('three'),
      get('four'),
      post([wrong, { key: 'five', value: 5, options: { concurrency: 'x' } }]),
    ],
    expect: [
      { status: 204 },
      {
        status: 409,
        body: /possible etag mismatch\. error from state store: possible etag mismatch\. error from state store/,
      },
      { status: 200, body: '1' },
      { status: 200, body: '2' },
      { status: 500, body: notSaved(store, "unrecognized concurrency model 'x'") },
      { status: 200, body: '3' },
      { status: 204 },
      { status: 409, body: /possible etag mismatch\. error from state store(?:: state|")/ },
    ],
  };
});

export const ETAGS: readonly Case<'caller'>[] = [
  asked(
    'memory: an etag of what is not there',
    ['POST', '/v1.0/state/memory', '[{"key":"nothing","value":1,"etag":"1"}]'],
    409,
    notSaved(
      'memory',
      'possible etag mismatch. error from state store: state not exist or expired for key=caller||nothing',
    ),
  ),
  {
    name: 'memory: nothing is deleted first that is there',
    send: [
      {
        method: 'POST',
        path: '/v1.0/state/memory',
        headers: [J],
        body: '[{"key":"there","value":1}]',
      },
      { method: 'DELETE', path: '/v1.0/state/memory/there?concurrency=first-write' },
    ],
    expect: [{ status: 204 }, { status: 409, body: /item already exists and no etag was passed/ }],
  },
  {
    name: 'memory: of several If-Match the first counts',
    send: [
      {
        method: 'POST',
        path: '/v1.0/state/memory',
        headers: [J],
        body: '[{"key":"matched","value":1}]',
      },
      {
        method: 'DELETE',
        path: '/v1.0/state/memory/matched',
        headers: ['If-Match: a', 'If-Match: b'],
      },
    ],
    expect: [{ status: 204 }, { status: 409, body: /expect=a"/ }],
  },
  ...[
    ['x', `strconv.ParseInt: parsing \\"x\\": invalid syntax`],
    ['-2', 'must be -1 or greater'],
    ['2147483648', 'must be -1 or greater'],
  ].map(
    ([ttl, why]): Case<'caller'> =>
      asked(
        `sqlite: a time to live of ${ttl}`,
        ['POST', `/v1.0/state/sqlite?metadata.ttlInSeconds=${ttl}`, '[{"key":"k","value":1}]'],
        500,
        `{"errorCode":"ERR_STATE_SAVE","message":"failed saving state in state store sqlite: error parsing TTL: incorrect value for metadata 'ttlInSeconds': ${why}"}`,
      ),
  ),
  asked(
    'memory: a time to live that is none',
    [
      'POST',
      '/v1.0/state/memory?metadata.ttlInSeconds=x&metadata.ttlInSeconds=1',
      '[{"key":"k","value":1}]',
    ],
    500,
    notSaved('memory', 'strconv.Atoi: parsing "x": invalid syntax'),
  ),
];
