import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { importSPKI, jwtVerify } from 'jose';
import type { Issuer } from '../access/issuer.ts';

/** What a client asked for, without what is new each time. */
export type Asked = Readonly<Record<string, string>>;

export interface TokenEndpoint {
  /** Where a secret may stand in a header; `/body`, where it may not. */
  readonly url: string;
  /** By client, the last time. */
  readonly asked: ReadonlyMap<string, Asked>;
  /** What was asked so far. */
  forget(): void;
  stop(): Promise<void>;
}

export interface TokenClients {
  /** By name, their secrets. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Public keys of those that sign, in PEM. */
  readonly keys: Readonly<Record<string, string>>;
}

/** Gives tokens of an issuer to clients that show who they are (OAuth's client credentials). */
export async function startTokenEndpoint(
  issuer: Issuer,
  { keys, secrets }: TokenClients,
): Promise<TokenEndpoint> {
  const asked = new Map<string, Asked>();
  const server = http.createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    const client = await clientOf(req, form);
    if (client === undefined) {
      res.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
      return;
    }
    const { client_assertion: _once, client_secret: _secret, ...rest } = form;
    asked.set(client, rest);
    const token = await issuer.token({ sub: client });
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 600 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;

  const clientOf = async (req: http.IncomingMessage, form: Asked): Promise<string | undefined> => {
    const basic = /^Basic (.+)$/.exec(req.headers.authorization ?? '')?.[1];
    if (form.client_assertion !== undefined) return await signedBy(form);
    const [name = '', secret] =
      basic === undefined
        ? [form.client_id, form.client_secret]
        : Buffer.from(basic, 'base64').toString().split(':').map(unescaped);
    if (basic !== undefined && req.url?.endsWith('/body')) return undefined;
    return secret !== undefined && secrets[name] === secret ? name : undefined;
  };
  const signedBy = async ({ client_assertion: assertion = '', client_id: name = '' }: Asked) => {
    const key = await importSPKI(keys[name] ?? '', 'RS256');
    const { payload } = await jwtVerify(assertion, key, { issuer: name, subject: name });
    const good = payload.aud === url && payload.jti !== undefined && payload.exp !== undefined;
    return good ? name : undefined;
  };
  return {
    url,
    asked,
    forget: () => asked.clear(),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const unescaped = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
