import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { mavenJar } from './maven-jar.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { Unavailable } from './with-server.ts';

const ZIPKIN_VERSION = '3.5.1';

export interface ZipkinServer {
  readonly process: ServerProcess;
  readonly port: number;
  readonly url: string;
}

/** A Zipkin that keeps its spans in memory. */
export async function zipkinServer(): Promise<ZipkinServer | Unavailable> {
  const java = findProgram('java');
  if (java === undefined) return new Unavailable('Zipkin', 'java');
  if (findProgram('mvn') === undefined) return new Unavailable('Zipkin', 'mvn, to fetch it with');
  const jar = await mavenJar(`io.zipkin:zipkin-server:${ZIPKIN_VERSION}:jar:exec`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'Zipkin',
    command: java,
    args: ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-jar', jar],
    port,
    options: { env: { ...process.env, QUERY_PORT: String(port), SELF_TRACING_ENABLED: 'false' } },
    ready: () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  return { process: server, port, url };
}
