import { type GivenValue, givenValue, secretStoreOf } from '../components/component-spec.ts';
import { at, isRecord, type Resource } from './resource-files.ts';
import { NAME_RULE, resourceName, scalarText } from './resource-name.ts';

/** An `HTTPEndpoint` as written; its values may still have to be looked up. */
export interface HttpEndpointSpec {
  readonly place: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly secretStore: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: GivenValue }[];
  readonly tls: readonly { readonly name: TlsPart; readonly value: GivenValue }[];
}

/** What TLS with an endpoint may be given, as PEM. */
export type TlsPart = (typeof TLS_PARTS)[number];

const TLS_PARTS = ['rootCA', 'certificate', 'privateKey'] as const;

/** Reads an endpoint, or says what is wrong with it. */
export function httpEndpoint({ document, file, line }: Resource): HttpEndpointSpec | string {
  const name = resourceName(document);
  const baseUrl = at(document, 'spec', 'baseUrl');
  if (name === undefined || name === '') return NAME_RULE;
  if (typeof baseUrl !== 'string' || !/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl)) {
    return 'spec.baseUrl must be an http or https URL';
  }
  const headers: { name: string; value: GivenValue }[] = [];
  const given = at(document, 'spec', 'headers');
  for (const header of Array.isArray(given) ? given : []) {
    const called = scalarText(at(header, 'name'));
    if (called === undefined || called === '') return 'spec.headers needs names';
    const [value, secret] = [at(header, 'value'), at(header, 'secretKeyRef')];
    if (value === undefined && secret === undefined && !at(header, 'envRef')) {
      return `spec.headers: ${called} has no value`;
    }
    headers.push({ name: called.toLowerCase(), value: givenValue(header) });
  }
  const tls = TLS_PARTS.flatMap((part) => {
    const pem = at(document, 'spec', 'clientTLS', part);
    return isRecord(pem) ? [{ name: part, value: givenValue(pem) }] : [];
  });
  const has = (part: TlsPart) => tls.some((one) => one.name === part);
  if (has('certificate') !== has('privateKey')) {
    return 'spec.clientTLS needs certificate and privateKey, or neither';
  }
  if (tls.length > 0 && !baseUrl.startsWith('https:')) {
    return 'spec.clientTLS is for an https URL, and spec.baseUrl is none';
  }
  return {
    place: `${file}:${line}`,
    name,
    baseUrl,
    secretStore: secretStoreOf(document),
    headers,
    tls,
  };
}
