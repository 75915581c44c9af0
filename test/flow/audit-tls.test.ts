/** TLS by hand: each weakness planted in a server made of records, and in real ones; none in their twins. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import type { Finding } from '#audit/finding.ts';
import { tlsAgreement, tlsCiphers, tlsVersions } from '#audit/probes/tls/index.ts';
import { auditMock, auditPorts } from '../world/audit.ts';
import { testCertificate } from '../world/certificates.ts';
import {
  alert,
  flight,
  type FlightOptions,
  message,
  record,
  type Responder,
  type SeenHello,
  startTlsMock,
} from '../world/tls-mock.ts';

const PROBES = [tlsVersions, tlsCiphers, tlsAgreement];
const GOOD = [0xc02c, 0xc030, 0xc02b, 0xc02f];
const EXTENSIONS = [
  [0xff01, Buffer.of(0)],
  [23, Buffer.alloc(0)],
] as const;

/** A server of TLS 1.2 and 1.3 as it should be. */
const careful: Responder = (hello) => {
  if (hello.version === 0x0304) return flight({ version: 0x0304, suite: 0x1301 });
  if (hello.version !== 0x0303) return alert(70);
  if (hello.suites.includes(0x5600)) return alert(86);
  if (hello.extensions.has(16)) return alert(120);
  if (!offersCurve(hello, 23)) return alert(40);
  if (!signatures(hello).includes(0x0403)) return alert(40);
  const suite = GOOD.find((one) => hello.suites.includes(one));
  return suite === undefined ? alert(40) : agreed({ suite });
};

function agreed(options: Partial<FlightOptions>): Buffer {
  return flight({
    version: 0x0303,
    suite: 0xc02c,
    random: marked(),
    extensions: EXTENSIONS,
    keyExchange: ecdhe(23, 0x0403),
    ...options,
  });
}

function marked(): Buffer {
  return Buffer.concat([randomBytes(24), Buffer.from('DOWNGRD\x01', 'latin1')]);
}

function ecdhe(curve: number, signature: number): Buffer {
  const point = Buffer.alloc(65, 4);
  const head = Buffer.of(3, curve >> 8, curve & 255, point.length);
  return Buffer.concat([head, point, Buffer.of(signature >> 8, signature & 255, 0, 1, 0)]);
}

function dhe(bits: number): Buffer {
  const prime = Buffer.concat([Buffer.of(0), Buffer.alloc(bits / 8, 0xff)]);
  const length = Buffer.of(prime.length >> 8, prime.length & 255);
  return Buffer.concat([length, prime, Buffer.of(0, 1, 2, 0, 1, 2, 4, 1, 0, 1, 0)]);
}

function offersCurve({ extensions }: SeenHello, curve: number): boolean {
  return numbers(extensions.get(10)).includes(curve);
}

function signatures({ extensions }: SeenHello): number[] {
  return numbers(extensions.get(13));
}

function numbers(list: Buffer = Buffer.alloc(2)): number[] {
  return Array.from({ length: (list.length - 2) / 2 }, (_, at) => list.readUInt16BE(2 + at * 2));
}

function speaks(version: number, suite: number): Responder {
  const answer = flight({ version, suite, extensions: EXTENSIONS, keyExchange: ecdhe(23, 0x0403) });
  return (hello) => (hello.version >= version && hello.version < 0x0303 ? answer : undefined);
}

function takes(suite: number, keyExchange?: Buffer): Responder {
  return (hello) => {
    if (hello.version !== 0x0303 || !hello.suites.includes(suite)) return undefined;
    if (hello.suites.includes(0xc02c) || hello.suites.includes(0x5600)) return undefined;
    return agreed({ suite, ...(keyExchange === undefined ? {} : { keyExchange }) });
  };
}

/** Another answer where the careful server would agree to TLS 1.2. */
function instead(options: Partial<FlightOptions>): Responder {
  return (hello, socket) => {
    const answer = careful(hello, socket);
    return hello.version === 0x0303 && answer?.[0] === 22 ? agreed(options) : undefined;
  };
}

const tls10 = speaks(0x0301, 0xc009);
const failsAtPrimes: Responder = (hello, socket) => {
  if (hello.version > 0x0302 || hello.version < 0x0300) return undefined;
  return hello.suites.includes(0x0033) ? void socket.end() : tls10(hello, socket);
};

/** Whatever the hello wants, TLS 1.0 and an old suite. */
const ancient: Responder = (hello) => {
  if (hello.version < 0x0301) return alert(70);
  if (!hello.suites.includes(0x0035)) return alert(40);
  return flight({ version: 0x0301, suite: 0x0035, extensions: EXTENSIONS });
};

const staticOnly: Responder = (hello) => {
  if (hello.version !== 0x0303 || hello.suites.includes(0x5600) || hello.extensions.has(16))
    return undefined;
  return hello.suites.includes(0x009c) ? agreed({ suite: 0x009c }) : alert(40);
};

const sslv2: Responder = (hello) =>
  hello.version === 2 ? Buffer.of(0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0) : undefined;

const rejectsGrease: Responder = (hello) => (hello.suites.includes(0x5a5a) ? alert(47) : undefined);

const ignoresScsv: Responder = (hello) =>
  hello.version === 0x0303 && hello.suites.includes(0x5600) ? agreed({}) : undefined;

const clientsOrder: Responder = (hello, socket) => {
  const suite = hello.suites.find((one) => GOOD.includes(one));
  return careful(hello, socket)?.[0] === 22 && hello.version === 0x0303 && suite !== undefined
    ? agreed({ suite })
    : undefined;
};

const weakCurve: Responder = (hello) =>
  hello.version === 0x0303 && !offersCurve(hello, 23) && !hello.extensions.has(16)
    ? agreed({ keyExchange: ecdhe(19, 0x0403) })
    : undefined;

const weakHash: Responder = (hello) =>
  hello.version === 0x0303 && !signatures(hello).includes(0x0403)
    ? agreed({ keyExchange: ecdhe(23, 0x0201) })
    : undefined;

const ignoresAlpn: Responder = (hello) =>
  hello.version === 0x0303 && hello.extensions.has(16) ? agreed({}) : undefined;

const fixed = Buffer.alloc(32, 7);
const constant: Responder = (hello) =>
  hello.version === 0x0304 ? flight({ version: 0x0304, suite: 0x1301, random: fixed }) : undefined;
const constantBoth: Responder = (hello, socket) =>
  constant(hello, socket) ?? instead({ random: fixed })(hello, socket);

const unmarked: Responder = (hello, socket) => instead({ random: randomBytes(32) })(hello, socket);

const only12: Responder = (hello, socket) => {
  if (hello.version !== 0x0304) return undefined;
  return careful({ ...hello, version: 0x0303 }, socket);
};

/** What is planted, and exactly which checks must find something. */
const PLANTS: Readonly<Record<string, readonly [Responder, ...string[]]>> = {
  nothing: [() => undefined],
  SSLv2: [sslv2, 'tls.sslv2'],
  SSLv3: [
    (hello) =>
      hello.version >= 0x0300 && hello.version < 0x0303
        ? flight({ version: 0x0300, suite: 0x002f })
        : undefined,
    'tls.sslv3',
  ],
  'TLS 1.0': [speaks(0x0301, 0xc009), 'tls.tls10'],
  'TLS 1.0 that fails at Diffie-Hellman': [failsAtPrimes, 'tls.tls10'],
  'TLS 1.1': [speaks(0x0302, 0xc009), 'tls.tls11'],
  'TLS 1.0 alone': [
    ancient,
    'tls.tls10',
    'tls.no-tls12',
    'tls.no-tls13',
    'tls.static-rsa',
    'tls.no-forward-secrecy',
    'tls.alpn-ignored',
  ],
  'no TLS 1.3': [only12, 'tls.no-tls13'],
  'no fallback SCSV': [ignoresScsv, 'tls.no-fallback-scsv'],
  'no downgrade mark': [unmarked, 'tls.no-downgrade-mark'],
  'no tolerance': [rejectsGrease, 'tls.intolerant'],
  'a constant random': [constantBoth, 'tls.random-repeated', 'tls.no-downgrade-mark'],
  NULL: [takes(0x003b), 'tls.null-cipher'],
  anonymous: [takes(0x0034), 'tls.anonymous-cipher'],
  export: [takes(0x0003), 'tls.export-cipher'],
  DES: [takes(0x0009), 'tls.des-cipher'],
  RC4: [takes(0xc011), 'tls.rc4-cipher'],
  '3DES': [takes(0x000a), 'tls.triple-des-cipher'],
  'static RSA beside': [takes(0x009c), 'tls.static-rsa'],
  'static RSA alone': [staticOnly, 'tls.static-rsa', 'tls.no-forward-secrecy'],
  CBC: [takes(0xc009), 'tls.cbc-cipher', 'tls.no-encrypt-then-mac'],
  "the client's order": [clientsOrder, 'tls.client-preference'],
  compression: [instead({ compression: 1 }), 'tls.compression'],
  'no renegotiation_info': [
    instead({ extensions: EXTENSIONS.slice(1) }),
    'tls.renegotiation-unsafe',
  ],
  'no extended master secret': [
    instead({ extensions: EXTENSIONS.slice(0, 1) }),
    'tls.no-extended-master-secret',
  ],
  heartbeat: [instead({ extensions: [...EXTENSIONS, [15, Buffer.of(1)]] }), 'tls.heartbeat'],
  'DH with 1024 bits': [takes(0x009e, dhe(1_024)), 'tls.dh-small'],
  'DH with 2048 bits': [takes(0x009e, dhe(2_048))],
  'a weak curve': [weakCurve, 'tls.weak-curve'],
  'a weak hash': [weakHash, 'tls.sha1-signature'],
  'ALPN not looked at': [ignoresAlpn, 'tls.alpn-ignored'],
};

/** The plant first; where it says nothing, the careful server. */
function beside(plant: Responder): Responder {
  return (hello, socket) =>
    plant(hello, socket) ?? (socket.writableEnded ? undefined : careful(hello, socket));
}

async function severity(userOnly: boolean): Promise<string | undefined> {
  return (await findingsOf(ancient, userOnly)).find(({ id }) => id === 'tls.tls10')?.severity;
}

function answer(line: string): string {
  return `* CAPABILITY IMAP4rev1\r\n${line.split(' ', 1)[0]} OK\r\n`;
}

async function findingsOf(respond: Responder, userOnly = false): Promise<readonly Finding[]> {
  const server = await startTlsMock(respond, userOnly);
  try {
    return (await auditPorts([server.port], PROBES)).findings;
  } finally {
    await server.close();
  }
}

function foundIn(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ id, confidence }) => id.startsWith('tls.') && confidence === 'confirmed')
    .map(({ id }) => id)
    .sort();
}

const unclearIn = (findings: readonly Finding[]) =>
  findings
    .filter(({ id, confidence }) => id.startsWith('tls.') && confidence === 'inconclusive')
    .map(({ id, seen }) => `${id}: ${seen}`);

suite('servers made of records', () => {
  for (const [name, [plant, ...ids]] of Object.entries(PLANTS)) {
    test(`${name}: found, and nothing else`, async () => {
      for (let round = 0; round < 3; round += 1) {
        const findings = await findingsOf(beside(plant));
        assert.deepEqual(foundIn(findings), ids.toSorted());
        assert.deepEqual(unclearIn(findings), []);
      }
    });
  }

  test('tls.tls10 is grave where users log in and mild where strangers deliver', async () => {
    assert.equal(await severity(true), 'high');
    assert.equal(await severity(false), 'low');
  });
});

/** What no server in its right mind does: nothing of it may hang, nor become a finding. */
suite('servers that attack the client', () => {
  const hello = flight({ version: 0x0303, suite: 0xc02c }).subarray(0, 60);
  const hostile: Readonly<Record<string, Responder>> = {
    silence: () => undefined,
    'the end at once': (_hello, socket) => void socket.destroy(),
    'half a ServerHello, then the end': (_hello, socket) => void socket.end(hello.subarray(0, 30)),
    garbage: () => randomBytes(5_000),
    zeros: () => Buffer.alloc(5_000),
    'a record without end': () =>
      Buffer.concat([Buffer.of(22, 3, 3, 0xff, 0xff), randomBytes(70_000)]),
    'a message without end': (_hello, socket) => {
      const part = record(22, 0x0303, Buffer.alloc(16_000, 1));
      socket.write(record(22, 0x0303, Buffer.of(2, 0xff, 0xff, 0xff)));
      const next = (): void => {
        if (socket.destroyed) return;
        socket.write(part);
        setTimeout(next, 5);
      };
      next();
    },
    'warnings without end': (_hello, socket) => {
      const warning = record(21, 0x0303, Buffer.of(1, 112));
      for (let count = 0; count < 5_000 && !socket.destroyed; count += 1) socket.write(warning);
    },
    'ServerHellos without end': (_hello, socket) => {
      const one = record(22, 0x0303, message(2, Buffer.alloc(40, 3)));
      for (let count = 0; count < 2_000 && !socket.destroyed; count += 1) socket.write(one);
    },
    'an octet at a time': (_hello, socket) => {
      const octets = [...flight({ version: 0x0303, suite: 0xc02c })];
      const next = (): void => {
        const octet = octets.shift();
        if (octet === undefined || socket.destroyed) return;
        socket.write(Buffer.of(octet));
        setTimeout(next, 300);
      };
      next();
    },
    'lengths that lie': () =>
      record(22, 0x0303, message(2, Buffer.concat([Buffer.alloc(34, 3), Buffer.of(255, 1, 2, 3)]))),
  };
  for (const [name, respond] of Object.entries(hostile)) {
    test(`${name}: over in time, and nothing found`, { timeout: 30_000 }, async () => {
      const started = performance.now();
      const findings = await findingsOf(respond);
      assert.ok(performance.now() - started < 12_000, `${performance.now() - started} ms`);
      assert.deepEqual(foundIn(findings), []);
      assert.ok(unclearIn(findings).length > 0, 'silence is no pass');
    });
  }
});

suite('real servers', () => {
  const rsa = testCertificate({ names: ['127.0.0.1', 'mock.test'], key: { rsa: 2_048 } });
  const greeting = '* OK ready\r\n';
  const found = async (context: object) => {
    const findings = await auditMock(
      { greeting, answer, implicit: true, tls: rsa, context },
      PROBES,
    );
    assert.deepEqual(unclearIn([...findings.values()]), []);
    return foundIn([...findings.values()]);
  };
  const usual = {
    minVersion: 'TLSv1.2',
    ciphers: 'ECDHE+AESGCM:ECDHE+CHACHA20',
    honorCipherOrder: true,
  };

  test('a careful one has nothing but ALPN that nobody looks at', async () => {
    assert.deepEqual(await found(usual), ['tls.alpn-ignored']);
  });

  test('TLS 1.0 and 1.1 with old ciphers', async () => {
    const old = { ...usual, minVersion: 'TLSv1', ciphers: 'ECDHE+AES:AES128-SHA:@SECLEVEL=0' };
    const ids = await found(old);
    for (const id of ['tls.tls10', 'tls.tls11', 'tls.cbc-cipher', 'tls.static-rsa'])
      assert.ok(ids.includes(id), id);
    assert.ok(!ids.includes('tls.sslv3') && !ids.includes('tls.no-forward-secrecy'));
  });

  test('anonymous and NULL ciphers', async () => {
    const ids = await found({ ...usual, ciphers: 'ECDHE+AESGCM:aNULL:eNULL:@SECLEVEL=0' });
    for (const id of ['tls.anonymous-cipher', 'tls.null-cipher']) assert.ok(ids.includes(id), id);
    assert.ok(!ids.includes('tls.rc4-cipher') && !ids.includes('tls.export-cipher'));
  });

  test("the client's order, and TLS 1.2 alone", async () => {
    const ids = await found({ ...usual, honorCipherOrder: false, maxVersion: 'TLSv1.2' });
    assert.deepEqual(ids, ['tls.alpn-ignored', 'tls.client-preference', 'tls.no-tls13']);
  });

  test('TLS 1.3 alone: what does not apply is said so', async () => {
    assert.deepEqual(await found({ minVersion: 'TLSv1.3' }), []);
  });
});
