import type { ApiCall } from '../server/api-call.ts';
import { type ChainVerdict, joinFilters, passThrough } from './chain.ts';
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
    const said = passThrough(chain, headOf(call));
    if (!(said instanceof Promise)) return follow(said, call, route);
    return said.then((known) => {
      if (!call.res.destroyed) follow(known, call, route);
    });
  };
}

function follow(said: ChainVerdict, call: ApiCall, route: (call: ApiCall) => void): void {
  const { verdict, headers } = said;
  call.added.push(...headers);
  const answer = joinFilters(said.answer);
  if (answer !== undefined) changeAnswer(call.res, answer);
  if (verdict.kind === 'answer') {
    call.answer(verdict.status, verdict.headers, verdict.body);
    return;
  }
  const request = joinFilters(said.request);
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
