/** Values under one secret's name; a store of single values has them under the name itself. */
export type Secret = Readonly<Record<string, string>>;

/** Where secrets are kept. */
export interface SecretStore {
  /** @throws Error where there is no such secret. */
  get(name: string): Promise<Secret>;
  all(): Promise<Readonly<Record<string, Secret>>>;
}
