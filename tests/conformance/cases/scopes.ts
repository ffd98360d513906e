import type { AppSetup } from '../makes/app-mesh.ts';
import type { Case } from '../makes/case.ts';

/** Secrets are those of the environment; the test sets these. */
export const SECRET_VARIABLES = { HOLDFAST_SECRET_A: '1', HOLDFAST_SECRET_B: '2' };
const [A, B] = ['HOLDFAST_SECRET_A', 'HOLDFAST_SECRET_B'];

const component = (name: string, type: string) =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: ${name} }\nspec: { type: ${type}, version: v1 }\n`;
const STORES = ['closed', 'some', 'most', 'open'];

export const SCOPED_APPS = {
  caller: {},
  scoped: {
    spec: `secrets:
  scopes:
    - { storeName: closed, defaultAccess: deny }
    - { storeName: some, defaultAccess: Deny, allowedSecrets: [${B}], deniedSecrets: [${B}] }
    - { storeName: most, deniedSecrets: [${A}] }
components: { deny: [state.in-memory, pubsub.in-memory/v2] }`,
    resources: {
      'components.yaml': [
        ...STORES.map((store) => component(store, 'secretstores.local.env')),
        component('memory', 'state.in-memory'),
        component('broker', 'pubsub.in-memory'),
      ].join('---\n'),
    },
  },
} as const satisfies Record<string, AppSetup>;

export type ScopedApp = keyof typeof SCOPED_APPS;

const secret = (path: string) => ({ to: 'scoped', path: `/v1.0/secrets/${path}` }) as const;
const denied = (store: string, key: string) => ({
  status: 403,
  body: JSON.stringify({
    errorCode: 'ERR_PERMISSION_DENIED',
    message: `access denied by policy to get "${key}" from "${store}"`,
  }),
});
const given = (key: string, value: string) => ({
  status: 200,
  body: new RegExp(`^${JSON.stringify({ [key]: value })}\\n?$`),
});

export const scopeCases: readonly Case<ScopedApp>[] = [
  {
    name: 'a store that is closed gives no secret, not even one that is not there',
    send: [secret(`closed/${A}`), secret('closed/nothing'), secret('closed/bulk')],
    expect: [denied('closed', A!), denied('closed', 'nothing'), { status: 200, body: /^\{\}\n?$/ }],
  },
  {
    name: 'the list of the allowed comes before all else',
    send: [secret(`some/${A}`), secret(`some/${B}`), secret('some/bulk')],
    expect: [
      denied('some', A!),
      given(B!, '2'),
      { status: 200, body: new RegExp(`^\\{"${B}":\\{"${B}":"2"\\}\\}\\n?$`) },
    ],
  },
  {
    name: 'what is denied is not given, and the rest is',
    send: [secret(`most/${A}`), secret(`most/${B}`), secret('most/bulk')],
    expect: [
      denied('most', A!),
      given(B!, '2'),
      { status: 200, body: new RegExp(`^(?!.*${A}).*"${B}":\\{"${B}":"2"\\}`, 's') },
    ],
  },
  {
    name: 'a store without a scope gives everything',
    send: secret(`open/${A}`),
    expect: given(A!, '1'),
  },
  {
    name: 'a component of a type that is denied is not there, one of another version is',
    send: [
      { to: 'scoped', path: '/v1.0/state/memory/k' },
      { to: 'scoped', method: 'POST', path: '/v1.0/publish/broker/t', body: '{}' },
    ],
    expect: [{ status: 500, body: /ERR_STATE_STORE_NOT_CONFIGURED/ }, { status: 204 }],
  },
];
