import { nkeys } from '@nats-io/transport-node';

/** Who may issue what, in the way of NATS: an operator, its account, and users of that. */
export interface NatsIssuer {
  /** Lines of a server's configuration that believes it. */
  readonly configuration: string;
  /** A user's `jwt`, and its seed; `seconds` from now it is over, which may be before. */
  user(seconds?: number): { readonly jwt: string; readonly seedKey: string };
}

const NO_LIMITS = {
  ...{
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  },
};
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

export function natsIssuer(): NatsIssuer {
  const [operator, system, account] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
  ];
  const now = Math.floor(Date.now() / 1_000);
  const issue = (by: Key, to: string, nats: object, more: object = {}) => {
    const claims = { jti: to, iat: now, iss: by.getPublicKey(), name: to, sub: to, nats, ...more };
    const head = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
    return `${head}.${Buffer.from(by.sign(Buffer.from(head))).toString('base64url')}`;
  };
  const accountJwt = (of: Key, limits: object) =>
    issue(operator, of.getPublicKey(), { type: 'account', version: 2, limits });
  return {
    configuration: `
operator: ${issue(operator, operator.getPublicKey(), { type: 'operator', version: 2 })}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: {
  ${system.getPublicKey()}: ${accountJwt(system, NO_LIMITS)}
  ${account.getPublicKey()}: ${accountJwt(account, { ...NO_LIMITS, ...JETSTREAM })}
}
`,
    user(seconds) {
      const user = nkeys.createUser();
      const nats = { type: 'user', version: 2, subs: -1, data: -1, payload: -1 };
      const more = seconds === undefined ? {} : { exp: now + seconds };
      return {
        jwt: issue(account, user.getPublicKey(), nats, more),
        seedKey: Buffer.from(user.getSeed()).toString(),
      };
    },
  };
}

type Key = ReturnType<typeof nkeys.createUser>;

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
