/**
 * What the Redis stores ask of a client: `ioredis` has it as it is, and so has
 * a cluster of its. The caller makes it, configures its time-outs, and closes it.
 */
export interface RedisClient {
  eval(script: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>;
  /** Of a cluster: a client for each of its masters that it knows. */
  nodes?(role: 'master'): readonly RedisClient[];
}
