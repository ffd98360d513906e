import type { Transcript } from '../transcript/transcript.ts';
import type { LoadSummary, Traffic } from './load.ts';

/** The background loads of one drill: each is noted when it ends, and none outlives the script. */
export interface SteadyTraffic {
  begin(traffic: Traffic, perSecond: number): Traffic;
  stopAll(): Promise<void>;
}

export function steadyTraffic({ note }: Transcript): SteadyTraffic {
  const running = new Set<Traffic>();
  return {
    begin(traffic, perSecond) {
      note({ kind: 'said', text: `background traffic from here on: ${perSecond} requests/s` });
      const stop = async (): Promise<LoadSummary> => {
        running.delete(tracked);
        const summary = await traffic.stop();
        note({ kind: 'loaded', what: 'end of the background traffic', summary });
        return summary;
      };
      let stopped: Promise<LoadSummary> | undefined;
      const tracked: Traffic = {
        accepted: () => traffic.accepted(),
        stop: () => (stopped ??= stop()),
      };
      running.add(tracked);
      return tracked;
    },
    async stopAll() {
      await Promise.all([...running].map((traffic) => traffic.stop()));
    },
  };
}
