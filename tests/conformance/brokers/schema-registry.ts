import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry of schemas with Confluent's protocol, as far as those who read and write events ask it. */
export interface Registry {
  readonly url: string;
  /** A newer version of a subject; resolves with the schema's id. */
  register(subject: string, schema: unknown): number;
  /** Requests so far, by path. */
  asked(path: string): number;
  stop(): Promise<void>;
}

export const KEY = 'key';
export const SECRET = 'secret';

/** Under `/locked` it wants to be signed in at. */
export async function startRegistry(): Promise<Registry> {
  const latest = new Map<string, number>();
  const schemas: string[] = [];
  const asked = new Map<string, number>();
  const server = http.createServer((req, res) => {
    const path = req.url ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    const answer = (status: number, body: object) => {
      res.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
      res.end(JSON.stringify(body));
    };
    const basic = `Basic ${Buffer.from(`${KEY}:${SECRET}`).toString('base64')}`;
    if (path.startsWith('/locked') && req.headers.authorization !== basic) {
      return answer(401, { error_code: 40101, message: 'Unauthorized' });
    }
    const open = path.replace(/^\/locked/, '');
    const subject = /^\/subjects\/([^/]+)\/versions\/latest$/.exec(open)?.[1];
    const id = subject === undefined ? /^\/schemas\/ids\/(\d+)$/.exec(open)?.[1] : undefined;
    const known = latest.get(decodeURIComponent(subject ?? ''));
    if (known !== undefined) {
      const schema = schemas[known - 1];
      return answer(200, { subject, version: 1, id: known, schema });
    }
    if (subject !== undefined) {
      return answer(404, { error_code: 40401, message: `Subject '${subject}' not found.` });
    }
    const schema = schemas[Number(id) - 1];
    if (schema !== undefined) return answer(200, { schema });
    return answer(404, { error_code: 40403, message: `Schema ${id} not found` });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    register(subject, schema) {
      schemas.push(JSON.stringify(schema));
      latest.set(subject, schemas.length);
      return schemas.length;
    },
    asked: (path) => asked.get(path) ?? 0,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
