export { type AttemptOutcome, parseRetryAfter, retryAfterHint } from '@holdfast/core';
export {
  type ClientOptions,
  createClient,
  type HttpClient,
  httpPipeline,
  type RequestOptions,
} from './client/create-client.ts';
export { discardResponse } from './client/discard-response.ts';
export { DEADLINE_HEADER, deadlineFrom, deadlineHeader } from './deadline-header.ts';
export type { HeadersLike } from './header.ts';
export {
  expressHealth,
  type FastifyLike,
  type FastifyReplyLike,
  fastifyHealth,
  nodeHealth,
} from './health/adapters.ts';
export type { CheckResult, HealthCheck } from './health/cached-check.ts';
export {
  type CircuitReport,
  circuitOf,
  circuitReport,
  circuitsOf,
  type Pipelines,
} from './health/circuits-of.ts';
export {
  HEALTH_DEFAULTS,
  type HealthAnswer,
  type HealthOptions,
  type HealthRoutes,
  healthRoutes,
} from './health/health-routes.ts';
export { type Handle, type NodeHandlerOptions, nodeHandler } from './server/node-handler.ts';
export { type RefusalAnswer, refusalAnswer } from './server/refusal-answer.ts';
export {
  httpFailureRules,
  httpRetryRules,
  isIdempotentMethod,
  isRetriableStatus,
} from './status-rules.ts';
export { traceFrom, traceHeaders } from './trace-headers.ts';
