import type { PoolConfig } from 'pg';

/** What the driver throws: the server's refusals have a severity and an SQLSTATE, the network's errors a system code. */
export interface PostgresFailure extends Error {
  readonly severity?: string;
  readonly code?: string;
}

const DIAL: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENOTFOUND: 'lookup: no such host',
  ETIMEDOUT: 'i/o timeout',
};

/** The same failure as Dapr's driver words it; without passwords, whatever happens. */
export function postgresWords(error: unknown, { user, database, host, port }: PoolConfig): Error {
  const { severity, code = '', message } = error as PostgresFailure;
  if (severity !== undefined) {
    return new Error(`${severity}: ${message} (SQLSTATE ${code})`, { cause: error });
  }
  const dialled = DIAL[code];
  if (dialled !== undefined) {
    const who = `\`user=${user} database=${database}\``;
    return new Error(
      `failed to connect to ${who}: ${host}:${port} (${host}): dial error: dial tcp ${host}:${port}: ${dialled}`,
      { cause: error },
    );
  }
  // The driver's own time-outs: for a free connection, for a new one, for an answer.
  if (/timeout/i.test(message)) {
    return new Error(`timeout: context deadline exceeded (${message})`, { cause: error });
  }
  // The server went in the middle of something, and had no word for it.
  if (message.startsWith('Connection terminated')) {
    return new Error(`read tcp ${host}:${port}: unexpected EOF (${message})`, { cause: error });
  }
  return new Error(message === '' ? code : message, { cause: error });
}
