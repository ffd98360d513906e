/** Who a workload is: `spiffe://{trustDomain}/ns/{namespace}/{appId}`, as Dapr names its own. */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly appId: string;
  /** What its authority has put behind that, `/unit/7`: shown, and decides nothing, as in Dapr. */
  readonly further?: string;
}

/** SPIFFE's letters; anything else could be read in two ways. */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const SEGMENT = /^[A-Za-z0-9._-]{1,255}$/;
const LONGEST_ID = 2_048;

/** @throws RangeError for a part that no SPIFFE id can hold. */
export function formatSpiffeId({ trustDomain, namespace, appId, further = '' }: SpiffeId): string {
  part('trust domain', trustDomain, TRUST_DOMAIN, 'lower-case letters');
  part('namespace', namespace, SEGMENT, 'letters');
  part('app id', appId, SEGMENT, 'letters');
  return `spiffe://${trustDomain}/ns/${namespace}/${appId}${further}`;
}

/** Undefined for what is no id of a workload. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > LONGEST_ID) return undefined;
  const match = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/([^/]+)((?:\/[^/]+)*)$/.exec(text);
  if (match === null) return undefined;
  const [, trustDomain = '', namespace = '', appId = '', further = ''] = match;
  const segments = [namespace, appId, ...further.split('/').slice(1)];
  if (!TRUST_DOMAIN.test(trustDomain) || !segments.every(isSegment)) return undefined;
  return { trustDomain, namespace, appId, ...(further === '' ? {} : { further }) };
}

/**
 * The URI among a certificate's alternative names, in Node's writing of them.
 * SPIFFE allows exactly one: of two, nobody could say which is meant.
 */
export function uriOf(subjectAltName: string | undefined): string | undefined {
  if (subjectAltName === undefined) return undefined;
  const uris = subjectAltName.split(', ').filter((name) => name.startsWith('URI:'));
  return uris.length === 1 ? uris[0]!.slice('URI:'.length) : undefined;
}

function isSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== '.' && text !== '..';
}

function part(name: string, value: string, rule: RegExp, letters: string): void {
  if (rule.test(value) && value !== '.' && value !== '..') return;
  throw new RangeError(
    `The ${name} of a SPIFFE id must be ${letters}, digits, ".", "_" and "-", not "${value}".`,
  );
}
