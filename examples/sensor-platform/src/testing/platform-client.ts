import { eventually } from '@holdfast/test-servers';

/** A status and a JSON body. What is in the body is for a test to look at. */
export interface Answer {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** An event as event-sink lists it, without what differs from run to run. */
export interface Arrival {
  readonly test_id: string | null;
  readonly type: string;
  readonly delivery: number;
}

/** What a client of the gateway does. */
export interface PlatformClient {
  get(path: string): Promise<Answer>;
  post(path: string, headers?: Record<string, string>, body?: string): Promise<Answer>;
  login(username: string, password: string): Promise<Answer>;
  /** Asks for a sensor test, as admin. */
  sensor(type: string): Promise<Answer>;
  /** What became of a test, once it is decided. */
  finished(testId: string): Promise<Answer['body']>;
  /** All events that have arrived, in their order. */
  delivered(): Promise<readonly Arrival[]>;
  arrived(testId: string): Promise<Arrival | undefined>;
}

/** Logs in as admin, once, and remembers the token. */
export async function platformClient(url: string): Promise<PlatformClient> {
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(url + path, init);
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  const get = (path: string) => send(path, {});
  const login = (username: string, password: string) =>
    send('/auth/token', { method: 'POST', body: new URLSearchParams({ username, password }) });
  const { body: session } = await login('admin', 'admin123');

  const delivered = async () => {
    const all: Arrival[] = [];
    for (let after = 0; ; ) {
      const { body } = await get(`/events/delivered?after=${after}&limit=1000`);
      if (body.events.length === 0) return all;
      all.push(...body.events);
      after = body.next;
    }
  };

  return {
    get,
    post: (path, headers = {}, body = '') => send(path, { method: 'POST', headers, body }),
    login,
    sensor: (type) =>
      send(`/test/sensor/${type}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${session.access_token}` },
      }),
    finished: (testId) =>
      eventually(
        async () => (await get(`/test/${testId}`)).body,
        ({ status }) => ['completed', 'failed'].includes(status),
        `test ${testId} is finished`,
      ),
    delivered,
    async arrived(testId) {
      const found = (await delivered()).find(({ test_id }) => test_id === testId);
      return found && { test_id: found.test_id, type: found.type, delivery: found.delivery };
    },
  };
}
