/** What `holdfastd` tells the supervisor that started it, over their channel. */
export type SidecarMessage =
  /** It listens, and its API answers. */
  | {
      readonly type: 'ready';
      readonly ports: {
        readonly http: number;
        readonly internal: number;
        readonly metrics?: number;
      };
    }
  /** It cannot start; it ends after saying so. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string };
