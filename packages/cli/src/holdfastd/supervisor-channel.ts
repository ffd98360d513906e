import type { SidecarMessage } from '../supervisor/sidecar-message.ts';

/** The channel to the supervisor that started this process, where one did. */
export interface SupervisorChannel {
  /** Resolves when the message is on its way. */
  say(message: SidecarMessage): Promise<void>;
  /** Calls `gone` when the supervisor ends, however it ends. */
  onGone(gone: () => void): void;
  close(): void;
}

/** The channel of this process, or one that leads nowhere when it was started by hand. */
export function supervisorChannel(): SupervisorChannel {
  let onGone: (() => void) | undefined;
  return {
    say: (message) =>
      new Promise((resolve) => {
        if (process.send === undefined || !process.connected) resolve();
        else process.send(message, undefined, {}, () => resolve());
      }),
    onGone: (gone) => {
      if (process.channel === undefined) return;
      onGone = gone;
      process.once('disconnect', gone);
      // The sidecar's own listeners keep it alive, not this channel; but a lost parent is still heard.
      if (!process.connected) gone();
    },
    close: () => {
      // Our own hanging up is not the loss of the supervisor.
      if (onGone !== undefined) process.removeListener('disconnect', onGone);
      if (process.connected) process.disconnect();
    },
  };
}
