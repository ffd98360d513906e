import { createPrivateKey, webcrypto } from 'node:crypto';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type Signed, signCertificate } from '../../../packages/cli/src/ca/certificates.ts';

const DOMAIN = 'public';
const DAY_MS = 86_400_000;
const SIGN = '/dapr.proto.sentry.v1.CA/SignCertificate';

/**
 * An authority that daprd asks for its certificate, as it asks Dapr's Sentry,
 * and that gives sidecars of ours theirs: so both makes know their callers.
 */
export interface Sentry {
  readonly address: string;
  /** The root, as PEM. */
  readonly anchors: string;
  issue(appId: string): Promise<Signed>;
  stop(): Promise<void>;
}

/** `further`: what stands behind the app in the certificate's id, by app. */
export async function startSentry(further: Readonly<Record<string, string>> = {}): Promise<Sentry> {
  const idOf = (appId: string) => `spiffe://${DOMAIN}/ns/default/${appId}${further[appId] ?? ''}`;
  const validity = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + DAY_MS };
  const root = await signCertificate({
    ...validity,
    kind: 'root',
    name: 'root',
    uri: `spiffe://${DOMAIN}`,
  });
  const uri = 'spiffe://localhost/ns/default/dapr-sentry';
  const own = await signCertificate({
    ...validity,
    kind: 'workload',
    name: 'sentry',
    uri,
    by: root,
  });
  const server = http2.createSecureServer({ cert: own.certificate, key: own.key });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      answer(stream, String(headers[':path']), Buffer.concat(chunks), root, validity, idOf).catch(
        (error: unknown) => stream.destroy(error as Error),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    anchors: root.certificate,
    issue: (appId) =>
      signCertificate({
        ...validity,
        kind: 'workload',
        name: appId,
        uri: idOf(appId),
        by: root,
      }),
    async stop() {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Validity = { readonly notBeforeMs: number; readonly notAfterMs: number };

async function answer(
  stream: http2.ServerHttp2Stream,
  path: string,
  framed: Buffer,
  root: Signed,
  validity: Validity,
  idOf: (appId: string) => string,
): Promise<void> {
  if (path !== SIGN) throw new Error(`nobody answers ${path} here`);
  // gRPC's frame: a flag and the length, five bytes.
  const asked = fieldsOf(framed.subarray(5));
  const appId = asked.get(1)?.toString() ?? '';
  const request = asked.get(5)?.toString() ?? '';
  const certificate = await signRequest(request, appId, idOf(appId), root, validity);
  const message = Buffer.concat([
    field(1, Buffer.from(certificate)),
    field(3, Buffer.concat([Buffer.from([8]), varint(Math.floor(validity.notAfterMs / 1000))])),
  ]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([head, message]));
}

/** A certificate for the key of a request, whatever else it asks for. */
async function signRequest(
  pem: string,
  appId: string,
  id: string,
  root: Signed,
  { notBeforeMs, notAfterMs }: Validity,
): Promise<string> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const { publicKey } = new x509.Pkcs10CertificateRequest(pem);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const der = createPrivateKey(root.key).export({ format: 'der', type: 'pkcs8' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [appId] }],
    issuer: new x509.X509Certificate(root.certificate).subjectName,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: id }]),
    ],
  });
  return certificate.toString('pem');
}

/** Fields of a protobuf message that are texts or bytes; numbers are read over. */
function fieldsOf(message: Buffer): ReadonlyMap<number, Buffer> {
  const fields = new Map<number, Buffer>();
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at]!;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const value = next();
    if ((tag & 7) !== 2) continue;
    fields.set(tag >> 3, message.subarray(at, at + value));
    at += value;
  }
  return fields;
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
