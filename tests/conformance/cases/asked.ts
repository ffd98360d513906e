import type { Case } from '../makes/case.ts';
import { error } from './state.ts';

export const J = 'Content-Type: application/json';

const component = (name: string, type: string, metadata = '') => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1, metadata: [${metadata}] }
`;

export const COMPONENTS = [
  component('memory', 'state.in-memory'),
  component('sqlite', 'state.sqlite', '{ name: connectionString, value: ":memory:" }'),
  component('broker', 'pubsub.in-memory'),
].join('---');

export const asked = (
  name: string,
  [method, path, body]: readonly [string, string, string?],
  status: number,
  answer: string | RegExp = '',
): Case<'caller'> => ({
  name,
  send: { method, path, headers: [J], ...(body === undefined ? {} : { body }) },
  expect: { status, body: answer },
});

export const malformed = (why: string) => JSON.stringify(error('ERR_MALFORMED_REQUEST', why));
export const notRead = (why: string) => malformed(`failed deserializing HTTP body: ${why}`);
export const intoField = (kind: string, field: string, type: string) =>
  `json: cannot unmarshal ${kind} into Go struct field ${field} of type ${type}`;
export const NO_APP = JSON.stringify(
  error(
    'ERR_DIRECT_INVOKE',
    'failed getting app id either from the URL path or the header dapr-app-id',
  ),
);
