/** The controls of a relay survey: names whose answers say what any other answer means. */

import type { Runner } from './runner.ts';
import type { Trial } from './trial.ts';

export interface SurveyControls {
  /** In each domain a name that nobody has. */
  readonly nobody: readonly Trial[];
  /** In each domain postmaster, who must be there (RFC 5321 4.5.1). */
  readonly somebody: readonly Trial[];
  /** What is said to everybody by a server that answers none of them. */
  readonly silence: Trial | undefined;
  /** It takes mail for our canary's domain, and not for everybody's. */
  readonly isServerOfCanary: boolean;
}

/** Asks for all names at once; the runner knows then how long an answer takes, and as whom to write. */
export async function controlsFor(
  domains: readonly string[],
  canary: string | undefined,
  runner: Runner,
): Promise<SurveyControls> {
  const [nobody, somebody, isServer] = await Promise.all([
    Promise.all(domains.map((domain) => runner.control(runner.nobody(), domain))),
    Promise.all(domains.map((domain) => runner.control('postmaster', domain))),
    canary !== undefined && isServerOf(canary, runner),
  ]);
  const controls = [...nobody, ...somebody];
  runner.learn(controls);
  // An answer about the sender alone is an answer: other senders are asked.
  const silent = controls.every((one) => one.rung === 'unclear' && !refusesSender(one));
  const silence = silent ? controls[0] : undefined;
  if (canary === undefined || !somebody.every(refusesSender)) {
    return { nobody, somebody, silence, isServerOfCanary: isServer && !silent };
  }
  runner.writeAs(canary);
  return { nobody, somebody, silence, isServerOfCanary: await isServerOf(canary, runner) };
}

/** Whether mail for a domain is taken that is refused, as relaying, for a domain of nobody. */
async function isServerOf(domain: string, runner: Runner): Promise<boolean> {
  const [its, others] = await Promise.all([
    runner.control(runner.nobody(), domain),
    runner.control(runner.nobody(), runner.nowhere),
  ]);
  return its.rung === 'accepted' && asRelay(others);
}

/**
 * A domain that cannot exist may be refused as such (sendmail, `reject_unknown_sender_domain`): that
 * says nothing about relaying. The canary's exists, and is not the server's own.
 */
function refusesSender({ rung, answer }: Trial): boolean {
  return rung !== 'accepted' && /\b[45]\.1\.[78]\b|\bsender\b/i.test(answer);
}

/** Refused because it would be relaying, and not for another reason. */
export function asRelay({ rung, answer }: Trial): boolean {
  // `User unknown in relay recipient table` is about a name.
  return rung === 'refused' && /\brelay(?! recipient)|\b[45]\.7\.1\b/i.test(answer);
}
