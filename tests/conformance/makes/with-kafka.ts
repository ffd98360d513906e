import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { kafkaProblem, startKafka } from '@holdfast/messaging/testing/kafka';

/**
 * Runs a suite with a Kafka of its own. Where Kafka cannot be had the suite is skipped by its name, and in CI it fails.
 */
export async function withKafka(
  name: string,
  suite: (address: string) => Promise<void> | void,
): Promise<void> {
  const problem = await kafkaProblem();
  if (problem !== undefined) {
    if (process.env.CI === 'true') throw new Error(problem);
    test(name, { skip: problem }, () => {});
    return;
  }
  const dataDir = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-'));
  const server = await startKafka({ dataDir });
  after(async () => {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
  await suite(`127.0.0.1:${server.port}`);
}
