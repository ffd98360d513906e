/** Where this sidecar can be reached by others. */
export interface Registration {
  readonly appId: string;
  readonly namespace: string;
  readonly host: string;
  readonly port: number;
}

/** Finds the sidecar of an app, and lets others find ours. */
export interface NameResolver {
  /** Makes this sidecar findable, until `close`. */
  register(registration: Registration): Promise<void>;
  /** `host:port` of every sidecar of the app that is thought alive; empty if there is none. */
  resolve(appId: string, namespace: string): Promise<readonly string[]> | readonly string[];
  /** A call found nobody at `address`: what is remembered of it may be forgotten. */
  unreachable(appId: string, address: string): void;
  /** What daprd says when there is none; part of what clients see. */
  notFound(appId: string): string;
  /** Takes the registration back; what is left are no timers, sockets or rows. */
  close(): Promise<void>;
}
