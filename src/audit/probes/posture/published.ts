/** Smaller records: TLS-RPT, CAA, BIMI, SRV, and whether the answers are signed (DNSSEC). */

import { readTlsRptRecords, tlsRptName } from '#trust/tls-rpt/record.ts';
import { isDmarcRecord, parseDmarcRecord } from '#trust/dmarc/record.ts';
import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { DomainContext, DomainProbe } from '../../probe.ts';
import { recordsOf, shown, tellAll, tellUnanswered, zoneCheck } from './zone.ts';

const TLSRPT_MISSING = zoneCheck('tls-rpt-missing', 'info', 'Nobody gets reports about TLS', {
  means: 'Nobody learns that senders cannot encrypt, or that somebody is in between.',
  doesNotMean: 'TLS works without reports.',
  rfc: ['RFC 8460 3'],
  records: ['_smtp._tls.example.org. TXT "v=TLSRPTv1; rua=mailto:tls@example.org"'],
});
const TLSRPT_BROKEN = zoneCheck('tls-rpt-broken', 'low', 'The TLS-RPT record cannot be used', {
  means: 'Reports are sent nowhere.',
  doesNotMean: 'TLS works without reports.',
  rfc: ['RFC 8460 3'],
  records: ['_smtp._tls.example.org. TXT "v=TLSRPTv1; rua=mailto:tls@example.org"'],
});

export const tlsRpt: DomainProbe = {
  name: 'tls-rpt',
  scope: 'domain',
  level: 'passive',
  checks: [TLSRPT_MISSING, TLSRPT_BROKEN],
  run: async ({ domain, resolver, tell }) => {
    const name = tlsRptName(domain);
    const answer = await resolver.txt(name);
    if (answer.kind === 'failed') {
      return tellUnanswered(tell, [TLSRPT_MISSING, TLSRPT_BROKEN], name, answer.reason);
    }
    const texts = recordsOf(answer).filter((text) => text.startsWith('v=TLSRPTv1'));
    const places = readTlsRptRecords(recordsOf(answer));
    const seen = new Map<Check, string>();
    if (texts.length === 0) seen.set(TLSRPT_MISSING, `no record at ${name}`);
    else if (places.length === 0) seen.set(TLSRPT_BROKEN, `"${shown(texts[0] ?? '')}"`);
    tellAll(tell, [TLSRPT_MISSING, TLSRPT_BROKEN], seen, `${places.length} places for reports`);
  },
};

const CAA_MISSING = zoneCheck('caa-missing', 'info', 'Any authority may issue certificates', {
  means: 'One careless authority of hundreds is enough for a false certificate.',
  doesNotMean: 'Most domains have no such record.',
  rfc: ['RFC 8659 4'],
  records: ['example.org. CAA 0 issue "letsencrypt.org"'],
});

export const caa: DomainProbe = {
  name: 'caa',
  scope: 'domain',
  level: 'passive',
  checks: [CAA_MISSING],
  run: async ({ domain, resolver, tell }) => {
    const answer = await resolver.caa(domain);
    if (answer.kind === 'failed') tell(unclear(CAA_MISSING, answer.reason));
    else if (answer.kind === 'none') tell(found(CAA_MISSING, `${domain} has no CAA record`));
    else tell(absent(CAA_MISSING, `${answer.records.length} records`));
  },
};

const BIMI_BROKEN = zoneCheck('bimi-broken', 'low', 'The BIMI record cannot be shown', {
  means: 'Mail programs show no logo: the address is not https, or DMARC is not enforced.',
  doesNotMean: 'Mail is delivered without a logo as well.',
  rfc: [],
  records: ['default._bimi.example.org. TXT "v=BIMI1; l=https://example.org/logo.svg"'],
});

export const bimi: DomainProbe = {
  name: 'bimi',
  scope: 'domain',
  level: 'passive',
  checks: [BIMI_BROKEN],
  run: async ({ domain, resolver, tell }) => {
    const name = `default._bimi.${domain}`;
    const answer = await resolver.txt(name);
    if (answer.kind === 'failed') return tell(unclear(BIMI_BROKEN, answer.reason));
    const text = recordsOf(answer).find((one) => one.startsWith('v=BIMI1'));
    if (text === undefined) return tell(inapplicable(BIMI_BROKEN, 'there is no BIMI record'));
    const logo = /(?:^|;)[ \t]*l[ \t]*=[ \t]*([^;]*)/.exec(text)?.[1]?.trim() ?? '';
    // An empty address says on purpose that there is none.
    if (logo !== '' && !logo.startsWith('https://')) {
      return tell(found(BIMI_BROKEN, `the logo is at "${shown(logo)}"`));
    }
    const dmarc = await resolver.txt(`_dmarc.${domain}`);
    if (dmarc.kind === 'failed') return tell(unclear(BIMI_BROKEN, dmarc.reason));
    const enforced = recordsOf(dmarc).some(
      (one) => isDmarcRecord(one) && parseDmarcRecord(one).policy !== 'none',
    );
    if (enforced) tell(absent(BIMI_BROKEN, `"${shown(text)}"`));
    else tell(found(BIMI_BROKEN, 'DMARC is not at quarantine or reject'));
  },
};

const SRV_PLAIN = zoneCheck('srv-plain', 'low', 'SRV records lead mail programs to clear text', {
  means: 'A program that follows them begins without TLS, and somebody in between keeps it so.',
  doesNotMean: 'Programs may insist on STARTTLS.',
  rfc: ['RFC 8314 3.3', 'RFC 6186 3'],
  records: [
    '_imap._tcp.example.org. SRV 0 0 0 .',
    '_imaps._tcp.example.org. SRV 0 1 993 mx.example.org.',
  ],
});
const SRV_TARGET = zoneCheck('srv-target', 'medium', 'An SRV record leads to no host', {
  means: 'Mail programs that set themselves up by it find nothing.',
  doesNotMean: 'Programs that were set up by hand go on working.',
  rfc: ['RFC 2782 1'],
  records: ['_imaps._tcp.example.org. SRV 0 1 993 mx.example.org.'],
});

const IN_CLEAR = ['_imap._tcp', '_pop3._tcp'];
const SECURED = ['_imaps._tcp', '_pop3s._tcp', '_submissions._tcp', '_submission._tcp'];

export const srv: DomainProbe = {
  name: 'srv',
  scope: 'domain',
  level: 'passive',
  checks: [SRV_PLAIN, SRV_TARGET],
  run: runSrv,
};

async function runSrv({ domain, resolver, tell }: DomainContext): Promise<void> {
  const seen = new Map<Check, string>();
  let records = 0;
  for (const service of [...IN_CLEAR, ...SECURED]) {
    const answer = await resolver.srv(`${service}.${domain}`);
    if (answer.kind === 'failed') {
      return tellUnanswered(tell, [SRV_PLAIN, SRV_TARGET], `${service}.${domain}`, answer.reason);
    }
    const offered = recordsOf(answer).filter(({ target }) => target !== '.');
    records += offered.length;
    for (const { target, port } of offered.slice(0, 5)) {
      if (IN_CLEAR.includes(service)) seen.set(SRV_PLAIN, `${service} leads to port ${port}`);
      const [a, aaaa] = await Promise.all([resolver.a(target), resolver.aaaa(target)]);
      if (a.kind !== 'none' || aaaa.kind !== 'none') continue;
      seen.set(SRV_TARGET, `${service} leads to ${shown(target)}, which has no address`);
    }
  }
  if (records === 0) {
    for (const check of [SRV_PLAIN, SRV_TARGET]) tell(inapplicable(check, 'there are none'));
    return;
  }
  tellAll(tell, [SRV_PLAIN, SRV_TARGET], seen, `${records} records`);
}

const UNSIGNED = zoneCheck('dnssec-missing', 'info', "The domain's answers are not signed", {
  means: 'Who can change DNS answers on the way decides where its mail goes; DANE cannot be used.',
  doesNotMean: 'Most domains are not signed.',
  rfc: ['RFC 4035 4.3', 'RFC 7672 2.1'],
  records: ['Sign the zone, and let the parent publish its DS record.'],
});

export const dnssec: DomainProbe = {
  name: 'dnssec',
  scope: 'domain',
  level: 'passive',
  checks: [UNSIGNED],
  run: async ({ domain, resolver, tell }) => {
    const answer = await resolver.mx(domain);
    if (answer.kind === 'failed') return tell(unclear(UNSIGNED, answer.reason));
    if (answer.authentic) return tell(absent(UNSIGNED, 'the MX answer was validated'));
    // The root is signed: a resolver that does not say so of the root does not validate.
    const root = await resolver.txt('org');
    if (root.kind !== 'failed' && root.authentic) {
      return tell(found(UNSIGNED, 'the MX answer has no signature that holds'));
    }
    tell(unclear(UNSIGNED, 'the resolver that was asked does not validate'));
  },
};
