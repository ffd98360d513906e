import type { Clock, Timer } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { InputBinding } from './binding.ts';
import { cronSchedule } from './cron-schedule.ts';

/** The wall clock may be set, and a machine may sleep: it is looked at this often at least. */
const LONGEST_WAIT_MS = 30_000;

/**
 * `bindings.cron`: tells the application that it is time. One run at a time: a
 * moment that comes while the application is busy with the one before is left out.
 *
 * @throws Error for a schedule that is none.
 */
export function cronBinding(settings: ComponentSettings, clock: Clock, log: Logger): InputBinding {
  const text = settings.text('schedule');
  if (text === undefined) throw new Error('schedule not set');
  const schedule = cronSchedule(text);
  let timer: Timer | undefined;
  let running: Promise<unknown> | undefined;
  let leftOut = 0;

  const run = (handle: Parameters<InputBinding['start']>[0]) => {
    if (running !== undefined) {
      leftOut += 1;
      return;
    }
    const metadata = { readTimeUTC: goTime(clock.wallMs()), timeZone: 'Local' };
    running = handle({ data: null, metadata })
      // Whoever handles it has said what there is to say.
      .catch(() => {})
      .finally(() => {
        running = undefined;
        if (leftOut > 0) {
          log.warn(
            `binding ${settings.component}: the application took so long that ${leftOut} of its moments were left out.`,
          );
        }
        leftOut = 0;
      });
  };
  const arm = (dueMs: number | undefined, handle: Parameters<InputBinding['start']>[0]) => {
    if (dueMs === undefined) return;
    const waitMs = Math.min(Math.max(0, dueMs - clock.wallMs()), LONGEST_WAIT_MS);
    timer = clock.timer(waitMs, () => {
      const nowMs = clock.wallMs();
      if (nowMs < dueMs) {
        // Not yet; and if the clock was set back, what comes next is another moment.
        const nextMs = schedule.next(nowMs);
        arm(nextMs === undefined ? dueMs : Math.min(dueMs, nextMs), handle);
        return;
      }
      run(handle);
      arm(schedule.next(nowMs), handle);
    });
  };
  const suspend = async () => {
    timer?.cancel();
    timer = undefined;
    await running;
  };
  return {
    start(handle) {
      if (timer === undefined) arm(schedule.next(clock.wallMs()), handle);
    },
    suspend,
    stop: suspend,
  };
}

/** A moment as Go writes it: `2026-11-27 16:41:45.5 +0000 UTC`. */
function goTime(wallMs: number): string {
  const [day, time = ''] = new Date(wallMs).toISOString().split('T');
  return `${day} ${time.replace(/\.?0*Z$/, '')} +0000 UTC`;
}
