import type { SidecarOptions } from '@holdfast/sidecar';

/** Why a sidecar could not start, in one sentence with what to do about it. */
export interface StartFailure {
  /** `PORT_TAKEN`, or the code of the error it was. */
  readonly code: string;
  readonly message: string;
}

/** Reads the error of a start that failed. */
export function startFailure(error: unknown, { appId }: SidecarOptions): StartFailure {
  const { code, message, port, flag } = error as {
    readonly code?: string;
    readonly message?: string;
    readonly port?: number;
    readonly flag?: string;
  };
  if (port !== undefined && flag !== undefined) {
    const name = flag.startsWith('--') ? flag : `--${flag}`;
    return {
      code: 'PORT_TAKEN',
      message: `Port ${port} is taken, and the sidecar of "${appId}" asks for it; end the program that listens on it, or choose another with ${name}.`,
    };
  }
  return { code: code ?? 'START_FAILED', message: message ?? String(error) };
}
