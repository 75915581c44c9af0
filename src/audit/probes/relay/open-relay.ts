/** The open relay: all forms in one survey, an outcome for each. */

import type { Check } from '../../check.ts';
import {
  absent,
  type Controls,
  type Extra,
  found,
  inapplicable,
  likely,
  type Outcome,
  unclear,
} from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { accountForm } from '../../relay/returns.ts';
import { FORMS, type Judged, type Survey, surveyRelay } from '../../relay/survey.ts';
import { AUTOREPLY, BACKSCATTER, ETRN, FORM_CHECKS, OTHERS_NAME, TRUSTED } from './checks.ts';

const EVIDENCE = 3;
const ARRIVAL_MS = 5_000;

export const openRelay: ServiceProbe = {
  name: 'open-relay',
  scope: 'service',
  level: 'safe',
  checks: [...FORM_CHECKS.values(), OTHERS_NAME, TRUSTED, BACKSCATTER, AUTOREPLY, ETRN],
  limitMs: 60_000,
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const { options, service } = context;
  const isActive = context.level === 'active' || context.level === 'intrusive';
  const survey = await surveyRelay({
    clock: context.world.clock,
    random: context.random,
    place: {
      foreign: options.canary?.domain ?? `${context.token()}.invalid`,
      other: `${context.token()}.invalid`,
      address: service.endpoint.address,
      server: nameOf(service.greeting, service.host),
      domains: options.domains,
      user: options.knownUser,
      helo: options.heloName,
    },
    forms: options.account === undefined ? FORMS : [...FORMS, accountForm(options.account)],
    level: isActive ? 'active' : 'safe',
    messages: isActive ? 100 : 0,
    dial: (how) => context.dial(how),
    serverName: service.host,
    leftMs: () => context.leftMs(),
    replyMs: options.replyMs,
    canary: options.canary,
    arrivalMs: ARRIVAL_MS,
  });
  for (const [id, check] of FORM_CHECKS) {
    const trials = survey.trials.filter(({ form }) => form === id);
    context.tell(outcomeOf(check, trials, survey));
  }
  context.tell(loginOutcome(survey));
  context.tell(trustOutcome(survey));
  context.tell(returnOutcome(BACKSCATTER, 'R33', survey));
  context.tell(returnOutcome(AUTOREPLY, 'R35', survey));
  const { accepted, answer } = survey.etrn;
  const told = accepted === undefined ? unclear : accepted ? found : absent;
  context.tell(told(ETRN, `ETRN: "${answer}"`));
}

function outcomeOf(check: Check, trials: readonly Judged[], survey: Survey): Outcome {
  const tried = trials.filter(({ verdict }) => verdict !== 'not-applicable');
  if (tried.length === 0) {
    return inapplicable(
      check,
      trials[0]?.answer ?? 'needs a domain of the server, or level active',
    );
  }
  const having = (verdict: Judged['verdict']) => tried.filter((one) => one.verdict === verdict);
  const [relays] = having('relays');
  if (relays !== undefined)
    return found(check, sentence(relays, survey), extra(having('relays'), survey));
  const [accepts] = having('accepts');
  if (accepts !== undefined) {
    const seen = `${sentence(accepts, survey)}; whether it is delivered was not proved`;
    return likely(check, seen, { ...extra(having('accepts'), survey), severity: 'medium' });
  }
  const [local] = having('may-be-local');
  if (local !== undefined) {
    const seen = `${sentence(local, survey)}, but so are names that nobody has: it may be a catch-all`;
    return unclear(check, seen, { ...extra(having('may-be-local'), survey), severity: 'low' });
  }
  const [open] = having('unclear');
  if (open !== undefined) {
    return unclear(check, `${open.rcpt}: ${open.answer}`, extra(having('unclear'), survey));
  }
  const [first] = tried;
  const seen = `${tried.length} refused, as ${first?.rcpt} with "${first?.answer}"`;
  return absent(check, seen, extra(tried.slice(0, 1), survey));
}

function sentence({ mail, rcpt, rung, answer, variant }: Judged, { vantage }: Survey): string {
  const how = variant === '' ? '' : ` (${variant})`;
  return `MAIL FROM:${mail} RCPT TO:${rcpt}${how} is ${rung}: "${answer}"; ${vantage.join('; ')}`;
}

function loginOutcome(survey: Survey): Outcome {
  const trial = survey.trials.find(({ form }) => form === 'R32');
  if (trial === undefined) return inapplicable(OTHERS_NAME, 'no account was given (--account)');
  const { rung, answer, trusted, mail } = trial;
  if (rung === 'not-applicable') return inapplicable(OTHERS_NAME, answer);
  const more = extra([trial], survey);
  if (!trusted || rung === 'unclear') return unclear(OTHERS_NAME, `the login: "${answer}"`, more);
  const seen = `logged in, MAIL FROM:${mail} is ${rung}: "${answer}"`;
  return rung === 'refused' ? absent(OTHERS_NAME, seen, more) : found(OTHERS_NAME, seen, more);
}

function trustOutcome(survey: Survey): Outcome {
  const asked = survey.trials.filter(({ form }) => form.startsWith('R28'));
  const trusted = asked.filter((trial) => trial.trusted);
  const [first] = trusted;
  if (first !== undefined && survey.etrn.agrees === true) {
    return unclear(TRUSTED, 'every command is agreed to, also one that does not exist');
  }
  if (first === undefined) {
    const silent = asked.every(({ rung }) => rung === 'unclear');
    if (silent) return unclear(TRUSTED, `no attempt was answered: ${asked[0]?.answer ?? ''}`);
    return absent(TRUSTED, `${asked.length} attempts were not believed`);
  }
  const logs = trusted.every(({ form }) => form === 'R28f');
  const seen = `${trusted.map(({ variant }) => variant).join(', ')}: "${first.answer}"`;
  return found(TRUSTED, seen, { ...extra(trusted, survey), severity: logs ? 'medium' : 'high' });
}

function returnOutcome(check: Check, form: string, survey: Survey): Outcome {
  const returns = survey.returns.filter((trial) => trial.form === form);
  const back = returns.find(({ rung }) => rung === 'arrived');
  if (back !== undefined) return found(check, `${back.rcpt}: ${back.answer}`);
  if (returns.length > 0) return absent(check, 'nothing came back to our canary in time');
  const [first] = survey.controls.nobody;
  if (first !== undefined && survey.controls.nobody.every(({ rung }) => rung === 'unclear')) {
    return unclear(check, `no mail is taken from us: ${first.answer}`);
  }
  const refused = survey.controls.nobody.every(({ rung }) => rung === 'refused');
  if (form === 'R33' && refused) return absent(check, 'names that nobody has are refused at RCPT');
  return inapplicable(check, 'needs level active and a canary');
}

function extra(trials: readonly Judged[], survey: Survey): Extra {
  const evidence = trials.flatMap(({ exchange }) => exchange ?? []).slice(0, EVIDENCE);
  const { nobody, somebody, isCatchAll } = survey.controls;
  const controls: Controls = {
    sanity: count(somebody.map(({ rung }) => rung === 'accepted')),
    negative: count(nobody.map(({ rung }) => rung === 'refused')),
    repeated: { passed: trials.length, of: trials.length },
  };
  const rows = trials.slice(0, 20).map(({ variant, mail, rcpt, rung, answer }) => {
    return { variant, mail, rcpt, rung, answer };
  });
  return { evidence, controls, details: { isCatchAll, vantage: survey.vantage, attempts: rows } };
}

function count(held: readonly boolean[]): { readonly passed: number; readonly of: number } {
  return { passed: held.filter(Boolean).length, of: held.length };
}

/** As the greeting has it; the host where it has no name. */
function nameOf(greeting: string, host: string): string {
  const [, name] = /^(?:220[ -])?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?= |$)/.exec(greeting) ?? [];
  return name ?? host;
}
