import { askApp } from '../app/ask-app.ts';
import { InputBindings } from '../bindings/input-bindings.ts';
import { httpCourier } from '../pubsub/deliver/http-courier.ts';
import { httpSubscriptions } from '../pubsub/subscribe/http-subscriptions.ts';
import { Subscriber } from '../pubsub/subscribe/subscriber.ts';
import type { BuildingBlocks, BuildingBlocksOptions } from './open-building-blocks.ts';

/** What comes to the application without being asked for; neither begins by itself. */
export interface EventsToApp {
  readonly subscriber: Subscriber;
  readonly inputs: InputBindings;
}

export function eventsToApp(given: BuildingBlocksOptions & BuildingBlocks): EventsToApp {
  const { app, clock, components, live, log, metrics, options, policies, services } = given;
  const subscriber = new Subscriber({
    appId: options.appId,
    courier: httpCourier(askApp(app.questions), given.tracing),
    ask: httpSubscriptions(askApp(app.questions), options, log),
    brokers: components.pubsub,
    declared: live.first.subscriptions,
    inbound: (pubsub) => policies.book.forComponent(pubsub, 'Pubsub', 'inbound'),
    outbound: (pubsub) => policies.book.forComponent(pubsub, 'Pubsub', 'outbound'),
    count: metrics.delivered,
    countBulk: metrics.deliveredBulk,
    clock,
    log,
  });
  const inputs = new InputBindings({
    inputs: components.bindings.inputs,
    ask: askApp(app.questions),
    overGrpc: options.appProtocol.startsWith('grpc'),
    put: (binding, data) =>
      services.bindings.invoke(binding, { operation: 'create', data, metadata: {}, trace: [] }),
    inbound: (name) => policies.book.forComponent(name, 'Binding', 'inbound'),
    count: metrics.bound,
    tracing: given.tracing,
    clock,
    log,
  });
  return { subscriber, inputs };
}
