export type {
  Broker,
  GivenUp,
  GiveUp,
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
export { sealedWith } from './encrypted/sealed-mark.ts';
export {
  BrokerRejectedError,
  BrokerUnavailableError,
  NeverEndedError,
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
  type Replaces,
  textOf,
} from './message.ts';
export type { PauseChoice } from './open-queue.ts';
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
export type {
  AppendMessage,
  DeadLetter,
  DeadPage,
  DeadRetention,
  HistoryEntry,
  Lease,
  LeaseNote,
  LeaseResult,
  MessageStatus,
  MessageStore,
  PausedTopic,
  QueuedPage,
  StoreStats,
} from './store.ts';
export type { MessageSpan, MessageTracer, TracedWork } from './trace/message-tracer.ts';
export {
  DRAIN_DEFAULTS,
  type Drainable,
  type DrainOptions,
  drainOnSignals,
  type SignalledProcess,
} from './worker/drain-on-signals.ts';
export {
  JobCancelledError,
  type JobErrorCode,
  JobsFailedError,
  LeaseLostError,
  PoisonError,
  type RetryLater,
  RetryLaterError,
  WorkerStoppedError,
} from './worker/endings/job-errors.ts';
export type { WorkerEvent } from './worker/events.ts';
export type { BatchHandler, Job, JobHandler } from './worker/job.ts';
export { type JobStatus, type Jobs, type JobsOptions, openJobs } from './worker/jobs.ts';
export type { BatchedJobs, JobHandlers, SingleJobs } from './worker/kind.ts';
export {
  type JobRate,
  type JobRules,
  WORKER_DEFAULTS,
  type WorkerOptions,
} from './worker/options.ts';
export type { RepeatedMessage, Schedule, ScheduledMessage, When } from './worker/schedule.ts';
export type { RunningJob, Worker, WorkerSnapshot } from './worker/worker.ts';
