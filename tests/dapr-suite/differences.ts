/** Cases that fail with our sidecar, and why: on purpose, or not yet. */
export const DIFFERENCES: Readonly<Record<string, string>> = {};
