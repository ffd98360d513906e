export type {
  Broker,
  Handler,
  SubscribeOptions,
  Subscription,
  SubscriptionProblem,
} from './broker.ts';
export type { DeadChoice } from './dead/choose.ts';
export type { DeadGroup } from './dead/dead-groups.ts';
export type { DeadEdit, DeadLetters, ImportReport } from './dead/dead-letters.ts';
export {
  REPLAY_DEFAULTS,
  type ReplayOptions,
  type ReplayReport,
} from './dead/replay-dead.ts';
export {
  BrokerRejectedError,
  BrokerUnavailableError,
  type OutboxRefusalCode,
  OutboxRefusedError,
  StoreUnavailableError,
} from './errors.ts';
export { memoryStore } from './memory-store.ts';
export {
  type IncomingMessage,
  type Message,
  type NewMessage,
  type OutgoingMessage,
  type Receipt,
  textOf,
} from './message.ts';
export { type Outbox, type OutboxStats, openOutbox } from './outbox.ts';
export {
  type DeadLetterRetention,
  OUTBOX_DEFAULTS,
  type OutboxLimits,
  type OutboxOptions,
} from './outbox-options.ts';
export {
  RELAY_DEFAULTS,
  type Relay,
  type RelayEvent,
  type RelayOptions,
  type RelaySnapshot,
  relayPolicies,
} from './relay/relay.ts';
export { sealedWith } from './sealed-mark.ts';
export type {
  AppendMessage,
  DeadLetter,
  DeadPage,
  DeadRetention,
  HistoryEntry,
  Lease,
  MessageStatus,
  MessageStore,
  QueuedPage,
  StoreStats,
} from './store.ts';
