import type { CacheRule, FallbackRule } from '@holdfast/config';
import { CACHE_DEFAULTS, cache, FALLBACK_DEFAULTS, fallback, type Policy } from '@holdfast/core';
import { isBodyFailure } from '../flow/request-body.ts';
import { type KeptAnswer, WholeAnswer } from './kept-answer.ts';

/** The application's own answer, of a status that is to be replaced if there is something better. */
export class FailedAnswer extends Error {
  readonly answer: KeptAnswer;

  constructor(answer: KeptAnswer) {
    super(`the application answered ${answer.status}`);
    this.name = 'FailedAnswer';
    this.answer = answer;
  }
}

/** The part of a cache that one answer may take. */
const PART_OF_CACHE = 16;

export const largestAnswerBytes = ({ options }: CacheRule): number =>
  Math.floor((options.maxBytes ?? 0) / PART_OF_CACHE);

/** A cache of whole answers. */
export function answerCache({ name, options }: CacheRule): Policy {
  return cache({
    name,
    ...options,
    sizeOf: (answer) => (answer as KeptAnswer).bytes,
    cacheIf: (answer) => (answer as KeptAnswer).keepable,
    staleIf(error) {
      if (!(error instanceof FailedAnswer)) {
        return !isBodyFailure(error) && CACHE_DEFAULTS.staleIf(error);
      }
      error.answer.discard();
      return true;
    },
  });
}

/** The file's answer, in place of a failure or of an answer that counts as one. */
export function fixedFallback(rule: FallbackRule): Policy {
  const { name, status, headers, body } = rule;
  const instead = new WholeAnswer(status, headers, Buffer.from(body), Number.POSITIVE_INFINITY);
  return fallback({
    name,
    fallbackIf: (error) =>
      error instanceof FailedAnswer
        ? rule.matches(error.answer.status)
        : !isBodyFailure(error) && FALLBACK_DEFAULTS.fallbackIf(error),
    steps: [
      {
        kind: 'default',
        answer(error) {
          if (error instanceof FailedAnswer) error.answer.discard();
          return instead;
        },
      },
    ],
  });
}

/** Whether an answer is one that a fallback, or an older answer, may stand in for. */
export function isReplaceable(
  status: number,
  { cache: kept, fallback: instead }: { cache?: CacheRule; fallback?: FallbackRule },
): boolean {
  if (instead?.matches(status) === true) return true;
  return status >= 500 && (kept?.options.staleIfErrorMs ?? 0) > 0;
}
