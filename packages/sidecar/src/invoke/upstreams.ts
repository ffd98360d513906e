import type { Clock } from '@holdfast/core';
import type { AppChannel } from '../app/app-channel.ts';
import { type ProxyOf, WITHOUT_PROXY } from '../egress/proxy-of.ts';
import type { Upstream } from '../flow/answer.ts';
import { HttpUpstream } from '../flow/http-upstream.ts';
import { PlainUpstream } from '../flow/plain-upstream.ts';
import { unescaped } from '../flow/unescaped.ts';
import type { AddressBook } from '../names/address-book.ts';
import type { PeerTransport } from '../peers/peer-transport.ts';
import { Recent } from '../policies/recent.ts';
import type { EndpointTls, HttpEndpoint } from '../resources/open-endpoints.ts';
import { type CountOutside, Outside } from './outside.ts';
import { isUrl, splitAppId } from './target.ts';

/** Where a call goes, once its target is known. */
export type Destination =
  /** Our own application: not over the network of sidecars. */
  | { readonly kind: 'self'; readonly upstream: Upstream }
  /** An address outside, with headers of its own. */
  | {
      readonly kind: 'outside';
      readonly upstream: Upstream;
      readonly basePath: string;
      /** They stand in place of the client's. */
      readonly headers: readonly string[];
      /** `Authorization` by the URL, where neither the client nor `headers` have one. */
      readonly authorization: string | undefined;
      /** An HTTPEndpoint has one circuit, whatever is called there; other targets one per method. */
      readonly oneCircuit: boolean;
    }
  | { readonly kind: 'peer'; readonly appId: string; readonly namespace: string }
  | { readonly kind: 'refused'; readonly why: string };

export interface UpstreamsOptions {
  readonly appId: string;
  readonly namespace: string;
  readonly app: AppChannel;
  readonly peers: PeerTransport;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  readonly metrics: CountOutside;
  /** @default none */
  readonly proxyOf?: ProxyOf;
}

type OutsideConnections = PlainUpstream | HttpUpstream;

/** Addresses outside with kept connections at a time. */
const MAX_OUTSIDE = 100;

/** Everything calls can be sent to. */
export class Upstreams {
  readonly #options: UpstreamsOptions;
  #endpoints: ReadonlyMap<string, HttpEndpoint> = new Map();
  #wrap: (upstream: Upstream) => Upstream = (upstream) => upstream;
  readonly #closing = new Set<Promise<void>>();
  readonly #outside = new Recent<OutsideConnections>(MAX_OUTSIDE, (gone) => {
    const closed = gone.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  });

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  /** HTTPEndpoint resources by name. */
  set endpoints(endpoints: readonly HttpEndpoint[]) {
    this.#endpoints = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
  }

  /** Puts something in the way of all calls to addresses outside. */
  through(wrap: (upstream: Upstream) => Upstream): void {
    this.#wrap = wrap;
  }

  find(id: string): Destination {
    const { appId, namespace, app } = this.#options;
    if (id === appId) return this.#self(app);
    if (isUrl(id)) return this.#toOutside(id, id, []);
    const named = this.#endpoints.get(id);
    if (named !== undefined) return this.#toEndpoint(named);
    const address = splitAppId(id, namespace);
    if ('refused' in address) return { kind: 'refused', why: address.refused };
    // Endpoints have no namespace; one that is given is overlooked, as in Dapr.
    const endpoint = this.#endpoints.get(address.appId);
    if (endpoint !== undefined) return this.#toEndpoint(endpoint);
    if (address.appId === appId && address.namespace === namespace) return this.#self(app);
    return { kind: 'peer', ...address };
  }

  /** The sidecar of `appId`, at once where its address is known. */
  peer(appId: string, namespace: string): PeerAt | Promise<PeerAt> {
    const { addresses, peers } = this.#options;
    const found = addresses.find(appId, namespace);
    const expected = { appId, namespace };
    return typeof found === 'string'
      ? { address: found, upstream: peers.to(found, expected) }
      : found.then((address) => ({ address, upstream: peers.to(address, expected) }));
  }

  /** A peer could not be reached: its address is looked up again. */
  unreachable(appId: string, namespace: string, address: string): void {
    this.#options.addresses.suspect(appId, namespace, address);
    this.#options.peers.drop(address);
  }

  async close(): Promise<void> {
    this.#outside.clear();
    await Promise.all(this.#closing);
  }

  #self(app: AppChannel): Destination {
    return app.initialized
      ? { kind: 'self', upstream: app }
      : { kind: 'refused', why: 'cannot invoke local endpoint: app channel not initialized' };
  }

  #toEndpoint({ name, baseUrl, headers, tls }: HttpEndpoint): Destination {
    const destination = this.#toOutside(name, baseUrl, headers, tls);
    return destination.kind === 'outside' ? { ...destination, oneCircuit: true } : destination;
  }

  /** @throws Error for a proxy that is none. */
  #connect(url: URL, tls: EndpointTls | undefined): OutsideConnections {
    const { clock, proxyOf = WITHOUT_PROXY } = this.#options;
    const trust = tls === undefined ? {} : { tls: tls.options };
    const proxy = proxyOf(url);
    if (proxy === undefined) return new PlainUpstream(url.origin, clock, trust);
    return new HttpUpstream(url.origin, trust, proxy);
  }

  #toOutside(
    id: string,
    baseUrl: string,
    headers: readonly string[],
    tls?: EndpointTls,
  ): Destination {
    let url: URL;
    try {
      url = new URL(baseUrl);
    } catch {
      return { kind: 'refused', why: `invalid URL ${baseUrl}` };
    }
    const key = tls === undefined ? url.origin : `${url.origin} ${tls.identity}`;
    let upstream = this.#outside.get(key);
    if (upstream === undefined) {
      try {
        upstream = this.#connect(url, tls);
      } catch (error) {
        return { kind: 'refused', why: (error as Error).message };
      }
      this.#outside.set(key, upstream);
    }
    const basePath = url.pathname.replace(/\/+$/, '');
    const authorization = basicAuthorization(url);
    const { clock, metrics } = this.#options;
    const outside = new Outside(this.#wrap(upstream), {
      // What `user:password@` says is nobody's business.
      id: authorization === undefined ? id : url.origin + basePath,
      origin: url.origin,
      basePath,
      clock,
      metrics,
    });
    return {
      kind: 'outside',
      upstream: outside,
      basePath,
      headers,
      authorization,
      oneCircuit: false,
    };
  }
}

/** What `user:password@` in a URL asks for. */
function basicAuthorization({ password, username }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const text = Buffer.from(`${unescaped(username)}:${unescaped(password)}`);
  return `Basic ${text.toString('base64')}`;
}

export interface PeerAt {
  readonly address: string;
  readonly upstream: Upstream;
}
