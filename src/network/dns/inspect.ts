/** A first look at a DNS message: whether its shape is safe to hand to a decoder. */

/** Records that one message may hold; real ones hold fewer than a hundred. */
export const RECORDS = 1_000;

const HEADER = 12;
const JUMPS = 32;
const NAME_OCTETS = 255;
const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  CAA: 257,
};
/** Types whose data hold no names, so that nothing in them is followed. */
const OPAQUE: ReadonlySet<number> = new Set([16, 41, 52]);

/**
 * Why a message is not worth decoding, or undefined. Every name is walked with a limit on its
 * jumps (a chain of pointers in each of 10^4 records costs seconds otherwise), every length is
 * held against the data it announces, and only types that we ask for or that come along with
 * them are let through. Time is linear in the message.
 */
export function inspect(message: Uint8Array): string | undefined {
  if (message.length < HEADER) return 'shorter than its header';
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const questions = view.getUint16(4);
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  if (questions !== 1) return `${questions} questions`;
  if (records > RECORDS) return `${records} records`;
  let at = skipName(message, HEADER);
  if (at === undefined) return 'a broken name';
  at += 4;
  for (let index = 0; index < records; index += 1) {
    const end = skipRecord(message, view, at);
    if (end === undefined) return 'a broken record';
    at = end;
  }
  return undefined;
}

/** The offset behind the record, or undefined if it is broken. */
function skipRecord(message: Uint8Array, view: DataView, from: number): number | undefined {
  const name = skipName(message, from);
  if (name === undefined || name + 10 > message.length) return undefined;
  const type = view.getUint16(name);
  const data = name + 10;
  const end = data + view.getUint16(name + 8);
  if (end > message.length) return undefined;
  return dataFits(message, type, data, end) ? end : undefined;
}

function dataFits(message: Uint8Array, type: number, data: number, end: number): boolean {
  if (OPAQUE.has(type)) return true;
  switch (type) {
    case TYPE.A:
      return end - data === 4;
    case TYPE.AAAA:
      return end - data === 16;
    case TYPE.NS:
    case TYPE.CNAME:
    case TYPE.PTR:
    case TYPE.DNAME:
      return skipName(message, data) === end;
    case TYPE.MX:
      return skipName(message, data + 2) === end;
    case TYPE.SRV:
      return skipName(message, data + 6) === end;
    case TYPE.CAA: {
      const tag = message[data + 1];
      return tag !== undefined && tag > 0 && data + 2 + tag <= end;
    }
    case TYPE.SOA: {
      const second = skipName(message, data);
      const tail = second === undefined ? undefined : skipName(message, second);
      return tail !== undefined && tail + 20 === end;
    }
    default:
      return false;
  }
}

/** The offset behind a name, its pointers followed to see that they end; undefined if not. */
function skipName(message: Uint8Array, from: number): number | undefined {
  let at = from;
  let end: number | undefined;
  let octets = 0;
  let jumps = 0;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return end ?? at + 1;
    if (length < 64) {
      octets += length + 1;
      at += length + 1;
      if (octets > NAME_OCTETS) return undefined;
      continue;
    }
    const low = message[at + 1];
    if (length < 192 || low === undefined) return undefined;
    end ??= at + 2;
    jumps += 1;
    if (jumps > JUMPS) return undefined;
    at = (length - 192) * 256 + low;
  }
}
