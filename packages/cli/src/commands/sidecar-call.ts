import { type OutgoingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { systemClock } from '@holdfast/core';
import { FlagError } from '../flags/flag.ts';
import { appsThere } from '../run-state/apps-there.ts';
import { noSuchApp } from '../run-state/run-of-app.ts';
import type { ApiAddress } from '../supervisor/metadata.ts';
import { apiSockets } from '../supervisor/process/launch.ts';
import { fileOrStdin } from './file-or-stdin.ts';
import type { CommandContext } from './output.ts';

/** What `invoke` and `publish` are both told. */
export interface CallOptions {
  readonly data?: string;
  readonly dataFile?: string;
  /** The folder of the sockets, where the API is on those. */
  readonly unixDomainSocket?: string;
}

/** A call of a sidecar's HTTP API. */
export interface SidecarCall {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

export interface SidecarAnswer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
}

/** What a sidecar answers who shows no token of its API, or a wrong one. */
const WRONG_TOKEN = 'invalid api token';
/** How much of an answer's body an error shows, in characters. */
const LONGEST_EXCERPT = 2_000;

/** The body that the options name. @throws FlagError where they name two, or a file that cannot be read */
export async function bodyOf(
  { data, dataFile }: CallOptions,
  { cwd }: CommandContext,
): Promise<Buffer> {
  if (dataFile === undefined) return Buffer.from(data ?? '');
  if (data !== undefined) throw new FlagError('--data and --data-file are both given; give one.');
  return fileOrStdin(dataFile, { cwd, option: '--data-file', what: 'the body' });
}

/**
 * Calls the API of an app's own sidecar, which this user has started; of several of one id, any. No limit of time:
 * an app may take its own.
 *
 * @throws where no such app runs, and where its sidecar does not answer
 */
export async function callSidecar(
  appId: string,
  call: SidecarCall,
  { unixDomainSocket }: CallOptions,
  context: CommandContext,
): Promise<SidecarAnswer> {
  const at = addressOf(appId, unixDomainSocket, context);
  const token = context.env.DAPR_API_TOKEN;
  try {
    return await exchange(at, {
      ...call,
      headers: { ...(token ? { 'dapr-api-token': token } : {}), ...call.headers },
    });
  } catch (error) {
    const where = 'port' in at ? `port ${at.port}` : at.socketPath;
    throw new Error(
      `The sidecar of "${appId}" gave no answer on ${where}: ${(error as Error).message}`,
    );
  }
}

/** An error about an answer that is no success: its status, and the beginning of its body. */
export function refused(what: string, { status, reason, body }: SidecarAnswer): Error {
  const said = body.trim();
  const told = said.length > LONGEST_EXCERPT ? `${said.slice(0, LONGEST_EXCERPT)}…` : said;
  // The sidecar says so itself, whoever is called.
  const remedy = told === WRONG_TOKEN ? '; set DAPR_API_TOKEN to the token of its sidecar' : '';
  return new Error(
    `${what} was answered ${status} ${reason}${told === '' ? '' : `: ${told}`}${remedy}`,
  );
}

function addressOf(
  appId: string,
  socketFolder: string | undefined,
  context: CommandContext,
): ApiAddress {
  const { apps } = appsThere(context, systemClock.wallMs());
  const app = apps.find((one) => one.appId === appId);
  if (app === undefined) throw new Error(noSuchApp(appId, new Set(apps.map((one) => one.appId))));
  if (socketFolder !== undefined) {
    const sockets = { appDirPath: context.cwd, appID: appId, unixDomainSocket: socketFolder };
    return { socketPath: apiSockets(sockets)!.http };
  }
  if (app.httpPort > 0) return { host: '127.0.0.1', port: app.httpPort };
  throw new FlagError(
    `The port of "${appId}"'s sidecar is not known: it was started with --unix-domain-socket (give the same folder here) or with port 0.`,
  );
}

function exchange(at: ApiAddress, call: SidecarCall): Promise<SidecarAnswer> {
  const { body, headers, method, path } = call;
  return new Promise((done, fail) => {
    const asked = request({ ...at, method, path, headers, agent: false });
    asked.on('error', fail);
    asked.on('response', (response) => {
      const { statusCode: status = 0, statusMessage: reason = '' } = response;
      text(response).then((said) => {
        done({ status, reason, body: said });
      }, fail);
    });
    asked.end(body);
  });
}
