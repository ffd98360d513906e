import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Place } from '../resources/place.ts';
import { readLabelRules } from '../resources/read-label-rules.ts';
import { relabelBy } from './relabel.ts';

test('a rule is for one label of one metric, by the name on the page or without dapr_', () => {
  const { relabel } = read([
    rule('dapr_http_server_latency', 'path', { '/o/{id}': '/o/\\d+' }),
    rule('grpc_io_server_completed_rpcs', 'grpc_server_method', { Dapr: '.*\\.Dapr' }),
  ]);
  assert.deepEqual(
    [
      relabel('dapr_http_server_latency', 'path')?.('/o/7 /o/8'),
      relabel('dapr_http_server_latency', 'method'),
      relabel('dapr_http_server_request_count', 'path'),
      relabel('dapr_grpc_io_server_completed_rpcs', 'grpc_server_method')?.('/a.v1.Dapr/Get'),
    ],
    ['/o/{id} /o/{id}', undefined, undefined, 'Dapr/Get'],
  );
});

test('a replacement is written as it is, and rewrites follow one another', () => {
  const { relabel } = read([rule('m', 'path', { '$1$&': '(a)', b: '&' })]);
  assert.equal(relabel('dapr_m', 'path')?.('xax'), 'x$1$bx');
});

test('what is no rule is left out, and told with its place', () => {
  const { warnings } = read([
    { labels: [] },
    { name: 'm', labels: [{ name: 'path' }] },
    { name: 'm', labels: 7 },
    rule('m', 'path', { a: '(open' }),
  ]);
  assert.deepEqual(
    warnings.map((line) => line.replace(/: Invalid regular.*/, ': …')),
    [
      'c.yaml: metrics.rules[0].name must be the name of a metric; the rule is left out.',
      'c.yaml: metrics.rules[1].labels[0] must have a name and a regex of "what to write: expression"; left out.',
      'c.yaml: metrics.rules[2].labels must be a list; it is left out.',
      'c.yaml: metrics.rules[3].labels[0].regex.a must be a regular expression as Go reads it; it is left out: …',
    ],
  );
});

const rule = (name: string, label: string, regex: Record<string, string>) => ({
  name,
  labels: [{ name: label, regex }],
});

function read(given: unknown) {
  const warnings: string[] = [];
  const place = new Place('c.yaml', ['metrics', 'rules']);
  const rules = readLabelRules(given, place, (line) => void warnings.push(line));
  return { relabel: relabelBy(rules ?? []), warnings };
}
