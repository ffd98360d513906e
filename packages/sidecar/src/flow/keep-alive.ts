/**
 * After so long without a word the system asks whether the other side of a kept connection is still there, as
 * that of Dapr's drivers does. Its own default is two hours: long after what stands between has forgotten
 * the connection, without telling either side.
 */
export const KEEP_ALIVE_MS = 15_000;
