import type { Client } from '@connectrpc/connect';
import type { Filter, QueryPage, StateQuery } from '../state/query/state-query.ts';
import { asked } from './asked.ts';
import { Sorting_Order as Order, type QueriableStateStore } from './protos/components_pb.ts';
import { waitedFor } from './socket-client.ts';

/** A query is the component's to answer; where its pages go on it says itself, in a number. */
export function pluggedQuery(
  client: Client<typeof QueriableStateStore>,
): (query: StateQuery, prefix: string, signal?: AbortSignal) => Promise<QueryPage> {
  return async ({ filter, limit, skip, sort }, prefix, signal) => {
    const query = {
      filter: filter === undefined ? {} : parts(filter),
      sort: sort.map(({ descending, path }) => ({
        key: path,
        order: descending ? Order.DESC : Order.ASC,
      })),
      pagination: { limit: BigInt(limit), token: skip === 0 ? '' : String(skip) },
    };
    const { items, token } = await asked(client.query({ query }, waitedFor(signal)));
    const failed = items.find(({ error }) => error !== '');
    if (failed !== undefined) throw new Error(failed.error);
    return {
      items: items
        .filter(({ key }) => key.startsWith(prefix))
        .map(({ data, etag, key }) => ({ key, value: Buffer.from(data), etag: etag?.value ?? '' })),
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
