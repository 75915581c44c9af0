/** Ends of data planted one family at a time in a careful server: exactly that family is found. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Level } from '#audit/check.ts';
import type { Finding } from '#audit/finding.ts';
import * as smuggling from '#audit/probes/smuggling/index.ts';
import { ENDINGS } from '#audit/probes/smuggling/sequences.ts';
import { auditPorts } from '../world/audit.ts';
import { type LaxOptions, startLaxSmtp } from '../world/lax-smtp.ts';
import { Secret } from '#base/secret.ts';
import type { CanaryMessage } from '#audit/probe.ts';

type Told = ReadonlyMap<string, Finding>;

async function audited(options: LaxOptions, level: Level = 'active'): Promise<Told> {
  const server = await startLaxSmtp(options);
  try {
    const { findings } = await auditPorts([server.port], Object.values(smuggling), {
      level,
      domains: ['mock.test'],
    });
    return new Map(findings.map((finding) => [finding.id, finding]));
  } finally {
    server.close();
  }
}

/** Confirmed or likely, with the severity. */
function told(findings: Told): string[] {
  return [...findings.values()]
    .filter(({ confidence }) => confidence === 'confirmed' || confidence === 'likely')
    .map(({ id, severity }) => `${id} ${severity}`)
    .toSorted();
}

describe('the product of ends of data', { concurrency: 6 }, () => {
  it('has 126 sequences, each in one family', () => {
    assert.equal(ENDINGS.length, 126);
    assert.equal(new Set(ENDINGS.map(({ name }) => name)).size, 126);
    const controls = ENDINGS.filter(({ family }) => family === 'control');
    assert.deepEqual(
      controls.map(({ name }) => name),
      ['CRLF.CRLF', 'CRCRLF.CRLF', 'NUL+CRLF.CRLF'],
    );
    const doubled = ENDINGS.find(({ name }) => name === 'CRLF+LF.LF');
    assert.equal(doubled?.family, 'lf', 'the dot does not stand behind CRLF');
  });

  it('a careful server shows none, with the genuine end as the positive control', async () => {
    const findings = await audited({});
    assert.deepEqual(told(findings), []);
    const lf = findings.get('smuggling.bare-lf');
    assert.equal(lf?.confidence, 'not-observed');
    assert.ok((lf?.controls.positive?.passed ?? 0) > 0);
  });

  const planted: readonly (readonly [string, LaxOptions, readonly string[]])[] = [
    ['bare LF', { end: /\r\n\.\r\n|[^\r]\n\.\r\n/ }, ['smuggling.bare-lf high']],
    ['bare CR', { end: /\r\n\.\r\n|\r\.\r[^\n]/ }, ['smuggling.bare-cr high']],
    ['NUL', { end: /\r\n\0?\.\r\n/ }, ['smuggling.nul high']],
    ['U+2028', { end: /(?:\r\n|\xe2\x80\xa8)\.\r\n/ }, ['smuggling.line-break high']],
    ['a lax suffix', { end: /\r\n\.(?:\r\n|\n)/ }, ['smuggling.lenient-end info']],
    ['the end of the stream', { endsWithStream: true }, ['smuggling.end-of-stream low']],
    ['an end in a chunk', { bdat: 'ends-at-dot' }, ['smuggling.bdat-dot high']],
  ];
  for (const [name, options, expected] of planted) {
    it(`${name} alone`, async () => {
      assert.deepEqual(told(await audited(options)), expected);
    });
  }

  it('an end behind which everything is thrown away is medium', async () => {
    const findings = await audited({ end: /\r\n\.\r\n|[^\r]\n\.\r\n/, discards: true });
    // Written in pieces, what comes behind is run all the same.
    assert.deepEqual(told(findings), ['smuggling.bare-lf high']);
    const safe = await audited({ end: /\r\n\.\r\n|[^\r]\n\.\r\n/, discards: true }, 'safe');
    assert.deepEqual(told(safe), ['smuggling.bare-lf medium']);
  });

  // OpenSMTPD 6.8 with filters: it is asked in turn first, because it does not offer PIPELINING.
  for (const level of ['safe', 'active'] as const) {
    it(`a server that something behind an end brings down stays up, level ${level}`, async () => {
      const lax = { end: /\r\n\.\r\n|[^\r]\n\.\r\n/, dies: true };
      const findings = await audited({ ...lax, keywords: ['SIZE 1000000', 'DSN'] }, level);
      assert.deepEqual(told(findings), ['smuggling.bare-lf high']);
      const hasty = await audited({ ...lax, keywords: ['PIPELINING', 'DSN'] }, level);
      assert.deepEqual(told(hasty), [], 'the control: nothing is learnt once it is down');
      assert.equal(hasty.get('smuggling.bare-lf')?.confidence, 'inconclusive');
    });
  }

  it('the end of the stream is tried in as many manners where PIPELINING is not offered', async () => {
    const [usual, inTurn] = await Promise.all(
      [['PIPELINING', 'DSN'], ['DSN']].map(async (keywords) => {
        const findings = await audited({ endsWithStream: true, keywords });
        return findings.get('smuggling.end-of-stream')?.controls.repeated;
      }),
    );
    assert.ok((usual?.passed ?? 0) >= 3, JSON.stringify(usual));
    assert.deepEqual(inTurn, usual);
  });

  it('a server that does not count hops gets no mail by it, but the one of the control', async () => {
    const server = await startLaxSmtp({ countsHops: false });
    try {
      const probes = Object.values(smuggling);
      const { findings } = await auditPorts([server.port], probes, { level: 'active' });
      const bare = findings.find(({ id }) => id === 'smuggling.bare-lf');
      assert.equal(bare?.confidence, 'not-observed', bare?.seen ?? '');
      assert.ok(server.messages.length <= 2, `${server.messages.length}`);
    } finally {
      server.close();
    }
  });

  it('an error inside content is no end of it', async () => {
    // It says so at once, and reads on to the genuine end.
    const findings = await audited({ end: /\r\n\.\r\n/, content: () => '554 5.4.6 too many hops' });
    assert.deepEqual(told(findings), []);
  });

  it('three runs say the same', async () => {
    const runs: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const findings = await audited({ end: /\r\n\.\r\n|[^\r]\n\.(?:\r\n|\n)/ }, 'safe');
      const bare = findings.get('smuggling.bare-lf');
      runs.push(JSON.stringify([bare?.confidence, bare?.severity, bare?.details['executed']]));
    }
    assert.equal(new Set(runs).size, 1, runs.join('\n'));
    assert.match(runs[0] ?? '', /confirmed.*high.*LF\.LF/);
  });
});

function refusing(reply: string): LaxOptions['hook'] {
  return (line) => (line.startsWith('RCPT') ? reply : undefined);
}

describe('level safe', () => {
  it('finds the telling ones, and delivers nothing', async () => {
    const server = await startLaxSmtp({ end: /\r?\n\.\r?\n/ });
    try {
      const probes = Object.values(smuggling);
      const { findings } = await auditPorts([server.port], probes, { level: 'safe' });
      const found = told(new Map(findings.map((one) => [one.id, one])));
      assert.deepEqual(found, ['smuggling.bare-lf high', 'smuggling.lenient-end info']);
      assert.deepEqual(server.messages, []);
    } finally {
      server.close();
    }
  });

  it('says why nothing could be told where no mail is taken', async () => {
    const closed = await audited({ hook: refusing('550 5.7.1 no') }, 'safe');
    assert.ok(closed.get('smuggling.bare-lf')?.seen.startsWith('not applicable: no mail'));
    const deferred = await audited({ hook: refusing('450 4.7.1 later') }, 'safe');
    assert.equal(deferred.get('smuggling.bare-lf')?.confidence, 'inconclusive');
  });
});

/** A submission server that hands on to the canary what `leaves` makes of it. */
async function outboundOf(
  leaves: (content: string) => string,
  refuses: RegExp | undefined,
): Promise<string[]> {
  const messages: CanaryMessage[] = [];
  const canary = {
    domain: 'canary.test',
    endpoint: { address: '127.0.0.1', port: 25 },
    arrived: async (token: string) =>
      messages.find(({ octets }) => Buffer.from(octets).includes(token)),
  };
  const server = await startLaxSmtp({
    keywords: ['AUTH PLAIN', 'PIPELINING'],
    hook: (line) => {
      if (line.startsWith('AUTH')) return '235 2.7.0 yes';
      return line.startsWith('RCPT') && line.includes('@canary.test') ? '250 2.1.5 ok' : undefined;
    },
    // A recipient that only the hook knows.
    relays: true,
    content: (octets) => (refuses?.test(octets) === true ? '550 5.6.0 bare line ends' : undefined),
    deliver: (octets) => {
      const from = { address: '127.0.0.1', port: 9 };
      const left = Buffer.from(leaves(octets), 'latin1');
      messages.push({ from, reversePath: '', recipients: [], octets: left });
    },
  });
  try {
    const { findings } = await auditPorts([server.port], [smuggling.outbound], {
      level: 'active',
      domains: ['mock.test'],
      options: { account: { login: 'ann', password: new Secret('s3cret-pass') }, canary },
    });
    return told(new Map(findings.map((finding) => [finding.id, finding])));
  } finally {
    server.close();
  }
}

const bare = /\0|\r(?!\n)|(?<!\r)\n/;

function asItCame(octets: string): string {
  return octets;
}

function withoutDoubling(octets: string): string {
  return octets.replaceAll('\0', '').replace(/\r\n|\r|\n/g, '\r\n');
}

function repaired(octets: string): string {
  return withoutDoubling(octets.replaceAll('\r\n.', '\r\n')).replaceAll('\r\n.', '\r\n..');
}

function undotted(octets: string): string {
  return octets.replaceAll('\r\n...\r\n', '\r\n..\r\n');
}

describe('the way out', { concurrency: 4 }, () => {
  it('everything as it came: an end of data leaves', async () => {
    const findings = await outboundOf(asItCame, undefined);
    assert.deepEqual(findings, ['smuggling.outbound high', 'smuggling.outbound-bare low']);
  });

  it('refused, or repaired with the dots doubled: nothing', async () => {
    assert.deepEqual(await outboundOf(asItCame, bare), []);
    assert.deepEqual(await outboundOf(repaired, undefined), []);
  });

  it('repaired without doubling: an end of data leaves', async () => {
    assert.deepEqual(await outboundOf(withoutDoubling, undefined), ['smuggling.outbound high']);
  });

  it('dots that are lost on the way', async () => {
    assert.deepEqual(await outboundOf(undotted, bare), ['smuggling.outbound-dot medium']);
  });
});

describe('hostile servers cannot hang it', { concurrency: 4 }, () => {
  const cases: Readonly<Record<string, LaxOptions['hook']>> = {
    'silence behind DATA': (line) => (line === 'NOOP' ? '' : undefined),
    'a word for every line, twice': () => '250 yes\r\n250 yes',
    'a flood behind RCPT': (line) =>
      line.startsWith('RCPT') ? `250-more\r\n`.repeat(200_000) : undefined,
    'the end behind DATA': (line, state) => {
      if (line !== 'DATA') return undefined;
      state.end();
      return '354 go on';
    },
    '354 to everything': (line) => (line.startsWith('EHLO') ? undefined : '354 go on'),
  };
  for (const [name, hook] of Object.entries(cases)) {
    it(name, async () => {
      const startMs = performance.now();
      const findings = await audited(hook === undefined ? {} : { hook });
      assert.ok(performance.now() - startMs < 60_000);
      const grave = [...findings.values()].filter(({ confidence }) => confidence === 'confirmed');
      assert.deepEqual(
        grave.map(({ id, seen }) => `${id}: ${seen}`),
        [],
      );
      // What could not be tried is never said to be absent without a reason.
      const bare = findings.get('smuggling.bare-lf');
      assert.ok(bare?.confidence === 'inconclusive' || bare?.details['applicable'] === false);
    });
  }
});
