export { type Answerable, InHand } from './in-hand.ts';
export { jetstreamBroker } from './jetstream-broker.ts';
export type { JetStreamModule, NatsConnectOptions, NatsModule } from './module.ts';
export {
  JETSTREAM_BROKER_DEFAULTS,
  type JetStreamBrokerOptions,
  natsConnectOptions,
} from './options.ts';
