/** The SPF suite of openspf.org for RFC 7208, each scenario with a DNS zone of its own. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkHost } from '#trust/spf/check.ts';
import { type Suite, type SuiteResult, skip } from './suite.ts';
import { type Yaml, type YamlMap, asList, asMap, asText, parseYaml } from './yaml.ts';
import { type ZoneName, type ZoneResolver, zoneResolver } from './zone.ts';

export const spfSuite: Suite = {
  name: 'spf',
  origin: 'openspf.org, RFC 7208, release 2014.04',
  run: async (vectors) => {
    const file = path.join(vectors, 'spf/rfc7208-tests.yml');
    if (!existsSync(file)) return skip(`${file} is not there`);
    return runScenarios(parseYaml(readFileSync(file, 'utf8')));
  },
};

/** Runs the scenarios of a document; exported so that a test can show that it is able to fail. */
export async function runScenarios(scenarios: readonly Yaml[]): Promise<SuiteResult> {
  const failures: string[] = [];
  let passed = 0;
  for (const scenario of scenarios.map(asMap)) {
    const resolver = zoneResolver(readZone(asMap(scenario['zonedata'])));
    for (const [name, test] of Object.entries(asMap(scenario['tests']))) {
      const failure = await runCase(asMap(test), resolver);
      if (failure === undefined) passed++;
      else failures.push(`${asText(scenario['description'])}, ${name}: ${failure}`);
    }
  }
  return { passed, failures };
}

async function runCase(test: YamlMap, resolver: ZoneResolver): Promise<string | undefined> {
  const helo = asText(test['helo']);
  const sender = asText(test['mailfrom']);
  const outcome = await checkHost({
    ip: asText(test['host']),
    // RFC 7208 2.4: the null reverse-path stands for the HELO identity.
    domain: sender === '' ? helo : sender.slice(sender.lastIndexOf('@') + 1),
    sender,
    helo,
    resolver,
  });
  const allowed = asList(test['result']);
  if (!allowed.includes(outcome.result)) {
    return `${outcome.result} (${outcome.why}), should be ${allowed.join(' or ')}`;
  }
  const wanted = test['explanation'];
  if (wanted === undefined) return undefined;
  const expected = wanted === 'DEFAULT' ? undefined : wanted;
  if (outcome.explanation === expected) return undefined;
  return `explains ${String(outcome.explanation)}, should be ${String(expected)}`;
}

/** Records of type SPF stand for TXT, unless the name says something of TXT itself. */
function readZone(zone: YamlMap): Record<string, ZoneName> {
  return Object.fromEntries(
    Object.entries(zone).map(([name, list]) => [name, readName(asList(list))]),
  );
}

function readName(list: readonly Yaml[]): ZoneName {
  const records = list.filter((item) => typeof item !== 'string').map(asMap);
  const of = (type: string): Yaml[] => records.map((item) => item[type]!).filter(isThere);
  const txt = of('TXT').length > 0 ? of('TXT').filter((value) => value !== 'NONE') : of('SPF');
  const [cname] = of('CNAME');
  return {
    a: of('A').map(asText),
    aaaa: of('AAAA').map(asText),
    ptr: of('PTR').map(asText),
    txt: txt.map((value) => asList(value).map(asText).join('')),
    mx: of('MX').map((value) => {
      const [preference, exchange] = asList(value).map(asText);
      return [Number(preference), exchange!] as const;
    }),
    ...(cname === undefined ? {} : { cname: asText(cname) }),
    timeout: list.includes('TIMEOUT'),
  };
}

function isThere(value: Yaml | undefined): boolean {
  return value !== undefined;
}
