import type { Direction } from '@holdfast/config';
import type { Listener, PolicyEvent } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { goDuration } from '../go-json/go-duration.ts';

/** Listeners that tell the log of retries and circuits, in daprd's words: operators look for its lines. */
export interface PolicyLines {
  ofApp(id: string): Listener;
  /** `label` as Dapr's metrics have it: `Statestore_orders`. */
  ofComponent(label: string, direction: Direction): Listener;
  /** Of the retries of an unreachable peer. */
  readonly ofBuiltIn: Listener;
}

/** What daprd calls the thing that failed, and its circuit. */
interface Names {
  operation(event: PolicyEvent): string;
  circuit(event: PolicyEvent): string;
}

/** Calls that are being tried again; should their ends be missed, this stays bounded. */
const MAX_RETRIED = 10_000;

export function policyLines(log: Logger): PolicyLines {
  return {
    // Pipelines are named as daprd names an endpoint; one without a circuit is for all methods, and none is told.
    ofApp: (id) =>
      linesOf(log, {
        operation: ({ pipeline }) => `endpoint[${id}, ${pipeline.replace(/:$/, '')}]`,
        circuit: ({ pipeline }) => pipeline,
      }),
    ofComponent(label, direction) {
      const name = label.slice(label.indexOf('_') + 1);
      const way = direction === 'outbound' ? 'output' : 'input';
      return linesOf(log, {
        operation: () => `component[${name}] ${way}`,
        circuit: ({ policy }) => `${policy}-${name}`,
      });
    },
    ofBuiltIn: linesOf(log, {
      operation: ({ pipeline }) => pipeline,
      circuit: ({ pipeline }) => pipeline,
    }),
  };
}

function linesOf(log: Logger, names: Names): Listener {
  const retried = new Set<number>();
  return (event) => {
    switch (event.type) {
      case 'retry': {
        // Of a call its first failure is told, and its end where that is a good one.
        if (event.attempt !== 1) return;
        if (retried.size >= MAX_RETRIED) retried.clear();
        retried.add(event.call);
        const operation = names.operation(event);
        log.warn(
          `Error processing operation ${operation}. Retrying in ${goDuration(Math.round(event.delayMs))}…`,
        );
        log.debug(`Error for operation ${operation} was: ${wordsOf(event.error)}`);
        return;
      }
      // A failed answer that is handed on is no failure of the call.
      case 'retry-stopped':
        retried.delete(event.call);
        return;
      case 'call':
        if (!retried.delete(event.call) || event.outcome !== 'success') return;
        log.info(
          `Recovered processing operation ${names.operation(event)} after ${event.attempts} attempts`,
        );
        return;
      case 'circuit': {
        const { error, from, policy, to, why } = event;
        const last = error instanceof Error ? { last: error.message } : {};
        const name = names.circuit(event);
        log.info(`Circuit breaker "${name}" changed state from ${from} to ${to}`, {
          policy,
          why,
          ...last,
        });
        return;
      }
      default:
        // The others are many, or of a policy that Dapr does not have: the metrics tell of them.
        return;
    }
  };
}

const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'the answer was a failure';
