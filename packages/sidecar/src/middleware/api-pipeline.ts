import type { ApiCall } from '../server/api-call.ts';
import { joinFilters, type Passage, passThrough } from './chain.ts';
import { changeAnswer, changeRequest } from './changed-bodies.ts';
import type { Middleware } from './middleware.ts';

/** Puts middleware (`spec.httpPipeline`), as it is when a call comes, between the token and the routes of the API. */
export function apiPipeline(
  now: () => readonly Middleware[],
  route: (call: ApiCall) => void,
): (call: ApiCall) => void | Promise<void> {
  return (call) => {
    const chain = now();
    if (chain.length === 0) return route(call);
    const passage = passThrough(chain, headOf(call));
    if (!(passage instanceof Promise)) return follow(passage, call, route);
    return passage.then((known) => {
      if (!call.res.destroyed) follow(known, call, route);
    });
  };
}

function follow(passage: Passage, call: ApiCall, route: (call: ApiCall) => void): void {
  const { verdict, headers } = passage;
  call.added.push(...headers);
  const answer = joinFilters(passage.answer);
  if (answer !== undefined) changeAnswer(call.res, answer);
  if (verdict.kind === 'answer') {
    call.answer(verdict.status, verdict.headers, verdict.body);
    return;
  }
  const request = joinFilters(passage.request);
  if (request !== undefined) changeRequest(call.req, request);
  if (verdict.path !== undefined) call.redirect(verdict.path);
  route(call);
}

function headOf({ head, req }: ApiCall) {
  const { remoteAddress, remotePort } = req.socket;
  return {
    method: head.method,
    path: `${head.path}${head.query}`,
    headers: head.headers,
    // A client on a Unix socket has no address; Go writes `@`.
    from: remoteAddress === undefined ? '@' : `${remoteAddress}:${remotePort}`,
  };
}
