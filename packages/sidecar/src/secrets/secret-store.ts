/** Values under one secret's name; a store of single values has them under the name itself. */
export type Secret = Readonly<Record<string, string>>;

/** What a request says to a store, such as which version of a secret is wanted; for the stores of other programs. */
export type SecretMetadata = Readonly<Record<string, string>>;

/** Where secrets are kept; `signal` as a state store's. */
export interface SecretStore {
  /** As the metadata names them. @default none */
  readonly capabilities?: readonly string[];
  /** @throws Error where there is no such secret. */
  get(name: string, signal?: AbortSignal, metadata?: SecretMetadata): Promise<Secret>;
  all(signal?: AbortSignal, metadata?: SecretMetadata): Promise<Readonly<Record<string, Secret>>>;
  /** Of one that has a connection. */
  close?(): void;
}
