import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { Unavailable } from './with-server.ts';

export interface PrometheusServer {
  readonly process: ServerProcess;
  readonly port: number;
  readonly url: string;
}

/** A Prometheus that scrapes `targets` (`127.0.0.1:9090`) every second, and adds `labels` to what they say. */
export async function prometheusServer(
  targets: readonly string[],
  labels: Readonly<Record<string, string>> = {},
): Promise<PrometheusServer | Unavailable> {
  const command = findProgram('prometheus');
  if (command === undefined) return new Unavailable('Prometheus', 'prometheus');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  const scrape = { job_name: 'holdfast', static_configs: [{ targets, labels }] };
  // JSON is YAML.
  await writeFile(
    config,
    JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [scrape] }),
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = await startServer({
    name: 'Prometheus',
    command,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    port,
    ready: () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
  return { process, port, url };
}
