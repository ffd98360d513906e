import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@holdfast/test-servers';

const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

const LIMIT_MS = 60_000;

/** The full path of a Chromium of this machine's. */
export const findBrowser = (): string | undefined =>
  NAMES.map(findProgram).find((path) => path !== undefined);

/**
 * Opens a page with this module in it and resolves with what the module gives to `say`. The page
 * comes from a server on loopback; an uncaught error of the page is what it says, too.
 */
export async function pageSays(browser: string, module: string): Promise<unknown> {
  const said = Promise.withResolvers<unknown>();
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(pageWith(module));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.end();
      said.resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const profile = await mkdtemp(join(tmpdir(), 'holdfast-browser-'));
  // The page is ours and comes from loopback; as root, as on CI, a sandbox cannot be had.
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const args = [...flags, `--user-data-dir=${profile}`, '--remote-debugging-port=0'];
  const child = spawn(browser, [...args, `http://127.0.0.1:${port}/`], {
    stdio: 'ignore',
    detached: true,
  });
  child.on('error', said.reject);
  child.on('exit', (code) =>
    said.reject(new Error(`The browser ended (${code}) before its page.`)),
  );
  const silent = setTimeout(() => said.reject(new Error('The page said nothing.')), LIMIT_MS);
  try {
    return await said.promise;
  } finally {
    clearTimeout(silent);
    if (child.pid !== undefined && child.exitCode === null) {
      const gone = once(child, 'exit');
      // Its whole group: Debian's program is a shell script that starts the browser.
      process.kill(-child.pid, 'SIGKILL');
      await gone;
    }
    server.closeAllConnections();
    server.close();
    // Its helper processes may still be writing for a moment.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

const pageWith = (module: string) => `<!doctype html><title>Holdfast</title>
<script>
const say = (what) => fetch('/', { method: 'POST', body: JSON.stringify(what) });
addEventListener('error', ({ message }) => say({ error: message }));
addEventListener('unhandledrejection', ({ reason }) => say({ error: String(reason) }));
</script>
<script type="module">
${module.replaceAll('</script', '<\\/script')}
</script>`;
