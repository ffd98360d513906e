import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/holdfast-jars', import.meta.url));

/**
 * A jar from Maven Central, fetched the first time. Safe to call from several
 * processes at once: each fetches into a directory of its own, the first to finish wins.
 */
export async function mavenJar(artifact: string): Promise<string> {
  const jar = join(CACHE, `${artifact.replaceAll(/[^\w.-]/g, '_')}.jar`);
  if (existsSync(jar)) return jar;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'fetch-'));
  try {
    const args = ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`];
    await promisify(execFile)('mvn', [...args, `-DoutputDirectory=${work}`], { cwd: work });
    const [name = ''] = (await readdir(work)).filter((file) => file.endsWith('.jar'));
    await rename(join(work, name), jar);
    return jar;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
