declare module 'autocannon' {
  interface Result {
    readonly errors: number;
    readonly non2xx: number;
    readonly statusCodeStats?: Readonly<Record<string, { readonly count: number }>>;
    readonly requests: { readonly total: number; readonly average: number };
    readonly latency: { readonly p50: number; readonly p99: number };
  }
  export default function autocannon(options: {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly method?: 'POST';
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }): Promise<Result>;
}
