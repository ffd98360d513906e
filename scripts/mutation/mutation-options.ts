/** What our plugins are told, under `holdfast` among Stryker's options. */
export interface MutationOptions {
  readonly folders: readonly string[];
  /** The part of all mutants that is run (0 … 1). */
  readonly share: number;
  /** Says which part. */
  readonly seed: number;
  /** The places of those that are run, and no other: the survivors of the run before. */
  readonly again?: readonly string[] | undefined;
}
