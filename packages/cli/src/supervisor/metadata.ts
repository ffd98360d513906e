import { request } from 'node:http';

/** A sidecar on this machine answers this at once or not at all. */
const LIMIT_MS = 2_000;

/** Where a sidecar's HTTP API is. */
export type ApiAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

/**
 * Puts values into a sidecar's metadata. They are for people and tools to look
 * at; a sidecar that does not take them harms nothing, so failures are silent.
 */
export async function putMetadata(
  at: ApiAddress,
  values: Readonly<Record<string, string>>,
  token: string | undefined,
): Promise<void> {
  await Promise.all(Object.entries(values).map(([key, value]) => putOne(at, key, value, token)));
}

function putOne(
  at: ApiAddress,
  key: string,
  value: string,
  token: string | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const put = request({
      ...at,
      method: 'PUT',
      path: `/v1.0/metadata/${key}`,
      headers: {
        'content-type': 'text/plain',
        'content-length': Buffer.byteLength(value),
        ...(token ? { 'dapr-api-token': token } : {}),
      },
      timeout: LIMIT_MS,
      agent: false,
    });
    put.on('response', (response) => response.resume());
    put.on('timeout', () => put.destroy());
    put.on('error', () => resolve());
    put.on('close', () => resolve());
    put.end(value);
  });
}
