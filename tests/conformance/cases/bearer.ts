import { AUDIENCE, type Issuer } from '../access/issuer.ts';
import type { AppSetup } from '../makes/app-mesh.ts';
import type { Case } from '../makes/case.ts';
import { handlers, middleware } from './middleware.ts';

export type BearerApp = 'caller' | 'guarded' | 'guardedOld' | 'guardedApp';

/** Sidecars that ask for tokens of an issuer: before the API, and before the application. */
export function bearerApps({ url }: Issuer): Readonly<Record<BearerApp, AppSetup>> {
  const spec = `httpPipeline: ${handlers(['guard', 'bearer'])}`;
  return {
    caller: {},
    guarded: {
      spec,
      resources: {
        'guard.yaml': middleware('guard', 'bearer', { issuer: url, audience: AUDIENCE }),
      },
    },
    guardedOld: {
      spec,
      resources: {
        'guard.yaml': middleware('guard', 'bearer', {
          issuerURL: url,
          clientID: AUDIENCE,
          jwksURL: `${url}/moved-keys`,
        }),
      },
    },
    guardedApp: {
      spec: `appHttpPipeline: ${handlers(['guard', 'bearer'])}`,
      resources: {
        'guard.yaml': middleware('guard', 'bearer', { issuer: url, audience: AUDIENCE }),
      },
    },
  };
}

const refused = {
  status: 401,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: 'Unauthorized',
};
const passed = { status: 200 };

export async function bearerCases(issuer: Issuer): Promise<readonly Case<BearerApp>[]> {
  const nowS = Math.floor(Date.now() / 1000);
  const good = await issuer.token();
  const at = (to: BearerApp, authorization?: string) => ({
    to,
    path: '/v1.0/invoke/caller/method/x',
    headers: authorization === undefined ? [] : [`Authorization: ${authorization}`],
  });
  const bearer = async (token: string | Promise<string>) => at('guarded', `Bearer ${await token}`);
  return [
    {
      name: 'a good token passes, whatever the letters of its scheme, and goes on to the application',
      send: [at('guarded', `Bearer ${good}`), at('guarded', `bEARER ${good}`)],
      expect: [{ status: 200, app: { headers: { authorization: `Bearer ${good}` } } }, passed],
    },
    {
      name: 'none, another scheme, or nothing behind it',
      send: [
        at('guarded'),
        at('guarded', 'Basic YTpi'),
        at('guarded', 'Bearer'),
        at('guarded', 'Bearer x'),
        at('guarded', `Token ${good}`),
      ],
      expect: [refused, refused, refused, refused, refused],
    },
    {
      name: 'what is no token, is signed by nobody or by somebody else',
      send: [
        await bearer('not-a-token-at-all'),
        await bearer(issuer.unsigned()),
        await bearer(issuer.forged()),
        await bearer(`${good}x`),
      ],
      expect: [refused, refused, refused, refused],
    },
    {
      name: 'for another audience, or of another issuer',
      send: [
        await bearer(issuer.token({ aud: 'other' })),
        await bearer(issuer.token({ iss: 'http://127.0.0.1:1' })),
        await bearer(issuer.token({ aud: ['other', AUDIENCE] })),
      ],
      expect: [refused, refused, passed],
    },
    {
      name: 'too old or too young: clocks may differ by five minutes',
      send: [
        await bearer(issuer.token({ exp: nowS - 400 })),
        await bearer(issuer.token({ exp: nowS - 100 })),
        await bearer(issuer.token({ nbf: nowS + 600 })),
        await bearer(issuer.token({ nbf: nowS + 100 })),
      ],
      expect: [refused, passed, refused, passed],
    },
    {
      name: 'one that is not issued yet, but for five minutes',
      send: [
        await bearer(issuer.token({ iat: nowS + 600 })),
        await bearer(issuer.token({ iat: nowS + 100 })),
      ],
      expect: [refused, passed],
    },
    {
      name: 'without an end, an audience, or the name of its key',
      send: [
        await bearer(issuer.token({ exp: undefined })),
        await bearer(issuer.token({ aud: undefined })),
        await bearer(issuer.token({}, { kid: undefined })),
      ],
      expect: [passed, refused, refused],
    },
    {
      name: 'spaces around it',
      send: at('guarded', `Bearer   ${good}  `),
      expect: passed,
    },
    {
      name: 'a key that the issuer does not serve',
      send: await bearer(issuer.token({}, { kid: 'two' })),
      expect: refused,
    },
    {
      name: 'health and what is no API are guarded too',
      send: [
        { to: 'guarded', path: '/v1.0/healthz' },
        { to: 'guarded', path: '/nothing' },
      ],
      expect: [refused, refused],
    },
    {
      name: 'the older names of the metadata, and the keys named by themselves, where a redirect leads to them',
      send: [at('guardedOld', `Bearer ${good}`), at('guardedOld')],
      expect: [passed, refused],
    },
    {
      name: 'before an application: a body waits until the token is known to be good',
      send: [
        {
          method: 'POST',
          path: '/v1.0/invoke/guardedApp/method/x',
          body: 'hi',
          headers: [`Authorization: Bearer ${good}`],
        },
        { method: 'POST', path: '/v1.0/invoke/guardedApp/method/y', body: 'hi' },
      ],
      expect: [{ status: 200, app: { body: 'hi' } }, refused],
      calls: { '/y': 0 },
    },
  ];
}
