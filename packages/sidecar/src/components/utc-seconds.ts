/** A moment as Dapr writes it: `2026-11-27T14:00:00Z`. */
export const utcSeconds = (wallMs: number): string =>
  `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
