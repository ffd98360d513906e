import { access, lstat, unlink } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Clock } from '@holdfast/core';
import type { ReadyCheck } from '../../run-file/run-file.ts';

/** How often a process is asked whether it is ready. */
const POLL_MS = 20;

/** One question may take this long; a listener that accepts and says nothing is not ready. */
const ASK_LIMIT_MS = 1_000;

export interface UntilReadyOptions {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** A Unix socket to ask in place of the port of a URL. */
  readonly socketPath?: string | undefined;
}

/** Resolves true once `check` passes, false after `limitMs`. Rejects with the signal's reason. */
export async function untilReady(check: ReadyCheck, options: UntilReadyOptions): Promise<boolean> {
  const { clock, limitMs, signal } = options;
  const beganMs = clock.now();
  while (!(await passes(check, options))) {
    signal.throwIfAborted();
    if (clock.now() - beganMs >= limitMs) return false;
    await clock.sleep(POLL_MS, signal);
  }
  signal.throwIfAborted();
  return true;
}

async function passes(
  check: ReadyCheck,
  { host = '127.0.0.1', signal, socketPath }: UntilReadyOptions,
): Promise<boolean> {
  if ('tcp' in check) return accepts({ port: check.tcp, host }, signal);
  if ('http' in check) return answers(check.http, signal, socketPath);
  return access(check.file).then(
    () => true,
    () => false,
  );
}

/** Takes away sockets on which nobody listens any more. */
export async function removeStale(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const there = await lstat(path).catch(() => undefined);
    if (there?.isSocket() !== true || (await accepts({ path }))) continue;
    // Where it cannot be taken away, who wants to listen there says so better.
    await unlink(path).catch(() => {});
  }
}

/** Whether something listens on a port, or on a Unix socket. */
export function accepts(
  at: { readonly port: number; readonly host: string } | { readonly path: string },
  signal?: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(at);
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
function answers(url: string, signal: AbortSignal, socketPath?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const over = socketPath === undefined ? {} : { socketPath };
    const options = { ...over, signal, timeout: ASK_LIMIT_MS, agent: false } as const;
    const ask = request(url, options, (response) => {
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
