/** Why a probe failed, in daprd's words. */
export interface ProbeWords {
  /** There was no answer for another reason than its time. */
  failed(error: Error): string;
  /** There was none in time. */
  late(path: string): string;
}

/** Of an application over HTTP at `origin`. */
export function httpProbeWords(origin: string): ProbeWords {
  return {
    failed: (error) => `Network error: ${error.message}`,
    late: (path) => `Network error: Get "${origin}${path}": context deadline exceeded`,
  };
}

/** Of one over gRPC, which has the words of its errors already. */
export const RPC_PROBE_WORDS: ProbeWords = {
  failed: (error) => `Probe error: ${error.message}`,
  late: () => 'Probe error: rpc error: code = DeadlineExceeded desc = context deadline exceeded',
};
