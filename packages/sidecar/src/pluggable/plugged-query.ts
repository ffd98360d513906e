import type { Client } from '@connectrpc/connect';
import type { Filter, QueryPage, StateQuery } from '../state/query/state-query.ts';
import { asked } from './asked.ts';
import { Sorting_Order as Order, type QueriableStateStore } from './protos/components_pb.ts';
import { waitedFor } from './socket-client.ts';

/** A query is the component's to answer; where its pages go on it says itself. */
export function pluggedQuery(
  client: Client<typeof QueriableStateStore>,
): (query: StateQuery, prefix: string, signal?: AbortSignal) => Promise<QueryPage> {
  return async ({ filter, limit, metadata = {}, sort, token: from }, prefix, signal) => {
    const query = {
      filter: filter === undefined ? {} : parts(filter),
      sort: sort.map(({ descending, path }) => ({
        key: path,
        order: descending ? Order.DESC : Order.ASC,
      })),
      pagination: { limit: BigInt(limit), token: from },
    };
    const request = { query, metadata: { ...metadata } };
    const answer = await asked(client.query(request, waitedFor(signal)));
    const { items, token } = answer;
    return {
      metadata: answer.metadata,
      items: items
        .filter(({ key }) => key.startsWith(prefix))
        .map(({ data, error, etag, key }) =>
          error === ''
            ? { key, value: Buffer.from(data), etag: etag?.value ?? '' }
            : { key, error },
        ),
      ...(token === '' ? {} : { token }),
    };
  };
}

/** By its operator, the rest as JSON: a component parses it as Dapr's own stores do. */
function parts(filter: Filter) {
  return Object.fromEntries(
    Object.entries(written(filter)).map(([operator, value]) => [
      operator,
      { typeUrl: '', value: Buffer.from(JSON.stringify(value)) },
    ]),
  );
}

/** As a client wrote it. */
function written(filter: Filter): Readonly<Record<string, unknown>> {
  switch (filter.kind) {
    case 'compare':
      return { [filter.how]: { [filter.path]: filter.with } };
    case 'in':
      return { IN: { [filter.path]: filter.values } };
    default:
      return { [filter.kind === 'all' ? 'AND' : 'OR']: filter.filters.map(written) };
  }
}
