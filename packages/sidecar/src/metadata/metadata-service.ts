import { ApiError } from '../server/api-error.ts';
import { DAPR_VERSION, type MetadataSources } from './metadata.ts';

/** Keys a client may add; beyond, the newest is refused. */
const MAX_EXTENDED = 1_000;

export interface MetadataSnapshot extends MetadataSources {
  readonly version: string;
  /** What clients have added, and the version that Dapr puts there. */
  readonly extended: Readonly<Record<string, string>>;
}

/** What the sidecar says of itself, whatever the protocol. */
export class MetadataService {
  readonly #sources: () => MetadataSources;
  readonly #extended = new Map<string, string>();

  constructor(sources: () => MetadataSources) {
    this.#sources = sources;
  }

  snapshot(): MetadataSnapshot {
    return {
      ...this.#sources(),
      version: DAPR_VERSION,
      // Last: a client may set the key, and is overlooked.
      extended: { ...Object.fromEntries(this.#extended), daprRuntimeVersion: DAPR_VERSION },
    };
  }

  /** @throws ApiError where there are too many keys already. */
  set(key: string, value: string): void {
    this.mayHold(key);
    this.#extended.set(key, value);
  }

  /** Before a body is read for it. @throws ApiError as `set`. */
  mayHold(key: string): void {
    if (this.#extended.has(key) || this.#extended.size < MAX_EXTENDED) return;
    const message = `metadata holds ${MAX_EXTENDED} keys already`;
    throw new ApiError(400, 'ERR_MALFORMED_REQUEST', message);
  }
}
