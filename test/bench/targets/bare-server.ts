/** The least that a durable server on this runtime does: answers, and one row a message. No server for anybody. */

import { createServer, type Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const [port = '0', database = ''] = process.argv.slice(2);
const END = Buffer.from('\r\n.\r\n');

if (isMainThread) answerAll(new Worker(new URL(import.meta.url), { workerData: database }));
else writeAll(workerData as string);

/** The writer: all that waits in one transaction, with the settings that Postern has. */
function writeAll(file: string): void {
  const sql = new DatabaseSync(file);
  sql.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  sql.exec('CREATE TABLE messages (id INTEGER PRIMARY KEY, octets BLOB)');
  const [begin, commit] = [sql.prepare('BEGIN IMMEDIATE'), sql.prepare('COMMIT')];
  const insert = sql.prepare('INSERT INTO messages (octets) VALUES (?)');
  parentPort?.on('message', (messages: readonly Uint8Array[]) => {
    begin.run();
    for (const octets of messages) insert.run(octets);
    commit.run();
    parentPort?.postMessage(messages.length, []);
  });
}

function answerAll(writer: Worker): void {
  let waiting: { readonly octets: Uint8Array; readonly socket: Socket }[] = [];
  let isWriting = false;
  const write = (): void => {
    if (isWriting || waiting.length === 0) return;
    isWriting = true;
    const batch = waiting;
    waiting = [];
    writer.once('message', () => {
      isWriting = false;
      write();
      for (const { socket } of batch) socket.write('250 Ok\r\n');
    });
    writer.postMessage(
      batch.map(({ octets }) => octets),
      [],
    );
  };
  createServer({ noDelay: true }, (socket) => {
    serve(socket, (octets) => {
      if (waiting.length === 0) setImmediate(write);
      waiting.push({ octets, socket });
    });
  }).listen(Number(port), '127.0.0.1');
}

/** Takes every command for one of those that smtp-source sends, one at a time. */
function serve(socket: Socket, keep: (octets: Uint8Array) => void): void {
  let pieces: Buffer[] | undefined;
  socket.on('error', () => socket.destroy());
  socket.write('220 bare\r\n');
  socket.on('data', (bytes: Buffer) => {
    if (pieces !== undefined) {
      pieces.push(bytes);
      if (!bytes.subarray(-END.length).equals(END)) return;
      keep(Buffer.concat(pieces));
      pieces = undefined;
      return;
    }
    const verb = bytes.toString('latin1', 0, 4).toUpperCase();
    if (verb === 'DATA') pieces = [];
    if (verb === 'QUIT') socket.end('221 Bye\r\n');
    else socket.write(verb === 'DATA' ? '354 Go on\r\n' : '250 Ok\r\n');
  });
}
