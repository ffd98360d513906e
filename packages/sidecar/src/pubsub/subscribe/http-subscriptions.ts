import type { Logger } from '@holdfast/telemetry/log';
import { questionHeaders } from '../../app/app-questions.ts';
import type { AskApp } from '../../app/ask-app.ts';
import { firstJson } from '../../go-json/read-json.ts';
import type { ResolvedSidecarOptions } from '../../options.ts';
import { programmatic, type TopicSubscription } from './subscription.ts';

/**
 * Asks the application for its subscriptions with `GET /dapr/subscribe`: nothing, and a line in
 * the log, where the answer cannot be used, or the application is not to be asked.
 */
export function httpSubscriptions(
  ask: AskApp,
  { appId, disableInitEndpoints }: Pick<ResolvedSidecarOptions, 'appId' | 'disableInitEndpoints'>,
  log: Logger,
): () => Promise<readonly TopicSubscription[]> {
  return async () => {
    if (disableInitEndpoints?.includes('subscribe') !== true) return await wanted(ask, appId, log);
    log.warn(
      "Skipping programmatic subscription loading (see 'disable-init-endpoints' flag/annotation)",
    );
    return [];
  };
}

async function wanted(
  ask: AskApp,
  appId: string,
  log: Logger,
): Promise<readonly TopicSubscription[]> {
  try {
    const { body, status } = await ask({
      method: 'GET',
      path: '/dapr/subscribe',
      headers: questionHeaders(appId),
      body: null,
    });
    // An application that subscribes to nothing does not have the route.
    if (status === 404) return [];
    if (status !== 200) throw new Error(`it answered ${status}`);
    if (body.length === 0) return [];
    const { subscriptions, leftOut } = programmatic(firstJson(body.toString('utf8')));
    for (const one of leftOut) {
      log.warn(`A subscription of the application has no pubsubname, topic or route: ${one}`);
    }
    return subscriptions;
  } catch (error) {
    log.error(`The application's /dapr/subscribe cannot be used: ${(error as Error).message}`);
    return [];
  }
}
