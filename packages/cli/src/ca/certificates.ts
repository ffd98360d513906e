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
  const signer = by === undefined ? undefined : await signerOf(by.key);
  const issuer = by === undefined ? undefined : new x509.X509Certificate(by.certificate);
  const issuerKey = issuer === undefined ? keys.publicKey : issuer.publicKey;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [request.name] }],
    issuer: issuer?.subjectName ?? [{ CN: [request.name] }],
    notBefore: new Date(request.notBeforeMs),
    notAfter: new Date(request.notAfterMs),
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    signingAlgorithm: signer?.algorithm ?? ALGORITHM,
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

/** Keys of other authorities sign as well: Dapr's are Ed25519 from 1.18 on, and were ECDSA before. */
async function signerOf(
  pem: string,
): Promise<{ readonly key: webcrypto.CryptoKey; readonly algorithm: typeof ALGORITHM }> {
  const key = createPrivateKey(pem);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const algorithm =
    type === 'ed25519'
      ? { name: 'Ed25519' }
      : type === 'rsa'
        ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
        : details?.namedCurve === 'secp384r1'
          ? { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }
          : ALGORITHM;
  const der = key.export({ format: 'der', type: 'pkcs8' });
  return {
    key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
    // The types want a name and a hash of all of them; Ed25519 has no hash to choose.
    algorithm: algorithm as typeof ALGORITHM,
  };
}

/** 4 MB and 90 ms that only who makes certificates pays. Its container needs the polyfill first. */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  // CommonJS: its names are on `default` alone, once it is bundled.
  const { default: x509 } = await import('@peculiar/x509');
  return x509;
}
