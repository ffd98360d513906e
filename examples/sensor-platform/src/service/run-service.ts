import type { FastifyInstance } from 'fastify';

/** What a service's main file reads from its environment. */
export interface Environment {
  /** Where this service listens (APP_PORT). */
  readonly port: number;
  /** Where its sidecar listens (DAPR_HTTP_PORT). */
  readonly sidecarPort: number;
  /** A folder for what must survive a restart (STATE_DIR). */
  readonly stateDir: string;
  /** Any other variable; throws a sentence when it is missing. */
  need(name: string): string;
}

/** Reads the environment once, in a main file; the rest of a service takes options. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const need = (name: string) => {
    const value = env[name];
    if (value === undefined || value === '') throw new Error(`${name} is not set: see dapr.yaml.`);
    return value;
  };
  return {
    port: Number(need('APP_PORT')),
    sidecarPort: Number(env.DAPR_HTTP_PORT ?? 3500),
    stateDir: need('STATE_DIR'),
    need,
  };
}

/** Listens on this machine alone until SIGTERM or SIGINT, then ends what is in flight and closes. */
export async function runService(
  app: FastifyInstance,
  port: number,
  close: () => Promise<void>,
): Promise<void> {
  const stop = async () => {
    await app.close();
    await close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await app.listen({ host: '127.0.0.1', port });
}
