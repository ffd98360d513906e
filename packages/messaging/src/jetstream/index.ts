export { jetstreamBroker } from './jetstream-broker.ts';
export type { JetStreamModule, NatsModule } from './module.ts';
export { JETSTREAM_BROKER_DEFAULTS, type JetStreamBrokerOptions } from './options.ts';
