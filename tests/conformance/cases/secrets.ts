export const SECRETS_FILE = JSON.stringify({
  a: '1',
  db: { user: 'u', deep: { x: 'y' } },
  list: ['x', { k: 'v' }],
  n: 5,
  empty: '',
  none: {},
});

export const ENVIRONMENT = {
  HFX_: 'bare',
  HFX_ONE: '1',
  HFX_TWO: '2=3',
  DAPR_CUSTOM: 'hidden',
  dapr_lower: 'hidden',
};

export interface SecretCase {
  /** Behind `/v1.0/secrets/`. */
  readonly path: string;
  readonly expect: readonly [status: number, body: object];
  readonly daprd?: { readonly why: string; readonly expect: readonly [number, object] };
}

const missing = (store: string, key: string) =>
  [
    500,
    {
      errorCode: 'ERR_SECRET_GET',
      message: `failed getting secret with key ${key} from secret store ${store}: secret ${key} not found`,
    },
  ] as const;

const one = (key: string, value: string) => [200, { [key]: value }] as const;

const LEFT_OUT = 'daprd leaves out what is neither a text nor an object, without a word';
const FORMATTED = 'daprd formats a number with a verb of Go for texts';

export const SECRETS: readonly SecretCase[] = [
  { path: 'plain/a', expect: one('a', '1') },
  { path: 'plain/A', expect: missing('plain', 'A') },
  { path: 'plain/a?metadata.version_id=1', expect: one('a', '1') },
  { path: 'plain/db', expect: missing('plain', 'db') },
  { path: 'plain/db:user', expect: one('db:user', 'u') },
  { path: 'plain/db.user', expect: missing('plain', 'db.user') },
  { path: 'plain/list:1:k', expect: one('list:1:k', 'v') },
  { path: 'plain/empty', expect: one('empty', '') },
  { path: 'plain/none', expect: missing('plain', 'none') },
  {
    path: 'plain/n',
    expect: one('n', '5'),
    daprd: { why: FORMATTED, expect: one('n', '%!s(float64=5)') },
  },
  {
    path: 'plain/a/b',
    expect: [
      404,
      {
        errorCode: 'ERR_DIRECT_INVOKE',
        message: 'failed getting app id either from the URL path or the header dapr-app-id',
      },
    ],
  },
  { path: 'plain/a%2Fb', expect: missing('plain', 'a/b') },
  { path: 'plain/a+b', expect: missing('plain', 'a b') },
  { path: 'plain/a%2Bb', expect: missing('plain', 'a+b') },
  { path: 'dot/db.user', expect: one('db.user', 'u') },
  { path: 'dot/db.deep.x', expect: one('db.deep.x', 'y') },
  { path: 'dot/db:user', expect: missing('dot', 'db:user') },
  { path: 'nothing/bulk', expect: [200, {}] },
  { path: 'multi/a', expect: one('a', '1') },
  { path: 'multi/db', expect: [200, { user: 'u', 'deep:x': 'y' }] },
  { path: 'multi/db:user', expect: missing('multi', 'db:user') },
  { path: 'multi/none', expect: [200, {}] },
  {
    path: 'multi/list',
    expect: [200, { 0: 'x', '1:k': 'v' }],
    daprd: { why: LEFT_OUT, expect: missing('multi', 'list') },
  },
  {
    path: 'multi/n',
    expect: one('n', '5'),
    daprd: { why: LEFT_OUT, expect: missing('multi', 'n') },
  },
  {
    path: 'other/bulk',
    expect: [
      200,
      {
        a: { a: '1' },
        db: { user: 'u', deep__x: 'y' },
        list: { 0: 'x', '1__k': 'v' },
        n: { n: '5' },
        empty: { empty: '' },
        none: {},
      },
    ],
    daprd: {
      why: LEFT_OUT,
      expect: [
        200,
        { a: { a: '1' }, db: { user: 'u', deep__x: 'y' }, empty: { empty: '' }, none: {} },
      ],
    },
  },
  { path: 'env/HFX_ONE', expect: one('HFX_ONE', '1') },
  { path: 'env/DAPR_CUSTOM', expect: one('DAPR_CUSTOM', '') },
  { path: 'env/dapr_lower', expect: one('dapr_lower', '') },
  { path: 'env/APP_API_TOKEN', expect: one('APP_API_TOKEN', '') },
  { path: 'prefixed/ONE', expect: one('ONE', '1') },
  { path: 'prefixed/NOPE', expect: one('NOPE', '') },
  { path: 'prefixed/bulk', expect: [200, { ONE: { ONE: '1' }, TWO: { TWO: '2=3' } }] },
  { path: 'tokens/CUSTOM', expect: one('CUSTOM', '') },
  { path: 'tokens/bulk', expect: [200, {}] },
];
