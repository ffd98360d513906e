import type { StageWorld } from './stage.ts';

/** Names a pipeline's state in stores that others use as well; each key of a family has its own. */
export const scopeOf = ({ key, pipeline }: StageWorld): string =>
  key === undefined ? pipeline : `${pipeline}/${key}`;
