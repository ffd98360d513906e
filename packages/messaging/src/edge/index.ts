export { acceptRequest } from './accept-request.ts';
export { checkContinue } from './check-continue.ts';
export {
  EDGE_DEFAULTS,
  type EdgeOptions,
  type EdgeQueue,
  type EdgeStatus,
  type ResolvedEdgeOptions,
  resolveEdgeOptions,
} from './edge-options.ts';
export type {
  EdgeAnswer,
  EdgeBody,
  EdgeEvent,
  EdgeHeaders,
  EdgeRequest,
} from './edge-request.ts';
export { expressEdge } from './express-edge.ts';
export {
  type FastifyEdgeHost,
  type FastifyEdgeReply,
  type FastifyEdgeRequest,
  fastifyEdge,
} from './fastify-edge.ts';
export { nodeEdge, type ParsedRequest } from './node-edge.ts';
