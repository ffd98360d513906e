import type { SidecarMetrics } from './sidecar-metrics.ts';

type Facts = Pick<SidecarMetrics, 'componentUp' | 'componentFailed' | 'loaded' | 'certificate'>;

/** One that fails again and again is told of no more often than that. */
const MOST = 1_000;

/** What is told once, and holds for as long as the sidecar runs. */
export function keptFacts() {
  const said: ((metrics: Facts) => void)[] = [];
  let certificate: number | undefined;
  const keep = (fact: (metrics: Facts) => void, to: Facts): void => {
    if (said.length < MOST) said.push(fact);
    fact(to);
  };
  return {
    /** The facts, remembered, and told to what is there now. */
    kept: (now: () => Facts): Facts => ({
      componentUp: (type) => keep((to) => to.componentUp(type), now()),
      componentFailed: (type, name, reason) =>
        keep((to) => to.componentFailed(type, name, reason), now()),
      loaded: (documents) => keep((to) => to.loaded(documents), now()),
      certificate(notAfterMs) {
        certificate = notAfterMs;
        now().certificate(notAfterMs);
      },
    }),
    /** Tells all of them again. */
    tell(to: Facts): void {
      for (const fact of said) fact(to);
      if (certificate !== undefined) to.certificate(certificate);
    },
  };
}
