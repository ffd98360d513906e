import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseExposition } from '../testing/parse-exposition.ts';
import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  test('counters, gauges and histograms are rendered as Prometheus reads them', () => {
    const metrics = createMetrics();
    metrics.counter('jobs_total', 'Jobs.', ['zone', 'app']).labels('z', 'a').inc(2);
    metrics.gauge('depth', 'Depth.').labels().set(-1.5);
    const sizes = metrics.histogram('size', 'Size.', ['app'], [1, 10]).labels('a');
    for (const value of [0, 1, 1.5, 10, 11]) sizes.observe(value);

    assert.deepEqual(shown(metrics.render()), [
      '# HELP jobs_total Jobs.',
      '# TYPE jobs_total counter',
      'jobs_total{app="a",zone="z"} 2',
      '# HELP depth Depth.',
      '# TYPE depth gauge',
      'depth -1.5',
      '# HELP size Size.',
      '# TYPE size histogram',
      'size_bucket{app="a",le="1"} 2',
      'size_bucket{app="a",le="10"} 4',
      'size_bucket{app="a",le="+Inf"} 5',
      'size_sum{app="a"} 23.5',
      'size_count{app="a"} 5',
    ]);
  });

  test('quotes, backslashes and line breaks are escaped, and empty values shown', () => {
    const metrics = createMetrics();
    const odd = metrics.counter('odd_total', 'Back\\slash\nand break.', ['a', 'b']);
    odd.labels('q"\\\n', '').inc();
    odd.labels('', '').inc();

    assert.deepEqual(shown(metrics.render()), [
      '# HELP odd_total Back\\\\slash\\nand break.',
      '# TYPE odd_total counter',
      'odd_total{a="q\\"\\\\\\n",b=""} 1',
      'odd_total{a="",b=""} 1',
    ]);
    assert.ok(parseExposition(metrics.render()));
  });

  test('a family over its limit counts in one series and says how often', () => {
    const metrics = createMetrics({ maxSeries: 2 });
    const family = metrics.counter('paths_total', 'Paths.', ['path']);
    for (const path of ['/a', '/b', '/c', '/d', '/a']) family.labels(path).inc();

    const { paths_total, holdfast_metrics_overflows_total } = parseExposition(metrics.render());
    assert.deepEqual(paths_total?.samples, {
      'paths_total{path="/a"}': 2,
      'paths_total{path="/b"}': 1,
      'paths_total{path="overflow"}': 2,
    });
    assert.deepEqual(holdfast_metrics_overflows_total?.samples, {
      'holdfast_metrics_overflows_total{metric="paths_total"}': 2,
    });
  });

  test('a caller who is called overflow does not show the series twice', () => {
    const metrics = createMetrics({ maxSeries: 1 });
    const family = metrics.counter('x_total', 'X.', ['app']);
    family.labels('overflow').inc();
    family.labels('other').inc();

    assert.deepEqual(parseExposition(metrics.render()).x_total?.samples, {
      'x_total{app="overflow"}': 2,
    });
  });

  test('a label of megabytes is cut', () => {
    const metrics = createMetrics();
    metrics.counter('x_total', 'X.', ['path']).labels('a'.repeat(1_000_000)).inc();

    assert.ok(metrics.render().length < 1_000);
  });

  test('a counter never falls and a sum is never spoiled', () => {
    const metrics = createMetrics();
    const counter = metrics.counter('x_total', 'X.').labels();
    const histogram = metrics.histogram('h', 'H.', [], [1]).labels();
    counter.inc(3);
    counter.inc(-1);
    counter.inc(Number.NaN);
    histogram.observe(Number.NaN);
    histogram.observe(0.5);

    const { x_total, h } = parseExposition(metrics.render());
    assert.deepEqual(
      [x_total?.samples, h?.samples],
      [{ x_total: 3 }, { 'h_bucket{le="1"}': 1, 'h_bucket{le="+Inf"}': 1, h_sum: 0.5, h_count: 1 }],
    );
  });

  test('an alias shows the samples of its families under one more name', () => {
    const metrics = createMetrics();
    metrics.counter('a_total', 'A.', ['x']).labels('1').inc();
    metrics.counter('b_total', 'B.', ['y']).labels('2').inc(4);
    metrics.alias('both', 'Both.', [
      metrics.counter('a_total', 'A.', ['x']),
      metrics.counter('b_total', 'B.', ['y']),
    ]);

    assert.deepEqual(parseExposition(metrics.render()).both?.samples, {
      'both{x="1"}': 1,
      'both{y="2"}': 4,
    });
  });

  test('collectors run once per scrape', () => {
    const metrics = createMetrics();
    const depth = metrics.gauge('depth', 'Depth.').labels();
    metrics.collect(() => depth.inc());
    metrics.render();

    assert.deepEqual(parseExposition(metrics.render()).depth?.samples, { depth: 2 });
  });

  test('what cannot work is refused where it is written', () => {
    const metrics = createMetrics();
    metrics.counter('x_total', 'X.', ['a']);
    const mistakes: readonly [() => unknown, RegExp][] = [
      [() => createMetrics({ maxSeries: 0 }), /metrics.maxSeries must be .* not 0/],
      [() => metrics.counter('1x', ''), /name must match .*"1x"/],
      [() => metrics.counter('y', '', ['le']), /"le"/],
      [() => metrics.counter('y', '', ['a', 'a']), /twice/],
      [() => metrics.gauge('x_total', 'X.', ['a']), /already a counter/],
      [() => metrics.counter('x_total', 'X.', ['b']), /already a counter with labels \(a\)/],
      [() => metrics.histogram('y', '', [], [2, 1]), /buckets of y/],
      [() => metrics.histogram('y', '', [], []), /at least one/],
      [() => metrics.counter('x_total', 'X.', ['a']).labels(), /1 labels \(a\), not 0/],
      [() => metrics.alias('z', '', []), /one kind/],
    ];
    for (const [mistake, message] of mistakes) {
      assert.throws(mistake, { name: 'RangeError', message });
    }
  });
});

/** The lines of a scrape, without those about the registry itself. */
function shown(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.includes('holdfast_metrics'));
}
