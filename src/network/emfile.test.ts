/** Out of descriptors: the accept loop neither spins nor dies, and serves again afterwards. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

/** In a process of its own, since the limit holds for all of a process. */
const SERVER = `
import { tcpNetwork } from '${new URL('./tcp.ts', import.meta.url).href}';
const open = [];
const where = { host: '127.0.0.1', port: 0, maxConnections: 1000 };
const listener = await tcpNetwork().listen(where, (connection) => open.push(connection));
console.log(listener.local.port);
const cpu = () => process.cpuUsage().user + process.cpuUsage().system;
process.stdin.on('data', (command) => {
  if (String(command) === 'free') for (const one of open.splice(0)) one.destroy();
  const before = cpu();
  setTimeout(() => console.log(open.length + ' ' + (cpu() - before)), 150);
});
process.stdin.on('end', () => process.exit());
`;

test('at EMFILE connections are shed without spinning; later ones are served', async () => {
  const script = 'ulimit -n 40; exec "$0" --input-type=module -e "$1"';
  const child = spawn('sh', ['-c', script, process.execPath, SERVER], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const port = Number(await next());
  const sockets = Array.from({ length: 60 }, () => connect(port, '127.0.0.1').resume());
  for (const socket of sockets) socket.on('error', () => {});
  const settled = sockets.map(
    (socket) => new Promise((resolve) => socket.once('connect', resolve)),
  );
  await Promise.all(settled);
  child.stdin.write('look');
  const [full, busyMicroseconds] = (await next()).split(' ').map(Number);
  assert.ok(full! > 0 && full! < 40, `accepted ${full}`);
  assert.ok(busyMicroseconds! < 75_000, `spins: ${busyMicroseconds} of 150,000 us`);
  child.stdin.write('free');
  assert.equal((await next()).split(' ')[0], '0');
  const late = connect(port, '127.0.0.1').resume();
  late.on('error', () => {});
  await new Promise((resolve) => late.once('connect', resolve));
  child.stdin.write('look');
  assert.equal((await next()).split(' ')[0], '1');
  for (const socket of [...sockets, late]) socket.destroy();
  child.stdin.end();
  await new Promise((resolve) => child.once('exit', resolve));
});
