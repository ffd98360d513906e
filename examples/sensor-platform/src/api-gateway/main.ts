import { systemClock, systemRandom } from '@holdfast/core';
import { serviceLog } from '../service/log.ts';
import { readEnvironment, runService } from '../service/run-service.ts';
import { sidecarClient } from '../service/sidecar-client.ts';
import { startFlakyUpstream } from './flaky-upstream.ts';
import { gatewayApp } from './gateway-app.ts';
import { outsideProxy } from './outside-proxy.ts';

const env = readEnvironment(process.env);
serviceLog('api-gateway');
const flaky = await startFlakyUpstream({ clock: systemClock, random: systemRandom });
const about =
  'a server on this machine that fails on purpose: of ten requests four get 503 and one no answer';

const app = gatewayApp({
  sidecar: sidecarClient(env.sidecarPort),
  outside: outsideProxy(flaky.url, about),
});
await runService(app, env.port, async () => {
  flaky.server.closeAllConnections();
  flaky.server.close();
});
