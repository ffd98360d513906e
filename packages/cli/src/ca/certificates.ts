import { createPrivateKey, webcrypto } from 'node:crypto';

/** A certificate and its private key, as PEM. */
export interface Signed {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly kind: 'root' | 'issuer' | 'workload';
  /** The subject's common name: for people; nothing is decided by it. */
  readonly name: string;
  /** The SPIFFE id, or of an authority its trust domain as `spiffe://domain`. */
  readonly uri: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Who signs; a root signs itself. */
  readonly by?: Signed;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Authorities below an authority: an issuer below the root, none below an issuer. */
const DEPTH = { root: 1, issuer: 0 } as const;

/** Makes a new ECDSA P-256 key and a certificate for it. */
export async function signCertificate(request: CertificateRequest): Promise<Signed> {
  const x509 = await loadX509();
  const { subtle } = webcrypto;
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const { by, kind, uri } = request;
  const issuer = by === undefined ? undefined : new x509.X509Certificate(by.certificate);
  const issuerKey = issuer === undefined ? keys.publicKey : issuer.publicKey;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [request.name] }],
    issuer: issuer?.subjectName ?? [{ CN: [request.name] }],
    notBefore: new Date(request.notBeforeMs),
    notAfter: new Date(request.notAfterMs),
    publicKey: keys.publicKey,
    signingKey: by === undefined ? keys.privateKey : await importKey(by.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      kind === 'workload'
        ? new x509.BasicConstraintsExtension(false, undefined, true)
        : new x509.BasicConstraintsExtension(true, DEPTH[kind], true),
      new x509.KeyUsagesExtension(
        kind === 'workload'
          ? x509.KeyUsageFlags.digitalSignature
          : x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      // A sidecar is called and calls with one certificate.
      ...(kind === 'workload'
        ? [
            new x509.ExtendedKeyUsageExtension([
              x509.ExtendedKeyUsage.serverAuth,
              x509.ExtendedKeyUsage.clientAuth,
            ]),
          ]
        : []),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: uri }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
    ],
  });
  const pkcs8 = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g)!.join('\n');
  return {
    certificate: `${certificate.toString('pem').trim()}\n`,
    key: `-----BEGIN ${KEY_LABEL}-----\n${lines}\n-----END ${KEY_LABEL}-----\n`,
  };
}

const KEY_LABEL = 'PRIVATE KEY';

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

/** 4 MB and 90 ms that only who makes certificates pays. Its container needs the polyfill first. */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}
