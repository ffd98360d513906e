/** Something of a run could not be started; nothing of it is left running. */
export class StartError extends Error {
  readonly code:
    | 'COMMAND_NOT_FOUND'
    | 'EXITED_EARLY'
    | 'NOT_READY'
    | 'PORT_TAKEN'
    | 'SIDECAR_FAILED';
  /** The process it happened to, by its name in `ps`. */
  readonly process: string;

  constructor(code: StartError['code'], process: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StartError';
    this.code = code;
    this.process = process;
  }
}
