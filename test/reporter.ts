/** A test reporter that is silent about what passes, shows failures whole, and counts in the end. */

import { type EventData } from 'node:test';

interface Event {
  readonly type: string;
  readonly data: EventData.TestPass & EventData.TestFail & EventData.TestDiagnostic;
}

/** Leaf tests are counted; a suite that holds others is not a test. */
export default async function* report(source: AsyncIterable<Event>): AsyncGenerator<string> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const reasons = new Map<string, number>();
  const started = performance.now();
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    if (data.skip !== undefined) {
      counts.skipped += 1;
      const reason = `${data.name}: ${String(data.skip)}`;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    } else if (type === 'test:pass') {
      counts.passed += 1;
    } else {
      counts.failed += 1;
      yield failure(data);
    }
  }
  for (const reason of reasons.keys()) yield `skipped: ${reason}\n`;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  yield `in ${seconds} s\n`;
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}

function failure(data: Event['data']): string {
  const error: unknown = data.details?.error?.cause ?? data.details?.error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `FAILED ${data.name}\n  ${data.file ?? ''}:${data.line ?? ''}\n${indent(text)}\n`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
