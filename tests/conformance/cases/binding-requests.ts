import { type BindingCase, echoed, failed, op, refused, said } from './binding-case.ts';

/** What is asked of no binding, or asked wrongly. */
export const BINDING_REQUESTS: readonly BindingCase[] = [
  {
    name: 'an unknown operation',
    to: 'files',
    body: op('copy'),
    expect: failed(
      'binding files does not support operation copy. supported operations:create get list delete',
    ),
  },
  {
    name: 'an unknown operation of http',
    to: 'web',
    body: op('fetch'),
    expect: failed(
      'binding web does not support operation fetch. supported operations:create get head post put patch delete options trace',
    ),
  },
  {
    name: 'no operation',
    to: 'files',
    body: { data: 1 },
    expect: failed('operation field is missing from request'),
  },
  {
    name: 'an empty operation',
    to: 'files',
    body: op(''),
    expect: failed('operation field is missing from request'),
  },
  {
    name: 'an unknown binding',
    to: 'nowhere',
    body: op('get'),
    expect: failed("couldn't find output binding nowhere"),
  },
  {
    name: 'an unknown binding and no operation',
    to: 'nowhere',
    body: {},
    expect: failed('operation field is missing from request'),
  },
  {
    name: 'of direction input',
    to: 'inward',
    body: op('get'),
    expect: failed("couldn't find output binding inward"),
  },
  { name: 'of direction output', to: 'outward', body: op('get'), expect: echoed('GET /', '') },
  {
    name: 'cron takes no operation',
    to: 'tick',
    body: op('delete'),
    expect: failed("couldn't find output binding tick"),
  },
  {
    name: 'an empty body',
    to: 'files',
    body: '',
    expect: refused(400, 'ERR_MALFORMED_REQUEST', 'failed deserializing HTTP body: EOF'),
  },
  {
    name: 'no JSON',
    to: 'files',
    body: '{',
    expect: refused(400, 'ERR_MALFORMED_REQUEST', 'failed deserializing HTTP body: unexpected EOF'),
  },
  {
    name: 'a list',
    to: 'files',
    body: '[]',
    expect: refused(
      400,
      'ERR_MALFORMED_REQUEST',
      'failed deserializing HTTP body: json: cannot unmarshal array into Go value of type http.OutputBindingRequest',
    ),
  },
  {
    name: 'null',
    to: 'files',
    body: 'null',
    expect: failed('operation field is missing from request'),
  },
  {
    name: 'an operation that is a number',
    to: 'files',
    body: '{"operation":1}',
    expect: refused(
      400,
      'ERR_MALFORMED_REQUEST',
      'failed deserializing HTTP body: json: cannot unmarshal number into Go struct field OutputBindingRequest.operation of type string',
    ),
  },
  {
    name: 'metadata that are a text',
    to: 'files',
    body: '{"operation":"get","metadata":"x"}',
    expect: refused(
      400,
      'ERR_MALFORMED_REQUEST',
      'failed deserializing HTTP body: json: cannot unmarshal string into Go struct field OutputBindingRequest.metadata of type map[string]string',
    ),
  },
  {
    name: 'metadata with a number',
    to: 'files',
    body: '{"operation":"get","metadata":{"fileName":1}}',
    expect: refused(
      400,
      'ERR_MALFORMED_REQUEST',
      'failed deserializing HTTP body: json: cannot unmarshal number into Go struct field OutputBindingRequest.metadata of type string',
    ),
  },
  {
    name: 'metadata that are null',
    to: 'told-to',
    body: '{"operation":"list","metadata":null}',
    expect: said('null'),
  },
  {
    name: 'names in capitals',
    to: 'files',
    body: '{"Operation":"get","Metadata":{"fileName":"a.txt"}}',
    expect: said('hello'),
  },
  {
    name: 'GET',
    to: 'files',
    body: undefined,
    expect: refused(
      404,
      'ERR_DIRECT_INVOKE',
      'failed getting app id either from the URL path or the header dapr-app-id',
    ),
    method: 'GET',
  },
  {
    name: 'DELETE',
    to: 'files',
    body: undefined,
    expect: refused(
      404,
      'ERR_DIRECT_INVOKE',
      'failed getting app id either from the URL path or the header dapr-app-id',
    ),
    method: 'DELETE',
  },
];
