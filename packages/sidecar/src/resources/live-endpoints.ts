import type { Logger } from '@holdfast/telemetry/log';
import type { ValueSources } from '../components/look-up.ts';
import type { HttpEndpointSpec } from './http-endpoint.ts';
import { type HttpEndpoint, openEndpoints } from './open-endpoints.ts';

export interface LiveEndpointsOptions {
  readonly values: Omit<ValueSources, 'secretStore' | 'warn'>;
  /** Told which are in force from now on. */
  readonly inForce: (endpoints: readonly HttpEndpoint[]) => void;
  readonly log: Logger;
}

/** The HTTPEndpoints of the files, with their values looked up. */
export class LiveEndpoints {
  readonly #options: LiveEndpointsOptions;
  #now: readonly HttpEndpoint[] = [];

  constructor(options: LiveEndpointsOptions) {
    this.#options = options;
  }

  get now(): readonly HttpEndpoint[] {
    return this.#now;
  }

  /** The files may say something else; what cannot be had of it stays as it was. */
  async follow(specs: readonly HttpEndpointSpec[]): Promise<void> {
    const { inForce, log, values } = this.#options;
    this.#now = await openEndpoints(specs, this.#now, values, log);
    inForce(this.#now);
  }
}
