/** A real DNS server on loopback for tests, UDP and TCP: the zone is data, faults included. */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server } from 'node:net';
import * as dns from 'dns-packet';

/** What one name holds. All lists may be left out. */
export interface ZoneEntry {
  readonly mx?: readonly (readonly [preference: number, exchange: string])[];
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  /** Each text is one record; an array is one record of several strings. */
  readonly txt?: readonly (string | readonly string[])[];
  readonly cname?: string;
  /** For PTR the zone's key may be the address itself. */
  readonly ptr?: readonly string[];
  readonly tlsa?: readonly {
    readonly usage: number;
    readonly selector: number;
    readonly matching: number;
    readonly data: Uint8Array;
  }[];
  readonly srv?: readonly (readonly [
    priority: number,
    weight: number,
    port: number,
    target: string,
  ])[];
  readonly caa?: readonly (readonly [
    flags: number,
    tag: 'issue' | 'issuewild' | 'iodef',
    value: string,
  ])[];
  /** Default 300. */
  readonly ttl?: number;
  /** Sets the AD bit. */
  readonly authentic?: boolean;
  readonly fault?: DnsFault;
  /** Answers only after this time. */
  readonly slowMs?: number;
  /** Answers these octets, with the id put in, instead of anything else. */
  readonly raw?: Uint8Array;
}

export type DnsFault =
  | 'servfail'
  | 'refused'
  | 'drop'
  /** Over UDP an empty answer with TC; over TCP the true one. */
  | 'truncate'
  /** Answers with another id first, then not at all. */
  | 'wrong-id'
  /** Answers about another name, then not at all. */
  | 'wrong-question'
  /** A false answer with another id, then the true one. */
  | 'spoofed-first'
  /** NXDOMAIN and nodata without the SOA that says for how long. */
  | 'no-soa'
  /** The CNAME alone, without its target's records. */
  | 'cname-only';

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  /** `127.0.0.1:5353`, as the resolver's options take it. */
  readonly server: string;
  /** Names in lower case; change it at any time. */
  readonly zone: Map<string, ZoneEntry>;
  /** Each question that came, `MX demo.test udp`. */
  readonly queries: string[];
  close(): Promise<void>;
}

const CNAMES = 20;
const UDP_OCTETS = 1_232;

/** Starts it on a free port of 127.0.0.1. */
export async function startDnsServer(
  zone: Readonly<Record<string, ZoneEntry>> = {},
  options: { readonly port?: number } = {},
): Promise<DnsServer> {
  const entries = new Map(Object.entries(zone).map(([name, entry]) => [name.toLowerCase(), entry]));
  const queries: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, task: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, ms);
    timers.add(timer);
  };
  const serve = (query: Buffer, over: 'udp' | 'tcp', send: (answer: Buffer) => void): void => {
    const decoded = decodeQuery(query);
    const question = decoded?.questions?.[0];
    if (decoded === undefined || question === undefined) return;
    queries.push(`${question.type} ${question.name} ${over}`);
    const entry = entryFor(entries, question.name);
    const answers = respond(entries, entry, decoded, question, over);
    const reply = (): void => answers.forEach(send);
    if (entry?.slowMs === undefined) reply();
    else later(entry.slowMs, reply);
  };
  const { tcp, udp } = await bind(serve, options.port ?? 0);
  const { address, port } = tcp.address() as AddressInfo;
  return {
    address,
    port,
    server: `${address}:${port}`,
    zone: entries,
    queries,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await new Promise<void>((resolve) => udp.close(() => resolve()));
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
    },
  };
}

type Serve = (query: Buffer, over: 'udp' | 'tcp', send: (answer: Buffer) => void) => void;

/** The same free port for both: found by trying. */
async function bind(serve: Serve, wanted: number): Promise<{ tcp: Server; udp: UdpSocket }> {
  for (;;) {
    const tcp = tcpServer(serve);
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(wanted, '127.0.0.1', resolve);
    });
    const udp = createSocket('udp4');
    const { port } = tcp.address() as AddressInfo;
    const bound = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    if (bound) {
      udp.on('error', () => {});
      udp.on('message', (query, from) => {
        serve(query, 'udp', (answer) => udp.send(answer, from.port, from.address, () => {}));
      });
      return { tcp, udp };
    }
    tcp.close();
    if (wanted !== 0) throw new Error(`port ${wanted} is taken for UDP`);
  }
}

function tcpServer(serve: Serve): Server {
  return createServer((socket) => {
    let pending: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, Buffer.from(bytes)]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        serve(pending.subarray(2, end), 'tcp', (answer) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([length, answer]));
        });
        pending = pending.subarray(end);
      }
    });
  });
}

function respond(
  zone: Map<string, ZoneEntry>,
  entry: ZoneEntry | undefined,
  query: dns.DecodedPacket,
  question: dns.Question,
  over: 'udp' | 'tcp',
): Buffer[] {
  const id = query.id ?? 0;
  if (entry?.raw !== undefined) {
    const raw = Buffer.from(entry.raw);
    raw.writeUInt16BE(id, 0);
    return [raw];
  }
  const whole = response(zone, entry, question, id);
  switch (entry?.fault) {
    case 'drop':
      return [];
    case 'servfail':
      return [encode(id, question, 2)];
    case 'refused':
      return [encode(id, question, 5)];
    case 'wrong-id':
      return [response(zone, entry, question, (id + 1) % 65_536)];
    case 'wrong-question':
      return [encode(id, { ...question, name: `x.${question.name}` }, 0)];
    case 'spoofed-first':
      return [encode((id + 1) % 65_536, question, 3), whole];
    case 'truncate':
      return [over === 'udp' ? encode(id, question, dns.TRUNCATED_RESPONSE) : whole];
    default: {
      const cut = over === 'udp' && whole.length > UDP_OCTETS;
      return [cut ? encode(id, question, dns.TRUNCATED_RESPONSE) : whole];
    }
  }
}

function response(
  zone: Map<string, ZoneEntry>,
  entry: ZoneEntry | undefined,
  question: dns.Question,
  id: number,
): Buffer {
  const answers: dns.Answer[] = [];
  let name = question.name;
  let at = entry;
  for (let hop = 0; hop < CNAMES && at?.cname !== undefined; hop += 1) {
    if (question.type === 'CNAME') break;
    answers.push({ type: 'CNAME', name, ttl: at.ttl ?? 300, data: at.cname });
    if (entry?.fault === 'cname-only') return encode(id, question, 0, answers);
    name = at.cname;
    at = entryFor(zone, name);
  }
  const records = recordsOf(name, at, question.type);
  const flags = (entry?.authentic === true ? dns.AUTHENTIC_DATA : 0) | (at === undefined ? 3 : 0);
  const soa = records.length === 0 && entry?.fault !== 'no-soa' ? [startOfAuthority(at)] : [];
  return encode(id, question, flags, [...answers, ...records], soa);
}

function recordsOf(name: string, entry: ZoneEntry | undefined, type: dns.RecordType): dns.Answer[] {
  const ttl = entry?.ttl ?? 300;
  switch (type) {
    case 'MX':
      return (entry?.mx ?? []).map(([preference, exchange]) => {
        return { type, name, ttl, data: { preference, exchange } };
      });
    case 'A':
      return (entry?.a ?? []).map((data) => ({ type, name, ttl, data }));
    case 'AAAA':
      return (entry?.aaaa ?? []).map((data) => ({ type, name, ttl, data }));
    case 'PTR':
      return (entry?.ptr ?? []).map((data) => ({ type, name, ttl, data }));
    case 'TXT':
      return (entry?.txt ?? []).map((text) => {
        const strings = (typeof text === 'string' ? [text] : text).map((one) => Buffer.from(one));
        return { type, name, ttl, data: strings };
      });
    case 'TLSA':
      return (entry?.tlsa ?? []).map(({ usage, selector, matching, data }) => {
        const certificate = Buffer.from(data);
        const record = { usage, selector, matchingType: matching, certificate };
        return { type, name, ttl, data: record };
      });
    case 'SRV':
      return (entry?.srv ?? []).map(([priority, weight, port, target]) => {
        return { type, name, ttl, data: { priority, weight, port, target } };
      });
    case 'CAA':
      return (entry?.caa ?? []).map(([flags, tag, value]) => {
        return { type, name, ttl, data: { flags, tag, value } };
      });
    default:
      return [];
  }
}

function startOfAuthority(entry: ZoneEntry | undefined): dns.Answer {
  const ttl = entry?.ttl ?? 300;
  const data = { mname: 'ns.test', rname: 'root.test', serial: 1, minimum: ttl };
  return { type: 'SOA', name: 'test', ttl, data };
}

function encode(
  id: number,
  question: dns.Question,
  flags: number,
  answers: dns.Answer[] = [],
  authorities: dns.Answer[] = [],
): Buffer {
  const all = flags | dns.RECURSION_AVAILABLE | dns.RECURSION_DESIRED;
  return dns.encode({
    type: 'response',
    id,
    flags: all,
    questions: [question],
    answers,
    authorities,
  });
}

function entryFor(zone: Map<string, ZoneEntry>, name: string): ZoneEntry | undefined {
  const bare = name.toLowerCase().replace(/\.$/, '');
  return zone.get(bare) ?? zone.get(addressOf(bare) ?? '');
}

/** `1.2.0.192.in-addr.arpa` to `192.0.2.1`; IPv6 to its long form without shortening. */
function addressOf(name: string): string | undefined {
  const v4 = /^([0-9.]+)\.in-addr\.arpa$/.exec(name)?.[1];
  if (v4 !== undefined) return v4.split('.').toReversed().join('.');
  const v6 = /^([0-9a-f.]{63})\.ip6\.arpa$/.exec(name)?.[1];
  if (v6 === undefined) return undefined;
  const digits = v6.split('.').toReversed().join('');
  return new URL(`http://[${digits.match(/.{4}/g)?.join(':')}]/`).hostname.slice(1, -1);
}

function decodeQuery(query: Buffer): dns.DecodedPacket | undefined {
  try {
    return dns.decode(query);
  } catch {
    return undefined;
  }
}
