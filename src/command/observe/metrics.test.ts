/** Figures and their page: counted right, bounded, for loopback alone. */

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { serveMetrics } from './endpoint.ts';
import { figures } from './metrics.ts';

interface Page {
  readonly status: number | undefined;
  readonly text: string;
}

function get(port: number, path: string, host: string, method = 'GET'): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, method, host: '127.0.0.1', headers: { host } });
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('counters, gauges, histograms, and the process', async () => {
  const metrics = figures();
  metrics.count('messages_total', { listener: 'smtp' });
  metrics.count('messages_total', { listener: 'smtp' }, 2);
  metrics.count('messages_total', { listener: 'imap', unheard: 'of' });
  metrics.gauge('queue_messages', 7);
  metrics.observe('commit_seconds', 0.02);
  // The same name as another kind is a mistake of ours that must not end a session.
  metrics.gauge('messages_total', 1);
  const text = await metrics.text();
  assert.match(text, /^postern_messages_total\{listener="smtp"\} 3$/m);
  assert.match(text, /^postern_messages_total\{listener="imap"\} 1$/m);
  assert.match(text, /^postern_queue_messages 7$/m);
  assert.match(text, /^postern_commit_seconds_bucket\{le="0.03"\} 1$/m);
  assert.match(text, /^nodejs_eventloop_lag_seconds /m);
  assert.match(text, /^process_resident_memory_bytes /m);
});

test('labels from outside cannot fill the memory', async () => {
  const metrics = figures();
  for (let index = 0; index < 3_000; index += 1) metrics.count('x_total', { who: `w${index}` });
  const all = (await metrics.text()).split('\n');
  const lines = all.filter((line) => line.startsWith('postern_x_total'));
  assert.equal(lines.length, 1_001);
  assert.ok(lines.includes('postern_x_total{who="other"} 2000'));
});

test('figures that are looked up are fresh; one that fails hides no other', async () => {
  const metrics = figures();
  let now = 0;
  metrics.onReading(() => Promise.reject(new Error('the disk is gone')));
  metrics.onReading(async () => metrics.gauge('now', (now += 1)));
  assert.match(await metrics.text(), /^postern_now 1$/m);
  assert.match(await metrics.text(), /^postern_now 2$/m);
});

test('two registries share nothing', async () => {
  figures().count('only_here_total');
  assert.doesNotMatch(await figures().text(), /only_here/);
});

test('/metrics answers loopback names alone, and nothing else', async () => {
  const endpoint = await serveMetrics(figures(), { host: '127.0.0.1', port: 0 });
  try {
    const { port } = endpoint;
    const good = await get(port, '/metrics', `localhost:${port}`);
    assert.equal(good.status, 200);
    assert.match(good.text, /process_cpu/);
    const table: readonly (readonly [
      path: string,
      host: string,
      method: string,
      status: number,
    ])[] = [
      ['/metrics', 'evil.example', 'GET', 403],
      ['/metrics', '127.0.0.1.evil.example', 'GET', 403],
      ['/metrics', `[::1]:${port}`, 'GET', 200],
      ['/', '127.0.0.1', 'GET', 404],
      ['/metrics/../etc/passwd', '127.0.0.1', 'GET', 404],
      ['/metrics', '127.0.0.1', 'POST', 405],
      ['/metrics?x=1', '127.0.0.1', 'HEAD', 200],
    ];
    for (const [path, host, method, status] of table) {
      assert.equal(
        (await get(port, path, host, method)).status,
        status,
        `${method} ${path} ${host}`,
      );
    }
  } finally {
    await endpoint.close();
  }
});

test('a place that is taken, and one that is not loopback, are refused with words', async () => {
  const first = await serveMetrics(figures(), { host: '127.0.0.1', port: 0 });
  try {
    const place = { host: '127.0.0.1', port: first.port };
    await assert.rejects(serveMetrics(figures(), place), /metrics_listen: .* is in use/);
  } finally {
    await first.close();
  }
  const open = { host: '0.0.0.0', port: 0 };
  await assert.rejects(serveMetrics(figures(), open), /0\.0\.0\.0 is no loopback address/);
});
