import { eventually } from '@holdfast/test-servers';
import type { Seen } from '../makes/echo-app.ts';

export interface Told {
  readonly id: string;
  readonly item: unknown;
  readonly method: string;
  readonly type: string | undefined;
}

/** An application that keeps what it was told of its configuration, by key. */
export function toldApp() {
  const told = new Map<string, Told[]>();
  return {
    told,
    instead({ body, headers, method, url }: Seen) {
      const key = /^\/configuration\/\w+\/(.+)$/.exec(url)?.[1];
      if (key === undefined) return undefined;
      const { id, items } = JSON.parse(body) as { id: string; items: Record<string, unknown> };
      const type = headers['content-type'];
      told.set(key, [...(told.get(key) ?? []), { id, item: items[key], method, type }]);
      return { status: 200, body: '' };
    },
    /** Resolves with the last it was told of a key, once that is `item`; `write` makes it so, as often as it is looked at. */
    async hears(key: string, item: object, write?: () => Promise<unknown>): Promise<Told> {
      const last = async () => {
        await write?.();
        return told.get(key)?.at(-1);
      };
      const wanted = JSON.stringify(item);
      const same = (one?: Told) => JSON.stringify(one?.item) === wanted;
      return (await eventually(last, same, `${wanted} is told`))!;
    },
  };
}
