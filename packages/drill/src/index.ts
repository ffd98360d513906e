export { accountLines } from './account-lines.ts';
export { type Account, type Arrival, type Books, balance } from './accounting.ts';
export { audit, type Whereabouts, type Witness } from './bookkeeping.ts';
export type { Drill, DrillRun, Probe, WaitOptions } from './drill.ts';
export type { DrillReport } from './drill-report.ts';
export { createFaults, type Faults } from './faults.ts';
export {
  type Answer,
  type DrillRequest,
  type HttpClient,
  type HttpClientOptions,
  httpClient,
} from './http-client.ts';
export { InterruptedError } from './interrupted.ts';
export { type Latency, latencyOf } from './latency.ts';
export { type Ledger, LedgerError, type LedgerOptions, openLedger } from './ledger.ts';
export { type LedgerEntry, parseLedger, sumLedger } from './ledger-entry.ts';
export type { LoadSummary, Traffic } from './load.ts';
export { findProcess, isAlive, type ProcessControl, type ProcessInfo } from './process-control.ts';
export {
  type Environment,
  type RunDrillsOptions,
  type RunReport,
  runDrills,
} from './run-drills.ts';
export type { Step } from './step.ts';
export { stepLines } from './step-lines.ts';
export type { Outcome, Submission } from './submission.ts';
