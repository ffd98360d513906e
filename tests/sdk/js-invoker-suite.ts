import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DaprServer, HttpMethod } from '@dapr/dapr';
import { APP_ID, type JsPair } from './js-pair.ts';

const { DELETE, GET, PATCH, POST, PUT } = HttpMethod;
const VERBS = [GET, POST, PUT, PATCH, DELETE];

/** A method for each verb; what it was sent is its answer. */
export async function listenAll({ invoker }: DaprServer): Promise<void> {
  for (const method of VERBS) {
    await invoker.listen(
      'echo',
      async ({ body, headers, metadata, query }) => ({
        method,
        body: body ?? null,
        query: query ?? null,
        contentType: metadata?.contentType ?? null,
        mine: headers?.['x-foo'] ?? null,
      }),
      { method },
    );
  }
  await invoker.listen('large', async ({ body }) => ({ length: body?.length }), { method: POST });
}

export function invokerSuite(of: () => JsPair): void {
  const invoke = (name: string, method: HttpMethod, data?: object, options?: object) =>
    of().client.invoker.invoke(APP_ID, name, method, data, options) as Promise<never>;
  const failure = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => '',
      (error: Error) => error.message,
    );

  test('every verb, with and without a body', async () => {
    const { protocol } = of();
    // The SDK's gRPC API has no PATCH.
    const verbs = VERBS.filter((verb) => protocol === 'HTTP' || verb !== PATCH);
    const answers = [];
    for (const verb of verbs) {
      const { body, method } = (await invoke(
        'echo',
        verb,
        verb === GET ? undefined : { n: 1 },
      )) as {
        body: string;
        method: string;
      };
      answers.push([method, body]);
    }
    const nothing = '{}';
    assert.deepEqual(
      answers,
      verbs.map((verb) => [verb, verb === GET ? nothing : '{"n":1}']),
    );
  });

  test('headers and a query go to the application over HTTP', async (t) => {
    if (of().protocol === 'gRPC') return t.skip('the SDK has them over HTTP alone');
    const headers = { 'x-foo': 'bar-baz' };
    const answer = await invoke('echo?a=1&b=%20', POST, { n: 1 }, { headers });
    const { contentType, mine, query } = answer as Record<string, string>;
    assert.deepEqual(
      [contentType, mine, query],
      ['application/json', 'bar-baz', '/echo?a=1&b=%20'],
    );
  });

  test('half a mebibyte passes, more than the sidecar takes does not', async () => {
    const body = (bytes: number) => ({ text: 'x'.repeat(bytes) });
    const { length } = (await invoke('large', POST, body(512 * 1024))) as { length: number };
    assert.equal(length, 512 * 1024 + '{"text":""}'.length);
    assert.notEqual(await failure(invoke('large', POST, body(1536 * 1024))), '');
  });

  test('an app that nobody knows, and a method that it does not have', async () => {
    const { client, protocol } = of();
    const unknown = await failure(client.invoker.invoke('nobody', 'echo', GET));
    assert.match(
      unknown,
      /failed to invoke, id: nobody|code = Unknown|failed getting app id|couldn't find service/,
    );
    const missing = await failure(invoke('missing', GET));
    assert.match(missing, protocol === 'HTTP' ? /"status":404/ : /COULD_NOT_PARSE_RESULT/);
  });
}
