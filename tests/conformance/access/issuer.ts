import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';

/** Over those of a good token; undefined takes one away. */
type Claims = { readonly [Name in keyof JWTPayload]: JWTPayload[Name] | undefined };

/** Who issues tokens: its OpenID configuration and keys are served on loopback. */
export interface Issuer {
  readonly url: string;
  /** Signed with a key that is served; claims and header over good ones. */
  token(
    claims?: Claims,
    header?: { readonly kid?: string | undefined; readonly typ?: string },
  ): Promise<string>;
  /** As good, but for the key. */
  forged(claims?: JWTPayload): Promise<string>;
  /** Signed by nobody. */
  unsigned(): string;
  stop(): Promise<void>;
}

export const AUDIENCE = 'shop';

export async function startIssuer(): Promise<Issuer> {
  const served = await generateKeyPair('RS256');
  const other = await generateKeyPair('RS256');
  const key = { ...(await exportJWK(served.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  const server = http.createServer((req, res) => {
    const documents: Readonly<Record<string, object>> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys: [key] },
    };
    if (req.url === '/moved-keys') {
      res.writeHead(302, { location: '/keys' }).end();
      return;
    }
    const document = documents[req.url ?? ''];
    res.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const good = (): JWTPayload => {
    const nowS = Math.floor(Date.now() / 1000);
    return { iss: url, aud: AUDIENCE, sub: 'ann', iat: nowS, exp: nowS + 600 };
  };
  const sign = (
    claims: Claims,
    header: object,
    privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'],
  ) =>
    new SignJWT({ ...good(), ...claims } as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
      .sign(privateKey);
  return {
    url,
    token: (claims = {}, header = {}) => sign(claims, header, served.privateKey),
    forged: (claims = {}) => sign(claims, {}, other.privateKey),
    unsigned: () => new UnsecuredJWT(good()).encode(),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
