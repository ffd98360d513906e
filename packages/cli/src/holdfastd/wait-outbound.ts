import type { Clock } from '@holdfast/core';
import { untilReady } from '../supervisor/process/readiness.ts';

const LIMIT_MS = 60_000;

/** `--wait`: whether the sidecar on a port of this machine can call out, within a minute. */
export function waitOutbound(port: number, clock: Clock): Promise<boolean> {
  const http = `http://127.0.0.1:${port}/v1.0/healthz/outbound`;
  return untilReady({ http }, { clock, limitMs: LIMIT_MS, signal: new AbortController().signal });
}
