import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { ResolvedSidecarOptions } from '../options.ts';
import { askConfig } from './app-questions.ts';
import type { AskApp } from './ask-app.ts';

export interface WelcomeOptions {
  readonly options: Pick<ResolvedSidecarOptions, 'appId' | 'appProtocol' | 'disableInitEndpoints'>;
  readonly ask: AskApp;
  /** What begins then, one after the other; each may be begun again without effect. */
  readonly begin: readonly { start(): Promise<void> }[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** To be called whenever the application is there: its questions are asked once, then its events come. */
export function welcomeApp({ ask, begin, clock, log, options }: WelcomeOptions) {
  const { appId, appProtocol, disableInitEndpoints } = options;
  // Only over HTTP has Dapr such a question.
  const asks = !/^grpcs?$/.test(appProtocol) && !disableInitEndpoints?.includes('config');
  if (disableInitEndpoints?.includes('config')) {
    log.warn(
      "Skipping programmatic dapr configuration loading (see 'disable-init-endpoints' flag/annotation)",
    );
  }
  let asked: Promise<void> | undefined;
  return async (): Promise<void> => {
    if (asks) {
      asked ??= askConfig(ask, { appId, clock, log });
      await asked;
    }
    for (const one of begin) await one.start();
  };
}
