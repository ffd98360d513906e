import { tryAgain } from '../components/try-again.ts';
import { applyConfiguration } from '../resources/apply-configuration.ts';
import type { EventsToApp } from './events-to-app.ts';
import type { BuildingBlocks, BuildingBlocksOptions } from './open-building-blocks.ts';

/** From now on the sidecar is as its files say, whenever they change or are read again. */
export function followResources(given: BuildingBlocksOptions & BuildingBlocks & EventsToApp): void {
  const { access, clock, closing, components, endpoints, inForce, inputs, live, log, metrics } =
    given;
  const { pipelines, services, subscriber, tracing } = given;
  live.follow(async (next, before) => {
    inForce.now = next.configuration;
    const appliedTo = { tracing, access, metrics, log };
    await applyConfiguration(next.configuration, before.configuration, appliedTo);
    const endThoseThatLeft = await components.replace(next.components);
    // After them: their secrets may be those of a store that has just come.
    await endpoints.follow(next.endpoints);
    pipelines.follow(next.configuration);
    await subscriber.declare(next.subscriptions);
    await services.outboxRelay.follow();
    endThoseThatLeft();
    await inputs.follow();
    log.info('The resources were read anew.');
  });
  // Without HotReload daprd does not either.
  if (!live.watched) return;
  const incomplete = () => components.incomplete;
  const trying = tryAgain({ incomplete, reload: () => live.reload(), clock });
  closing.last(() => trying.close());
}
