import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { Logger } from '@holdfast/telemetry/log';
import { lookUp, type ValueSources } from '../components/look-up.ts';
import type { UpstreamTls } from '../flow/http-upstream.ts';
import type { HttpEndpointSpec, TlsPart } from './http-endpoint.ts';

/** A name for an address outside, and what is sent along. */
export interface HttpEndpoint {
  readonly name: string;
  readonly baseUrl: string;
  /** `name, value, …`, names in lower case. */
  readonly headers: readonly string[];
  /** Where it differs from what Node does by itself. */
  readonly tls?: EndpointTls;
}

/** `identity` tells one apart from another: connections are shared where it is the same. */
export interface EndpointTls {
  readonly identity: string;
  readonly options: UpstreamTls;
}

/**
 * Endpoints with their values looked up. One whose values cannot be had stays as
 * it is among `before`, or is left out, with a line in the log: without its
 * headers it would be another request.
 */
export async function openEndpoints(
  specs: readonly HttpEndpointSpec[],
  before: readonly HttpEndpoint[],
  sources: Omit<ValueSources, 'secretStore' | 'warn'>,
  log: Logger,
): Promise<readonly HttpEndpoint[]> {
  const endpoints: HttpEndpoint[] = [];
  for (const spec of specs) {
    try {
      const warn = (message: string): void => log.warn(`${spec.place}: ${message}`);
      endpoints.push(await openEndpoint(spec, { ...sources, warn }));
    } catch (error) {
      const kept = before.find(({ name }) => name === spec.name);
      const what = kept === undefined ? 'is left out' : 'stays as it was';
      log.error(`${spec.place}: HTTPEndpoint ${spec.name} ${what}: ${(error as Error).message}`);
      if (kept !== undefined) endpoints.push(kept);
    }
  }
  return endpoints;
}

async function openEndpoint(
  { baseUrl, headers, name, secretStore, tls }: HttpEndpointSpec,
  sources: Omit<ValueSources, 'secretStore'>,
): Promise<HttpEndpoint> {
  const from = { ...sources, secretStore };
  const pairs: string[] = [];
  for (const header of headers) {
    const value = await lookUp(`spec.headers ${header.name}`, header.value, from);
    if (value === '' && header.value.kind === 'variable') {
      throw new Error(`spec.headers ${header.name}: ${header.value.variable} is not set`);
    }
    pairs.push(header.name, value);
  }
  if (tls.length === 0) return { name, baseUrl, headers: pairs };
  const pem: Partial<Record<TlsPart, string>> = {};
  for (const part of tls) {
    const value = await lookUp(`spec.clientTLS.${part.name}`, part.value, from);
    checkPem(part.name, value);
    pem[part.name] = value;
  }
  const { certificate: cert, privateKey: key, rootCA: ca } = pem;
  const identity = createHash('sha256')
    .update(JSON.stringify([ca, cert, key]))
    .digest('hex');
  const options = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return { name, baseUrl, headers: pairs, tls: { identity, options } };
}

/** A certificate that is none shows at the first call otherwise, as a failure of the other side. */
function checkPem(part: TlsPart, pem: string): void {
  try {
    if (part === 'privateKey') createPrivateKey(pem);
    else new X509Certificate(pem);
  } catch (error) {
    throw new Error(
      `spec.clientTLS.${part} is no PEM that can be read (${(error as Error).message})`,
    );
  }
}
