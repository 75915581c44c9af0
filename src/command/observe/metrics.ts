/** The Metrics for real: prom-client's registry, its own process figures, and a cap on labels. */

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Metrics } from '#base/world.ts';

export interface Figures extends Metrics {
  /** `refresh` runs before each reading: for figures that are looked up, not counted. */
  onReading(refresh: () => Promise<void>): void;
  /** All of them in Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

type Labels = Readonly<Record<string, string>>;

/** Different label values of one metric; more are counted under `other`. */
const SERIES = 1_000;
const METRICS = 500;
const BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];

/** A registry of its own: nothing is shared between two servers in one process. */
export function figures(): Figures {
  const registry = new Registry();
  // With process_*, nodejs_eventloop_lag_* and the garbage collector's.
  collectDefaultMetrics({ register: registry });
  const known = new Map<string, Known>();
  const refreshing: (() => Promise<void>)[] = [];
  const find = (kind: Known['kind'], name: string, labels: Labels): Known | undefined => {
    const found = known.get(name);
    if (found !== undefined) return found.kind === kind ? found : undefined;
    if (known.size >= METRICS) return undefined;
    const made = make(kind, `postern_${name}`, Object.keys(labels), registry);
    known.set(name, made);
    return made;
  };
  return {
    count: (name, labels = {}, by = 1) => {
      const metric = find('counter', name, labels);
      if (metric?.kind === 'counter') metric.metric.inc(metric.labels(labels), by);
    },
    gauge: (name, value, labels = {}) => {
      const metric = find('gauge', name, labels);
      if (metric?.kind === 'gauge') metric.metric.set(metric.labels(labels), value);
    },
    observe: (name, seconds, labels = {}) => {
      const metric = find('histogram', name, labels);
      if (metric?.kind === 'histogram') metric.metric.observe(metric.labels(labels), seconds);
    },
    onReading: (refresh) => void refreshing.push(refresh),
    text: async () => {
      // A figure that cannot be had must not hide the others.
      await Promise.allSettled(refreshing.map((refresh) => refresh()));
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

type Known =
  | { readonly kind: 'counter'; readonly metric: Counter; labels(given: Labels): Labels }
  | { readonly kind: 'gauge'; readonly metric: Gauge; labels(given: Labels): Labels }
  | { readonly kind: 'histogram'; readonly metric: Histogram; labels(given: Labels): Labels };

function make(kind: Known['kind'], name: string, names: string[], registry: Registry): Known {
  const options = { name, help: help(name), labelNames: names, registers: [registry] };
  const labels = labelFilter(names);
  if (kind === 'counter') return { kind, metric: new Counter(options), labels };
  if (kind === 'gauge') return { kind, metric: new Gauge(options), labels };
  return { kind, metric: new Histogram({ ...options, buckets: BUCKETS }), labels };
}

/** Exactly the first call's label names, and no more than SERIES combinations of values. */
function labelFilter(names: readonly string[]): (given: Labels) => Labels {
  const seen = new Set<string>();
  const other = Object.fromEntries(names.map((name) => [name, 'other']));
  return (given) => {
    if (names.length === 0) return {};
    const values = names.map((name) => (given[name] ?? '').slice(0, 100));
    const key = values.join('\0');
    if (!seen.has(key)) {
      if (seen.size >= SERIES) return other;
      seen.add(key);
    }
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  };
}

function help(name: string): string {
  return `${name.replaceAll('_', ' ')}.`;
}
