import assert from 'node:assert/strict';
import type { BindingCase, BindingExpected, Operation } from '../cases/binding-case.ts';
import type { AppMesh } from '../makes/app-mesh.ts';
import type { Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';

type Asked = Pick<AppMesh<'caller'>, 'port' | 'grpcPort'>;

/** Asks a case over HTTP; `masked` takes away what is another each time. */
export async function overHttp(
  mesh: Asked,
  { body, daprd, expect, headers = {}, method = 'POST', to }: BindingCase,
  make: Make,
  masked: (text: string) => string,
): Promise<void> {
  const wanted = (make === 'daprd' ? daprd?.expect : undefined) ?? expect;
  const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/bindings/${to}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = masked((await answer.text()).trim());
  assert.equal(answer.status, wanted.status, text);
  if (wanted.error !== undefined) {
    const [errorCode, message] = wanted.error;
    assert.deepEqual(JSON.parse(text), { errorCode, message: whole(message, errorCode, to) });
  }
  sameData(text, wanted);
  for (const [name, value] of Object.entries(wanted.metadata ?? {})) {
    assert.equal(answer.headers.get(`metadata.${name}`), value, name);
  }
}

/** The same over gRPC, where data are bytes. */
export async function overGrpc(
  mesh: Asked,
  { body, daprd, expect, to }: BindingCase,
  make: Make,
  masked: (text: string) => string,
): Promise<void> {
  const otherwise = make === 'daprd' && daprd?.httpOnly !== true ? daprd?.expect : undefined;
  const wanted = otherwise ?? expect;
  const { data, metadata = {}, operation = '' } = body as Operation;
  const bytes = data === undefined ? '' : typeof data === 'string' ? data : JSON.stringify(data);
  const request = { name: to, operation, metadata: { ...metadata }, data: Buffer.from(bytes) };
  const client = daprClient(mesh.grpcPort('caller'));
  const result = (await outcome((options) => client.invokeBinding(request, options))) as {
    readonly code?: number;
    readonly message?: string;
    readonly details?: readonly { readonly reason?: string }[];
    readonly answer?: { readonly data: string; readonly metadata: Record<string, string> };
  };
  if (wanted.error !== undefined) {
    const [reason, message] = wanted.error;
    const got = [result.code, masked(result.message ?? ''), result.details?.[0]?.reason];
    assert.deepEqual(got, [13, whole(message, reason, to), reason]);
    return;
  }
  // The bytes as they are, where HTTP has them as JSON.
  const app =
    wanted.app === undefined || wanted.app.body === ''
      ? wanted.app
      : { ...wanted.app, body: bytes };
  const text = Buffer.from(result.answer?.data ?? '', 'latin1').toString();
  sameData(masked(text), app === undefined ? wanted : { ...wanted, app });
  for (const [name, value] of Object.entries(wanted.metadata ?? {})) {
    assert.equal(result.answer?.metadata[name], value, name);
  }
}

function sameData(text: string, { app, body }: BindingExpected): void {
  if (body !== undefined) assert.equal(text, body);
  if (app === undefined) return;
  const seen = JSON.parse(text) as Seen;
  assert.deepEqual([`${seen.method} ${seen.url}`, seen.body], [app.call, app.body]);
  for (const [name, value] of Object.entries(app.headers)) {
    assert.equal(seen.headers[name], value, name);
  }
  for (const name of ['x-small', 'transfer-encoding']) assert.equal(seen.headers[name], undefined);
  assert.match(seen.headers.traceparent ?? '', /^00-[\da-f]{32}-[\da-f]{16}-0[01]$/);
}

function whole(message: string, code: string, to: string): string {
  if (code !== 'ERR_INVOKE_OUTPUT_BINDING') return message;
  return `error invoking output binding ${to}: ${message}`;
}
