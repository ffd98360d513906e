/** The flags of Node for a sidecar, but for those that `given` (and NODE_OPTIONS) has another value for. */
export function sidecarNodeFlags(
  given?: readonly string[],
  nodeOptions?: string,
  v8?: string,
): readonly string[];

/** `env` for a sidecar. Who has chosen an allocator's settings keeps them. */
export function sidecarEnv(
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>>;

/** Takes out of `env` what `sidecarEnv` has put there. */
export function forgetSidecarEnv(env: Record<string, string | undefined>): void;
