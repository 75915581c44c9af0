/** The ARC validation and signing suites of the ARC working group, run against `src/trust/arc`. */

import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Domain } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import type { Lookup } from '#base/world.ts';
import { splitMessage } from '#message/edit.ts';
import { type Field, readHead } from '#message/fields.ts';
import { sealMessage } from '#trust/arc/seal.ts';
import { SignatureVerification } from '#trust/arc/verification.ts';
import { hashBody } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import type { KeySource } from '#trust/dkim/key-lookup.ts';
import { SIGNING_WANT } from '#trust/dkim/sign.ts';
import { parseTagList, withoutFolds } from '#trust/dkim/tags.ts';
import { type Suite, type SuiteResult, skip } from './suite.ts';
import { type Yaml, type YamlMap, asMap, parseYaml } from './yaml.ts';

/** After every `t=` of the suites, and long before any `x=`. */
const NOW_MS = 20_000_000;
const ORIGIN = 'ARC working group, draft of 2016-12';

/** What `cv=` a chain earns. */
export const arcValidationSuite: Suite = {
  name: 'arc-validation',
  origin: ORIGIN,
  run: (vectors) => runFile(path.join(vectors, 'arc/arc-draft-validation-tests.yml'), validate),
};

/** The three fields to the octet, or none. */
export const arcSigningSuite: Suite = {
  name: 'arc-signing',
  origin: ORIGIN,
  run: (vectors) => runFile(path.join(vectors, 'arc/arc-draft-sign-tests.yml'), sign),
};

type Judge = (test: YamlMap, scenario: YamlMap) => Promise<string | undefined>;

async function runFile(file: string, judge: Judge): Promise<SuiteResult> {
  if (!existsSync(file)) return skip(`${file} is not there`);
  return runScenarios(parseYaml(numbered(readFileSync(file, 'utf8'))), judge);
}

/** Runs the scenarios of a document; exported so that a test can show that it is able to fail. */
export async function runScenarios(scenarios: readonly Yaml[], judge: Judge): Promise<SuiteResult> {
  const failures: string[] = [];
  let passed = 0;
  for (const scenario of scenarios.map(asMap)) {
    // One scenario has no cases at all.
    for (const [title, test] of Object.entries(scenario['tests'] || {})) {
      const wrong = await judge(asMap(test as Yaml), scenario);
      if (wrong === undefined) passed++;
      else failures.push(`${title}: ${wrong}`);
    }
  }
  return { passed, failures };
}

/** The suites use some names twice; each case shall run. */
function numbered(yaml: string): string {
  let line = 0;
  return yaml.replace(/^  [\w.]+:[ ]*$/gm, (name) => name.replace(':', ` ${++line}:`));
}

export async function validate(test: YamlMap, scenario: YamlMap): Promise<string | undefined> {
  const { arc } = await verify(message(test), scenario);
  // Where the suite leaves `cv` empty the newest seal says cv=fail: RFC 8617 5.2 step 2.
  const wanted = text(test, 'cv').toLowerCase() || 'fail';
  return arc.status === wanted ? undefined : `${arc.status} (${arc.reason}), not ${wanted}`;
}

async function sign(test: YamlMap, scenario: YamlMap): Promise<string | undefined> {
  const whole = message(test);
  const { head, body } = splitMessage(whole);
  const { arc } = await verify(whole, scenario);
  const signed = new SignedHead(head);
  const key = {
    domain: text(scenario, 'domain') as Domain,
    selector: text(scenario, 'sel'),
    algorithm: 'rsa-sha256' as const,
    key: createPrivateKey(text(scenario, 'privatekey')),
  };
  const set = sealMessage(
    signed,
    hashBody(body, [SIGNING_WANT]),
    arc,
    mergedResults(head, text(test, 'srv-id')),
    key,
    {
      atMs: Number(text(test, 't')) * 1_000,
      fields: text(test, 'sig-headers').split(':'),
      layout: 'sorted',
    },
  );
  if (set === undefined) return text(test, 'AS') === '' ? undefined : 'nothing was sealed';
  const [seal, ams, results] = readHead(utf8(set.join(''))).fields;
  return (
    differentTags('AS', seal, test) ??
    differentTags('AMS', ams, test) ??
    (plain(results?.value ?? '') === plain(text(test, 'AAR'))
      ? undefined
      : `AAR is ${results?.value}`)
  );
}

/** Each tag with its octets, `b=` among them: RSA signs the same text always the same way. */
function differentTags(name: string, field: Field | undefined, test: YamlMap): string | undefined {
  const ours = sortedTags(field?.raw ?? '');
  const wanted = sortedTags(text(test, name));
  return ours === wanted ? undefined : `${name} is ${ours}, not ${wanted}`;
}

function sortedTags(source: string): string {
  const list = parseTagList(source);
  if (list.kind === 'bad') return list.why;
  const tags = [...list.tags].map(([tag, { value }]) => `${tag}=${withoutFolds(value)}`);
  return tags.sort().join('; ');
}

/** Our own Authentication-Results as one: their places are kept, strangers' left out. */
function mergedResults(head: Uint8Array, authservId: string): string {
  const own = readHead(head)
    .fields.filter(({ key }) => key === 'authentication-results')
    .map(({ value }) => value.split(';'))
    .filter(([id]) => id?.trim() === authservId)
    .flatMap(([, ...results]) => results.map((result) => result.trim()))
    .filter((result) => result !== '');
  return [authservId, ...own].join('; ');
}

async function verify(whole: Uint8Array, scenario: YamlMap) {
  const { head, body } = splitMessage(whole);
  const verification = new SignatureVerification(head, zone(scenario));
  verification.write(body);
  return verification.finish(NOW_MS);
}

function zone(scenario: YamlMap): KeySource {
  const records = scenario['txt-records'];
  return {
    txt: (name): Promise<Lookup<string>> => {
      const record = asMap(records)[name];
      return Promise.resolve(
        typeof record === 'string'
          ? { kind: 'found', records: [withoutLineEnds(record)], ttlSeconds: 60, authentic: false }
          : { kind: 'none', why: 'nxdomain', authentic: false },
      );
    },
  };
}

function message(test: YamlMap): Uint8Array {
  const source = test['message'];
  return utf8((typeof source === 'string' ? source : '').replaceAll('\n', '\r\n'));
}

function text(map: YamlMap, key: string): string {
  const value = map[key];
  return typeof value === 'string' ? value.trim() : '';
}

function withoutLineEnds(record: string): string {
  return record.replaceAll('\n', ' ').trim();
}

function plain(value: string): string {
  return latin1(utf8(value)).replace(/\s+/g, ' ').trim();
}
