import type { buildConnector, Dispatcher, Pool } from 'undici';
import { undiciPool } from '../flow/undici-pool.ts';
import { proxyConnector, signIn, tunnelConnector } from './tunnel-connector.ts';

/** Connections to one address outside. */
export interface EgressPool {
  dispatch(request: EgressRequest, handler: Dispatcher.DispatchHandler): void;
  /** Ends all connections; requests under way fail. */
  destroy(): Promise<void>;
}

export interface EgressRequest extends Omit<Dispatcher.DispatchOptions, 'headers'> {
  /** `name, value, …` */
  readonly headers: string[];
}

export interface EgressPoolOptions extends Omit<Pool.Options, 'connect'> {
  readonly connect?: buildConnector.BuildOptions;
}

/**
 * A pool to `origin`: straight, or through `proxy`, which carries what is encrypted without seeing it
 * and is asked for all else by its whole address, as Go's clients do.
 */
export function egressPool(
  origin: string,
  { connect = {}, ...options }: EgressPoolOptions,
  proxy: URL | undefined,
): EgressPool {
  const Pool = undiciPool();
  if (proxy === undefined) return new Pool(origin, { ...options, connect });
  if (origin.startsWith('https:')) {
    return new Pool(origin, { ...options, connect: tunnelConnector(proxy, connect) });
  }
  const pool = new Pool(origin, { ...options, connect: proxyConnector(proxy, connect) });
  const authorization = signIn(proxy);
  const own = authorization === undefined ? [] : ['proxy-authorization', authorization];
  return {
    dispatch(request, handler) {
      const path = `${origin}${request.path}`;
      pool.dispatch({ ...request, path, headers: [...request.headers, ...own] }, handler);
    },
    destroy: () => pool.destroy(),
  };
}
