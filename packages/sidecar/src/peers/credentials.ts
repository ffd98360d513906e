import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { MtlsOptions } from './mtls-options.ts';
import { formatSpiffeId, parseSpiffeId, type SpiffeId, uriOf } from './spiffe-id.ts';

/** Certificates that cannot be used, and what to do about it. */
export class MtlsError extends Error {
  readonly code = 'MTLS';

  constructor(message: string) {
    super(message);
    this.name = 'MtlsError';
  }
}

/** What was read: PEM texts, to tell whether anything has changed. */
export interface CredentialTexts {
  readonly trustAnchors: string;
  readonly certChain: string;
  readonly certKey: string;
}

/** Checked, and ready for TLS. */
export interface Credentials {
  readonly texts: CredentialTexts;
  readonly id: SpiffeId;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly context: SecureContext;
}

const LONGEST_PEM = 1024 * 1024;
const MOST_CERTIFICATES = 100;

/** Each with what says where it is. */
const ANCHORS = 'The trust anchors (--trust-anchors-file or DAPR_TRUST_ANCHORS)';
const CHAIN = 'The certificate chain (--cert-chain-file or DAPR_CERT_CHAIN)';
const KEY = 'The private key (--cert-key-file or DAPR_CERT_KEY)';

export async function readCredentialTexts(options: MtlsOptions): Promise<CredentialTexts> {
  const read = async (
    text: string | undefined,
    file: string | undefined,
    what: string,
  ): Promise<string> => {
    if (text !== undefined) return text;
    try {
      return await readFile(file!, 'utf8');
    } catch (error) {
      throw new MtlsError(`${what} cannot be read from ${file}: ${(error as Error).message}`);
    }
  };
  return {
    trustAnchors: await read(options.trustAnchors, options.trustAnchorsFile, ANCHORS),
    certChain: await read(options.certChain, options.certChainFile, CHAIN),
    certKey: await read(options.certKey, options.certKeyFile, KEY),
  };
}

/** @throws MtlsError unless the certificate is ours, good at `nowMs`, and leads to an anchor. */
export function checkCredentials(texts: CredentialTexts, who: Who, nowMs: number): Credentials {
  const anchors = certificates(ANCHORS, texts.trustAnchors);
  const chain = certificates(CHAIN, texts.certChain);
  const own = chain[0]!;
  const uri = uriOf(own.subjectAltName);
  const id = idOf(own);
  if (id === undefined || !isOf(who, own)) throw new MtlsError(notOurs(chain, who));
  if (!own.checkPrivateKey(privateKey(texts.certKey))) {
    throw new MtlsError(
      `The private key does not belong to the certificate of ${uri}; were both files renewed?`,
    );
  }
  const notBeforeMs = own.validFromDate.getTime();
  const notAfterMs = own.validToDate.getTime();
  if (nowMs >= notAfterMs || nowMs < notBeforeMs) {
    throw new MtlsError(
      `The certificate of ${uri} is good from ${own.validFromDate.toISOString()} to ${own.validToDate.toISOString()}, and it is ${new Date(nowMs).toISOString()}; \`holdfast ca renew ${who.appId}\` makes another.`,
    );
  }
  if (!leadsTo(chain, anchors)) {
    throw new MtlsError(
      `The certificate of ${uri} does not lead to a trust anchor; is the chain complete, and from the same authority?`,
    );
  }
  const context = createSecureContext({
    ca: anchors.map((anchor) => anchor.toString()),
    cert: texts.certChain,
    key: texts.certKey,
    minVersion: 'TLSv1.3',
  });
  return { texts, id, notBeforeMs, notAfterMs, context };
}

interface Who {
  readonly appId: string;
  readonly namespace: string;
}

function idOf({ subjectAltName }: X509Certificate): SpiffeId | undefined {
  const uri = uriOf(subjectAltName);
  return uri === undefined ? undefined : parseSpiffeId(uri);
}

function isOf(who: Who, certificate: X509Certificate): boolean {
  const id = idOf(certificate);
  return id?.appId === who.appId && id.namespace === who.namespace;
}

/** Why a chain does not begin with the certificate of this sidecar. */
function notOurs(chain: readonly X509Certificate[], who: Who): string {
  const [first] = chain as readonly [X509Certificate];
  const trustDomain = idOf(first)?.trustDomain ?? 'public';
  const wanted = formatSpiffeId({ ...who, trustDomain });
  const remedy = `\`holdfast ca issue ${who.appId} --namespace ${who.namespace}\` makes one`;
  const at = chain.findIndex((one) => isOf(who, one));
  if (at > 0) {
    return `The certificate of this sidecar is number ${at + 1} of the certificate chain (--cert-chain-file) and must be the first, with those of its signers behind it.`;
  }
  if (chain.every((one) => one.ca)) {
    const subject = first.subject.replaceAll('\n', ', ');
    return `The certificate chain (--cert-chain-file) has only certificates of authorities (the first is of ${subject}) and lacks this sidecar's own, of ${wanted}, which must come first; ${remedy}, with its signer behind it.`;
  }
  const uri = uriOf(first.subjectAltName) ?? 'nobody (it has no SPIFFE id)';
  return `The certificate is of ${uri}, but this sidecar is ${wanted}; ${remedy}.`;
}

function certificates(what: string, pem: string): X509Certificate[] {
  if (pem.length > LONGEST_PEM)
    throw new MtlsError(`${what} must be at most ${LONGEST_PEM} bytes.`);
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0 || found.length > MOST_CERTIFICATES) {
    throw new MtlsError(
      `${what} must be 1 to ${MOST_CERTIFICATES} certificates in PEM, not ${found.length}.`,
    );
  }
  try {
    return found.map((text) => new X509Certificate(text));
  } catch (error) {
    throw new MtlsError(`${what} cannot be read: ${(error as Error).message}`);
  }
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new MtlsError(`${KEY} cannot be read: ${(error as Error).message}`);
  }
}

/** Each signed by the next, the last by an anchor; TLS checks dates and purposes again. */
function leadsTo(chain: readonly X509Certificate[], anchors: readonly X509Certificate[]): boolean {
  return chain.every((certificate, at) => {
    const above = chain[at + 1];
    const signers = above === undefined ? anchors : [above, ...anchors];
    return signers.some((signer) => certificate.verify(signer.publicKey));
  });
}
