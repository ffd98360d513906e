/** What a client of the query API asks for: `POST /v1.0-alpha1/state/STORE/query`. */
export interface StateQuery {
  /** Absent: every item. */
  readonly filter: Filter | undefined;
  readonly sort: readonly SortBy[];
  /** Items at most. 0: all of them. */
  readonly limit: number;
  /** The `token` of the page before, as it was written; empty: from the beginning. */
  readonly token: string;
  /** What the request says beside it: for the stores of other programs. @default none */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** `path` leads into the value: `person.org` is the `org` of its `person`. */
export type Filter =
  | {
      readonly kind: 'compare';
      readonly how: Comparison;
      readonly path: string;
      readonly with: unknown;
    }
  | { readonly kind: 'in'; readonly path: string; readonly values: readonly unknown[] }
  | { readonly kind: 'all' | 'any'; readonly filters: readonly Filter[] };

export type Comparison = 'EQ' | 'NEQ' | 'GT' | 'GTE' | 'LT' | 'LTE';

export interface SortBy {
  readonly path: string;
  readonly descending: boolean;
}

/** Items that were found, in order. */
export interface QueryPage {
  readonly items: readonly QueriedItem[];
  /** Where the next page begins; absent where the query had no limit. */
  readonly token?: string;
  /** What the store says beside them. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export type QueriedItem = { readonly key: string } & (
  | { readonly value: string | Buffer; readonly etag: string }
  /** It was found, and cannot be told. */
  | { readonly error: string }
);
