import { webcrypto } from 'node:crypto';
import 'reflect-metadata';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface OwnAuthority {
  /** Its certificate, as PEM. */
  readonly certificate: string;
  /** A certificate for a server or client of this name, and its key, as PEM. */
  issue(host: string): Promise<{ readonly certificate: string; readonly key: string }>;
}

/** An authority that nobody knows: what it issues is good for an hour, for those who were given its certificate. */
export async function ownAuthority(): Promise<OwnAuthority> {
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  const dates = {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: ALGORITHM,
  };
  const makeKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const own = await makeKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...dates,
    serialNumber: '01',
    name: 'CN=an authority',
    keys: own,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  let serial = 1;
  return {
    certificate: root.toString('pem'),
    async issue(host) {
      const keys = await makeKeys();
      serial += 1;
      const certificate = await x509.X509CertificateGenerator.create({
        ...dates,
        serialNumber: serial.toString(16).padStart(2, '0'),
        subject: `CN=${host}`,
        issuer: root.subject,
        publicKey: keys.publicKey,
        signingKey: own.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
        ],
      });
      const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
      return {
        certificate: certificate.toString('pem'),
        key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
      };
    },
  };
}
