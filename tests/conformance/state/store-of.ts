/** What is read of a key; without the moment's own. */
export interface Read {
  readonly status: number;
  readonly body: string;
  readonly etag: string | null;
  /** When it ends, in whole seconds. */
  readonly expires: string | null;
}

/** A state store behind a sidecar of either make, over HTTP; writes answer with their status. */
export function storeOf(port: number, store: string) {
  const url = `http://127.0.0.1:${port}/v1.0/state/${store}`;
  const send = async (to: string, init: RequestInit) => {
    const answer = await fetch(to, init);
    await answer.arrayBuffer();
    return answer.status;
  };
  return {
    save: (items: readonly object[]) => send(url, { method: 'POST', body: JSON.stringify(items) }),
    transact: (operations: readonly object[]) =>
      send(`${url}/transaction`, { method: 'POST', body: JSON.stringify({ operations }) }),
    remove: (key: string, etag?: string | null) =>
      send(`${url}/${key}`, { method: 'DELETE', headers: etag ? { 'if-match': etag } : {} }),
    async get(key: string): Promise<Read> {
      const answer = await fetch(`${url}/${key}`);
      return {
        status: answer.status,
        body: await answer.text(),
        etag: answer.headers.get('etag'),
        expires: answer.headers.get('metadata.ttlexpiretime')?.slice(0, 19) ?? null,
      };
    },
  };
}
