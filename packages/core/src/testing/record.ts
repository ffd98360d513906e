import type { Listener, PolicyEvent } from '../events.ts';

/** A listener that keeps what it hears, in order. */
export function record(): { readonly listener: Listener; readonly events: PolicyEvent[] } {
  const events: PolicyEvent[] = [];
  return { listener: (event) => events.push(event), events };
}
