export { record } from './record.ts';
export { seededRandom } from './seeded-random.ts';
export { type Timeline, type TimelineEntry, timeline } from './timeline.ts';
export { VirtualClock } from './virtual-clock.ts';
export { type VirtualTimer, type VirtualTimers, virtualTimers } from './virtual-timers.ts';
export { type Played, type VirtualWorld, virtualWorld } from './virtual-world.ts';
