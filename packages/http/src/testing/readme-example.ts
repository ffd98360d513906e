import { createServer } from 'node:http';
import { registry } from '@holdfast/core';
import {
  circuitsOf,
  createClient,
  deadlineFrom,
  healthRoutes,
  nodeHealth,
  traceFrom,
} from '@holdfast/http';

const auth = createClient({ baseUrl: process.argv[2] ?? 'http://127.0.0.1:8001' });

export const health = healthRoutes({
  service: 'gateway',
  checks: { disk: () => ({ free_mb: 1_024 }) },
  circuits: () => circuitsOf(registry),
});
const answered = nodeHealth(health);

export const server = createServer(async (request, response) => {
  if (answered(request, response)) return;
  const deadlineMs = deadlineFrom(request.headers);
  const trace = traceFrom(request.headers);
  try {
    const user = await auth.request('/me', {
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(trace === undefined ? {} : { trace }),
    });
    response.writeHead(user.status).end(await user.text());
  } catch {
    response.writeHead(503).end('{"error":"auth service unavailable"}');
  }
});
