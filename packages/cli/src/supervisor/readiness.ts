import { access } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Clock } from '@holdfast/core';
import type { ReadyCheck } from '../run-file/run-file.ts';

/** How often a process is asked whether it is ready. */
const POLL_MS = 20;

/** One question may take this long; a listener that accepts and says nothing is not ready. */
const ASK_LIMIT_MS = 1_000;

/** Resolves true once `check` passes, false after `limitMs`. Rejects with the signal's reason. */
export async function untilReady(
  check: ReadyCheck,
  options: { clock: Clock; limitMs: number; signal: AbortSignal; host?: string },
): Promise<boolean> {
  const { clock, limitMs, signal, host = '127.0.0.1' } = options;
  const beganMs = clock.now();
  while (!(await passes(check, host, signal))) {
    signal.throwIfAborted();
    if (clock.now() - beganMs >= limitMs) return false;
    await clock.sleep(POLL_MS, signal);
  }
  signal.throwIfAborted();
  return true;
}

async function passes(check: ReadyCheck, host: string, signal: AbortSignal): Promise<boolean> {
  if ('tcp' in check) return accepts(check.tcp, host, signal);
  if ('http' in check) return answers(check.http, signal);
  return access(check.file).then(
    () => true,
    () => false,
  );
}

/** Whether something listens on a port. */
export function accepts(port: number, host: string, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const end = (listening: boolean) => {
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      resolve(listening);
    };
    const abort = () => end(false);
    signal?.addEventListener('abort', abort, { once: true });
    socket.setTimeout(ASK_LIMIT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Whether a URL answers with a status from 200 to 299. */
function answers(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const ask = request(url, { signal, timeout: ASK_LIMIT_MS, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 300);
    });
    ask.on('timeout', () => ask.destroy());
    ask.on('error', () => resolve(false));
    ask.on('close', () => resolve(false));
    ask.end();
  });
}
