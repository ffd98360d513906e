export { readRunFile } from './run-file/read-run-file.ts';
export type {
  AppEntry,
  HoldfastSection,
  LogDestination,
  ProcessEntry,
  ReadyCheck,
  Role,
  RunFile,
  SharedSettings,
} from './run-file/run-file.ts';
export { RunFileError, type RunFileProblem } from './run-file/run-file-error.ts';
export { freePorts } from './supervisor/free-port.ts';
export {
  InterruptedError,
  type Interrupts,
  interruptSignals,
} from './supervisor/interrupt-signals.ts';
export type { ProcessInfo, ProcessState } from './supervisor/process/process-info.ts';
export { type Run, type RunEnd, RunStoppedError, type StartRunOptions } from './supervisor/run.ts';
export { StartError } from './supervisor/start-error.ts';
export { startRun } from './supervisor/start-run.ts';
