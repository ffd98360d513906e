import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { AskApp } from './ask-app.ts';

/** What the sidecar says of itself where it asks by itself, as daprd does. */
export const questionHeaders = (appId: string): readonly string[] => [
  ...['content-type', 'application/json'],
  ...['dapr-app-id', appId],
];

/** The answer changes nothing but the log: an application that gives none is not waited for, where daprd waits. */
const PATIENCE_MS = 5_000;

/**
 * `GET /dapr/config`, which daprd asks before anything else, for the actors an
 * application hosts. There are none here: it is asked so that the application
 * sees what it is used to, and that it has actors is said in the log. Whatever
 * it answers, the start goes on.
 */
export async function askConfig(
  ask: AskApp,
  { appId, clock, log }: { readonly appId: string; readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  const late = new AbortController();
  const limit = clock.timer(PATIENCE_MS, () => {
    late.abort(new Error(`no answer within ${PATIENCE_MS} ms`));
  });
  try {
    const headers = questionHeaders(appId);
    const question = { method: 'GET', path: '/dapr/config', headers, body: null };
    const { body, status } = await ask(question, late.signal);
    if (status !== 200 || body.length === 0) return;
    const { entities } = (JSON.parse(body.toString('utf8')) ?? {}) as { entities?: unknown };
    if (!Array.isArray(entities) || entities.length === 0) return;
    log.warn(`The application hosts actors (${entities.join(', ')}); there are no actors here.`);
  } catch (error) {
    log.warn(`The application's /dapr/config cannot be used: ${(error as Error).message}`);
  } finally {
    limit.cancel();
  }
}
