/** AUTH (RFC 4954): a login, under TLS only. */

import { SaslDialogue, type SaslProgress } from '../../../sasl/dialogue.ts';
import { findMechanism, offeredMechanisms } from '../../../sasl/offer.ts';
import type { Reply } from '../../reply.ts';
import { type Command, type Outcome, mistake } from '../command.ts';
import { replies } from '../replies.ts';
import type { SmtpState } from '../session.ts';

/** A login in progress. */
interface Login {
  readonly dialogue: SaslDialogue;
  /** The failure was told already, before the client's last word. */
  failureTold: boolean;
}

export const auth: Command<Login> = {
  verb: 'AUTH',
  phases: ['ready'],
  beforeTls: true,
  check(argument, state) {
    const { settings, secure } = state;
    if (!settings.auth || settings.withheld.includes('AUTH')) return mistake(replies.noAuth);
    if (secure === undefined) return mistake(replies.authNeedsTls);
    if (state.authenticated !== undefined) return mistake(replies.alreadyLoggedIn);
    const [name = '', initial, ...more] = argument.text.split(' ', 4);
    if (name === '' || more.length > 0 || !argument.ascii) return mistake(replies.authSyntax);
    const offered = offeredMechanisms(secure, settings.mechanisms);
    const mechanism = findMechanism(name, offered);
    if (mechanism === undefined) return mistake(replies.unknownMechanism);
    const context = { secure, nonce: settings.nonce(), offered: offered.map((one) => one.name) };
    const dialogue = new SaslDialogue(mechanism, context, settings.limits.authLineBytes);
    const login = { dialogue, failureTold: false };
    return judge(dialogue.begin(initial), login, state);
  },
  proceed(login, state, answer) {
    if (answer.kind === 'sasl') return judge(login.dialogue.answer(answer.answer), login, state);
    return { kind: 'say', reply: replies.loginUnavailable };
  },
  line: (login, line, state) => judge(login.dialogue.line(line), login, state),
};

function judge(progress: SaslProgress, login: Login, state: SmtpState): Outcome<Login> {
  const { mechanism } = login.dialogue;
  switch (progress.kind) {
    case 'challenge': {
      if (progress.failed !== undefined) {
        state.tell({ kind: 'login-failed', mechanism, login: progress.failed.login });
        login.failureTold = true;
      }
      const reply: Reply = { code: 334, enhanced: undefined, lines: [progress.text] };
      return { kind: 'dialogue', reply, input: login };
    }
    case 'ask':
      return { kind: 'ask', question: { kind: 'sasl', question: progress.question }, input: login };
    case 'cancelled':
      return mistake(replies.authCancelled);
    case 'malformed':
      return mistake(replies.authMalformed);
    case 'rejected':
      return rejected(login, progress.login, state);
    case 'authenticated':
      state.authenticated = progress.who;
      state.tell({ kind: 'authenticated', who: progress.who });
      return { kind: 'say', reply: replies.loggedIn };
  }
}

function rejected(login: Login, name: string | undefined, state: SmtpState): Outcome<Login> {
  if (!login.failureTold) {
    state.tell({ kind: 'login-failed', mechanism: login.dialogue.mechanism, login: name });
  }
  state.failedLogins += 1;
  if (state.failedLogins < state.settings.limits.failedLogins) return mistake(replies.wrongLogin);
  return { kind: 'say', reply: replies.tooManyLogins, close: true };
}
