/** Our own table of DMARC cases as a suite: there is no public one for RFC 9989. */

import { parseDomain } from '#base/domain.ts';
import { authorOf } from '#trust/dmarc/author.ts';
import { type Authenticated, type DmarcOutcome, evaluateDmarc } from '#trust/dmarc/evaluate.ts';
import { type DmarcCase, dmarcCases } from './dmarc-cases.ts';
import { dmarcWalkCases } from './dmarc-walk-cases.ts';
import type { Suite, SuiteResult } from './suite.ts';
import { zoneResolver } from './zone.ts';

export const dmarcSuite: Suite = {
  name: 'dmarc',
  origin: 'our own, after RFC 9989 4.10 and RFC 7489 B.1',
  run: () => runDmarc([...dmarcCases, ...dmarcWalkCases]),
};

/** Runs a table; exported so that a test can show that it is able to fail. */
export async function runDmarc(cases: readonly DmarcCase[]): Promise<SuiteResult> {
  const failures: string[] = [];
  for (const one of cases) {
    const failure = await runCase(one);
    if (failure !== undefined) failures.push(`${one.name}: ${failure}`);
  }
  return { passed: cases.length - failures.length, failures };
}

async function runCase(one: DmarcCase): Promise<string | undefined> {
  const resolver = zoneResolver(one.zone);
  const outcome = await evaluateDmarc({
    author: authorOf([parseDomain(one.from)!]),
    spf: one.spf === undefined ? undefined : authenticated(one.spf),
    dkim: (one.dkim ?? []).map(authenticated),
    resolver,
  });
  const shown = show(outcome);
  if (shown !== one.expect) return `${shown} (${outcome.why}), should be ${one.expect}`;
  const policy = `${outcome.policy?.domain} ${outcome.policy?.place}`;
  if (one.policy !== undefined && policy !== one.policy) return `the policy of ${policy}`;
  const asked = resolver.questions.filter((text) => text.startsWith('TXT ')).map(nameOf);
  const wanted = one.asked ?? asked;
  return asked.join(' ') === wanted.join(' ') ? undefined : `asked ${asked.join(' ')}`;
}

function show({ result, disposition, tag }: DmarcOutcome): string {
  return result === 'fail' ? `fail ${disposition} ${tag}` : result;
}

function authenticated(text: string): Authenticated {
  const [result = '', domain = ''] = text.split(' ');
  return { result, domain };
}

function nameOf(question: string): string {
  return question.slice('TXT '.length);
}
