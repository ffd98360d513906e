import type { Broker } from '@holdfast/messaging';
import { BrokerUnavailableError } from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';
import { UnreachableError } from '../../flow/unreachable-error.ts';

export interface ReachEnv {
  readonly component: string;
  /** Something before it keeps what it cannot be given yet: nobody need answer there now. */
  readonly mayBeAway?: boolean | undefined;
  readonly log: Logger;
}

/**
 * Finds out at the start, as daprd does, whether a broker lets us in.
 *
 * @throws UnreachableError where nobody answers, which may pass; Error where it says no, which stays.
 */
export async function reachBroker(
  broker: Broker,
  { component, log, mayBeAway = false }: ReachEnv,
): Promise<void> {
  try {
    await broker.connect?.();
  } catch (error) {
    const lasting = error instanceof BrokerUnavailableError && error.lasting;
    if (mayBeAway && !lasting) {
      log.warn(`The broker of ${component} cannot be reached yet: ${(error as Error).message}`);
      return;
    }
    await broker.close();
    throw lasting ? error : new UnreachableError((error as Error).message, { cause: error });
  }
}
