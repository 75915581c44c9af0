/** One question to one server: over UDP, and over TCP when the answer was cut off. */

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { concat } from '#base/bytes.ts';
import type { Clock, Endpoint, Random } from '#base/world.ts';
import { decodeAnswer, encodeQuestion, type Answered, type Question } from './packet.ts';

export type Reached =
  | Extract<Answered, { kind: 'answered' }>
  | { readonly kind: 'unanswered'; readonly reason: string };

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tryMs: number;
}

/** Messages that were not the answer: more is somebody guessing ids. */
const STRAYS = 16;

/**
 * Asks once. Each question has a fresh id and a fresh port, the socket is connected so that the
 * kernel drops what comes from elsewhere, and the question must come back (RFC 5452 9.1).
 */
export async function exchange(
  question: Question,
  server: Endpoint,
  options: ExchangeOptions,
): Promise<Reached> {
  const startMs = options.clock.elapsed();
  const over = await overUdp(question, server, options, options.tryMs);
  if (over.kind !== 'truncated') return over;
  const leftMs = options.tryMs - (options.clock.elapsed() - startMs);
  return overTcp(question, server, options, Math.max(1, leftMs));
}

function overUdp(
  question: Question,
  server: Endpoint,
  options: ExchangeOptions,
  ms: number,
): Promise<Reached | { readonly kind: 'truncated' }> {
  const id = freshId(options.random);
  return new Promise((resolve) => {
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    let strays = 0;
    const done = (answer: Reached | { readonly kind: 'truncated' }): void => {
      timer.cancel();
      socket.removeAllListeners('message');
      closeOnce(socket);
      resolve(answer);
    };
    const timer = options.clock.after(ms, () => done(unanswered('no answer in time')));
    socket.on('error', (error) => done(unanswered(error.message)));
    socket.on('message', (message) => {
      const answer = decodeAnswer(message, question, id);
      if (answer.kind === 'broken') done(unanswered(`a broken answer: ${answer.reason}`));
      else if (answer.kind !== 'stray') done(answer);
      else if ((strays += 1) > STRAYS) done(unanswered('too many answers to other questions'));
    });
    socket.connect(server.port, server.address, () => {
      socket.send(encodeQuestion(question, id), (error) => {
        if (error) done(unanswered(error.message));
      });
    });
  });
}

function overTcp(
  question: Question,
  server: Endpoint,
  options: ExchangeOptions,
  ms: number,
): Promise<Reached> {
  const id = freshId(options.random);
  return new Promise((resolve) => {
    const socket = connect(server.port, server.address);
    const pieces: Uint8Array[] = [];
    let received = 0;
    let needed: number | undefined;
    const done = (answer: Reached): void => {
      timer.cancel();
      socket.removeAllListeners('data');
      socket.destroy();
      resolve(answer);
    };
    const timer = options.clock.after(ms, () => done(unanswered('no answer over TCP in time')));
    socket.on('error', (error) => done(unanswered(error.message)));
    socket.on('close', () => done(unanswered('closed without an answer')));
    socket.on('connect', () => socket.write(framed(encodeQuestion(question, id))));
    socket.on('data', (bytes: Uint8Array) => {
      pieces.push(bytes);
      received += bytes.length;
      // The length may come octet by octet; what follows is joined once, when it is all there.
      if (needed === undefined && received >= 2) {
        const [high = 0, low = 0] = concat(pieces);
        needed = 2 + high * 256 + low;
      }
      if (needed === undefined || received < needed) return;
      const all = concat(pieces).subarray(2, needed);
      const answer = decodeAnswer(all, question, id);
      done(answer.kind === 'answered' ? answer : unanswered(`over TCP: ${answer.kind}`));
    });
  });
}

function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
}

function freshId(random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return high * 256 + low;
}

function unanswered(reason: string): Reached {
  return { kind: 'unanswered', reason };
}

/** The socket may have failed before it was bound, or be closed already. */
function closeOnce(socket: { close(): unknown }): void {
  try {
    socket.close();
  } catch {
    // Closed already: that is what was wanted.
  }
}
