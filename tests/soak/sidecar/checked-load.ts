import http from 'node:http';

/** An answer that takes longer is lost: far more than the policies allow a call. */
const PATIENCE_MS = 15_000;
/** Requests of the paced load at a time; beyond, the client waits as a real one would. */
const MOST_IN_FLIGHT = 256;

/** Every request has a path of its own, which is what its answer must say. */
export class CheckedLoad {
  /** `http://127.0.0.1:3500/v1.0/invoke/app-b/method`, and what follows: the application's own path. */
  readonly #base: string;
  readonly #method: string;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: MOST_IN_FLIGHT });
  #sent = 0;
  #inFlight = 0;
  /** Answered with their own path. */
  good = 0;
  /** Refused or failed in the sidecar's words, by status. */
  readonly refused = new Map<number, number>();
  /** No answer, half of one, or somebody else's: what must not be. */
  readonly lost: string[] = [];
  #waiting: { readonly after: number; resolve(): void }[] = [];

  /** `url` is a method's; what is asked for is below it. */
  constructor(url: string) {
    const end = url.indexOf('/method/') + '/method'.length;
    this.#base = url.slice(0, end);
    this.#method = url.slice(end);
  }

  get sent(): number {
    return this.#sent;
  }

  /** Calls as fast as `callers` can, one after another each; resolves with calls a second. */
  async capacity(callers: number, ms: number): Promise<number> {
    const begun = performance.now();
    const before = this.#sent;
    const untilMs = begun + ms;
    const call = async () => {
      while (performance.now() < untilMs) await this.#one();
    };
    await Promise.all(Array.from({ length: callers }, call));
    return ((this.#sent - before) * 1_000) / (performance.now() - begun);
  }

  /** Calls at a pace until `signal` is aborted; resolves when the last has its answer. */
  async pace(perSecond: number, signal: AbortSignal): Promise<void> {
    const pending = new Set<Promise<void>>();
    let lastMs = performance.now();
    let owed = 0;
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const nowMs = performance.now();
      // A pause of this process is not made up for: that would be a burst, and no pace.
      owed = Math.min(owed + ((nowMs - lastMs) * perSecond) / 1_000, perSecond / 20);
      lastMs = nowMs;
      for (; owed >= 1 && this.#inFlight < MOST_IN_FLIGHT; owed -= 1) {
        const one = this.#one().finally(() => pending.delete(one));
        pending.add(one);
      }
    }
    await Promise.all(pending);
  }

  /** Resolves with the next good answer to a call that began after this. */
  nextGood(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ after: this.#sent, resolve }));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #one(): Promise<void> {
    this.#sent += 1;
    this.#inFlight += 1;
    const number = this.#sent;
    const path = `${this.#method}/${number}`;
    try {
      const { status, text } = await this.#get(path);
      if (status === 200 && text === path) {
        this.good += 1;
        if (this.#waiting.length > 0) this.#tell(number);
      } else if (status >= 500) {
        this.refused.set(status, (this.refused.get(status) ?? 0) + 1);
      } else this.lost.push(`${path}: ${status} "${text.slice(0, 80)}"`);
    } catch (error) {
      this.lost.push(`${path}: ${(error as Error).message}`);
    } finally {
      this.#inFlight -= 1;
    }
  }

  #tell(number: number): void {
    for (const { after, resolve } of this.#waiting) if (number > after) resolve();
    this.#waiting = this.#waiting.filter(({ after }) => number <= after);
  }

  #get(path: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const request = http.get(`${this.#base}${path}`, { agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('latin1');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      });
      request.setTimeout(PATIENCE_MS, () => {
        request.destroy(new Error(`no answer within ${PATIENCE_MS} ms`));
      });
      request.on('error', reject);
    });
  }
}
