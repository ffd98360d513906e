import { systemClock } from '@holdfast/core';
import {
  type Answer,
  type Arrival,
  type DrillRequest,
  findProcess,
  type HttpClient,
  type Outcome,
  type ProcessControl,
  type ProcessInfo,
  type Submission,
} from '@holdfast/drill';

/** The platform as a client sees it, with what the drills ask of it again and again. */
export interface Platform {
  /** A login that must succeed. */
  readonly login: DrillRequest;

  /** A sensor test with the token that the drills got before anything broke. */
  readonly sensorTest: Submission;
  readonly stats: DrillRequest;
  readonly health: DrillRequest;

  /** Everything that event-sink has kept after that place, and where its list ends now. */
  delivered(
    after: string,
  ): Promise<{ readonly events: readonly Delivered[]; readonly end: string }>;

  /** How a test stands: `processing`, `completed`, `failed`, or undefined when nobody knows it. */
  testStatus(id: string): Promise<string | undefined>;

  /** Ids of the tests whose events were given up and are kept as dead letters. */
  deadTests(): Promise<readonly string[]>;

  /** A connection string with its password, for a client of the drill's own. */
  readonly databaseUrl: (name: string) => string;

  /** How many events event-service has handed over to the broker, ever. */
  successful(): Promise<number>;

  /** The process that `name` is now; null while it is down. */
  pid(name: string): Promise<number | null>;

  /** The broker's name; throws when it was not started by this run, so that nothing here can kill it. */
  brokerName(): Promise<string>;

  /** Names of the processes of a role. */
  named(role: ProcessInfo['role'], appId?: string): Promise<readonly string[]>;
}

/** An event as event-sink kept it. */
export interface Delivered extends Arrival {
  readonly type: string;
}

const PAGE = 1_000;

/** Logs in and makes the client's view of the platform. */
export async function openPlatform(
  http: HttpClient,
  control: ProcessControl,
  databaseUrl: (name: string) => string,
  signal: AbortSignal,
): Promise<Platform> {
  const login: DrillRequest = {
    method: 'POST',
    path: '/auth/token',
    form: { username: 'admin', password: 'admin123' },
  };
  const token = await firstToken(http, login, signal);

  const get = async (path: string): Promise<Answer> => {
    const got = await http.send({ path });
    if (got.status === 200) return got;
    throw new Error(`GET ${path} gave ${got.status} ${got.text}${got.problem ?? ''}`);
  };

  const named: Platform['named'] = async (role, appId) => {
    const all = await control.ps();
    return all
      .filter((info) => info.role === role && (appId === undefined || info.app_id === appId))
      .map((info) => info.name);
  };

  return {
    login,
    named,
    stats: { path: '/kafka/stats' },
    health: { path: '/health' },
    databaseUrl,
    sensorTest: {
      request: (attempt) => ({
        method: 'POST',
        path: '/test/sensor/temperature',
        headers: { Authorization: `Bearer ${token}`, 'Idempotency-Key': attempt },
      }),
      judge: judgeSensorTest,
    },
    async delivered(after) {
      const events: Delivered[] = [];
      for (let cursor = after; ; ) {
        const path = `/events/delivered?after=${encodeURIComponent(cursor)}&limit=${PAGE}`;
        const { json } = await get(path);
        const page = json.events as readonly DeliveredRow[];
        if (page.length === 0) return { events, end: cursor };
        for (const { test_id, type, delivery } of page)
          events.push({ id: test_id, type, delivery });
        cursor = String(json.next);
      }
    },
    async testStatus(id) {
      const got = await http.send({ path: `/test/${id}` });
      if (got.status === 404) return undefined;
      if (got.status !== 200) throw new Error(`GET /test/${id} gave ${got.status} ${got.text}`);
      return String(got.json.status);
    },
    async deadTests() {
      const { json } = await get('/events/dead');
      return (json.events as readonly { test_id: string }[]).map(({ test_id }) => test_id);
    },
    successful: async () => Number((await get('/kafka/stats')).json.successful),
    pid: async (name) => (await findProcess(control, name)).pid,
    async brokerName() {
      const [name] = await named('broker');
      if (name !== undefined) return name;
      throw new Error('The broker was not started by this run, so the drill cannot kill it.');
    },
  };
}

/** A platform that was started a moment ago may still be making its first user. */
async function firstToken(
  http: HttpClient,
  login: DrillRequest,
  signal: AbortSignal,
): Promise<string> {
  const deadlineMs = systemClock.now() + 60_000;
  for (;;) {
    const { status, json, text, problem = '' } = await http.send(login, signal);
    if (typeof json.access_token === 'string') return json.access_token;
    if (systemClock.now() > deadlineMs) {
      throw new Error(
        `The drills need a token to begin with; the login gave: ${status} ${text}${problem}`,
      );
    }
    await systemClock.sleep(200, signal);
  }
}

interface DeliveredRow {
  readonly test_id: string;
  readonly type: string;
  readonly delivery: number;
}

/**
 * A 5xx leaves it open: the database may have kept the test when only its
 * answer was lost. Whoever gets one tries again with the same key.
 */
export function judgeSensorTest({ status, json }: Answer): Outcome {
  if (status === 202) return { kind: 'accepted', id: String(json.test_id) };
  if (status >= 400 && status < 500) return { kind: 'refused', why: `status ${status}` };
  return { kind: 'unknown', why: `status ${status}` };
}
