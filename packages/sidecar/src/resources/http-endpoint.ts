import { at, isRecord, type Resource } from './resource-files.ts';

/** An `HTTPEndpoint` resource: a name for an address outside, and what is sent along. */
export interface HttpEndpoint {
  readonly name: string;
  readonly baseUrl: string;
  /** `name, value, …`, names in lower case. */
  readonly headers: readonly string[];
}

/** Reads an endpoint, or says what is wrong with it. `env` resolves `envRef`. */
export function httpEndpoint(
  { document }: Resource,
  env: Readonly<Record<string, string | undefined>>,
): HttpEndpoint | string {
  const name = at(document, 'metadata', 'name');
  const baseUrl = at(document, 'spec', 'baseUrl');
  if (typeof name !== 'string' || name === '') return 'metadata.name is missing';
  if (typeof baseUrl !== 'string' || !/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl)) {
    return 'spec.baseUrl must be an http or https URL';
  }
  const headers: string[] = [];
  const given = at(document, 'spec', 'headers');
  for (const header of Array.isArray(given) ? given : []) {
    if (!isRecord(header) || typeof header.name !== 'string') return 'spec.headers needs names';
    if (header.secretKeyRef !== undefined)
      return 'spec.headers.secretKeyRef is not in this version';
    const value = typeof header.envRef === 'string' ? env[header.envRef] : header.value;
    if (value === undefined) return `spec.headers: ${header.name} has no value`;
    headers.push(header.name.toLowerCase(), String(value));
  }
  return { name, baseUrl, headers };
}
