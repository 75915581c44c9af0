/** One question and its answer as DNS messages (RFC 1035 4, RFC 6891). */

import * as dns from 'dns-packet';
import { asBuffer } from '#base/bytes.ts';
import { inspect } from './inspect.ts';

export type RecordType = 'MX' | 'A' | 'AAAA' | 'TXT' | 'PTR' | 'TLSA' | 'SRV' | 'CAA';

export interface Question {
  /** A-labels, lower case, no trailing dot. */
  readonly name: string;
  readonly type: RecordType;
}

export type Answered =
  /** Not the answer to this question: a spoof, or one that came late. */
  | { readonly kind: 'stray' }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'truncated' }
  | {
      readonly kind: 'answered';
      /** 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
      readonly code: number;
      /** The AD bit as sent. */
      readonly authentic: boolean;
      readonly answers: readonly dns.Answer[];
      readonly authorities: readonly dns.Answer[];
      /** Of the whole message. */
      readonly octets: number;
    };

/** Answers larger than this come over TCP: what no path fragments (RFC 9715). */
export const UDP_OCTETS = 1_232;

/** The question as a message; AD says that we understand the answer's AD (RFC 6840 5.7). */
export function encodeQuestion(question: Question, id: number): Buffer {
  return dns.encode({
    type: 'query',
    id,
    flags: dns.RECURSION_DESIRED | dns.AUTHENTIC_DATA,
    questions: [{ name: question.name, type: question.type }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_OCTETS,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/** A received message, held against the question that was asked with `id`. */
export function decodeAnswer(message: Uint8Array, question: Question, id: number): Answered {
  if (message.length < 12 || asBuffer(message).readUInt16BE(0) !== id) return { kind: 'stray' };
  const broken = inspect(message);
  if (broken !== undefined) return { kind: 'broken', reason: broken };
  const packet = decode(message);
  if (packet === undefined) return { kind: 'broken', reason: 'not readable' };
  const [asked] = packet.questions ?? [];
  const echoed = asked?.type === question.type && asked.name.toLowerCase() === question.name;
  if (!packet.flag_qr || !echoed) return { kind: 'stray' };
  if (packet.flag_tc) return { kind: 'truncated' };
  return {
    kind: 'answered',
    code: (packet.flags ?? 0) % 16,
    authentic: packet.flag_ad,
    answers: packet.answers ?? [],
    authorities: packet.authorities ?? [],
    octets: message.length,
  };
}

function decode(message: Uint8Array): dns.DecodedPacket | undefined {
  try {
    return dns.decode(asBuffer(message));
  } catch {
    return undefined;
  }
}
