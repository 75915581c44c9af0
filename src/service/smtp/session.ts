/** The host of one SMTP session: answers the machine's questions with policy and agents. */

import { addressKey, formatAddress, formatPath } from '#base/address.ts';
import { after } from '#base/awaitable.ts';
import type { Awaitable, SessionId } from '#base/brand.ts';
import type { PlainLines } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';
import type { Secure } from '#base/secure.ts';
import type { Connection } from '#base/world.ts';
import { Arrival } from '#agents/arrival.ts';
import type { NewMailRecipient } from '#agents/mail.ts';
import type { ClientFacts, Refusal } from '#policy/gate.ts';
import { Inquiry } from '#policy/inquiry.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { SmtpServer } from '#protocol/smtp/server/machine.ts';
import type { SmtpAnswer, SmtpFact, SmtpQuestion } from '#protocol/smtp/server/questions.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { Host } from '../drive.ts';
import { Login } from '../login.ts';
import { Refusals } from '../refusals.ts';
import type { Site } from '../site.ts';
import { Turn } from '../turn.ts';
import type { SmtpContext } from './context.ts';
import type { SmtpListener } from './listener.ts';
import { Attendance } from './attendance.ts';
import { takeIn } from './content.ts';
import { Patience } from './patience.ts';
import { Story } from './story.ts';
import { verifyName } from './verify.ts';

const NO_ROOM = reply(452, '4.3.1', 'Insufficient system storage, try again later');
const PROCEED: SmtpAnswer = { kind: 'proceed' };

/** The state of a session beside the machine's own: recipients with permits, content, story. */
export class SmtpSession implements SmtpContext, Host<SmtpQuestion, SmtpAnswer, SmtpFact> {
  readonly site: Site;
  readonly listener: SmtpListener;
  readonly story: Story;
  readonly refusals: Refusals;
  readonly #connection: Connection;
  readonly #machine: SmtpServer;
  readonly #login: Login;
  readonly #turn: Turn;
  readonly #closed: () => void;
  #recipients: NewMailRecipient[] = [];
  /** What the gate asks: of the session before the first MAIL, then of each transaction. */
  #inquiry: Inquiry;
  #attendance: Attendance | undefined;
  readonly #patience = new Patience();
  #arrival: Arrival | undefined;

  constructor(
    site: Site,
    listener: SmtpListener,
    connection: Connection,
    machine: SmtpServer,
    session: SessionId,
    closed: () => void,
  ) {
    this.site = site;
    this.listener = listener;
    this.#connection = connection;
    this.#turn = new Turn(site.clock);
    this.#machine = machine;
    this.story = new Story(session);
    this.refusals = new Refusals({
      site,
      session,
      client: () => this.facts(),
      dialogue: () => this.story.takeDialogue(),
    });
    const client = connection.remote.address;
    this.#login = new Login(site, { session, service: listener.name, client }, this.refusals);
    this.#closed = closed;
    this.#inquiry = new Inquiry(site);
  }

  answer(question: SmtpQuestion): Awaitable<SmtpAnswer> {
    const { session, ahead } = this.#machine;
    if (this.#patience.asked(question.kind, session.extended, ahead)) this.#overtaken();
    switch (question.kind) {
      case 'connect':
        return after(this.listener.gate.connect(this.#client(), this.#inquiry), (refusal) =>
          this.#verdict(refusal, {}, []),
        );
      case 'helo':
        return this.#turn.inTime(this.#helo(question.name));
      case 'mail':
        return this.#turn.inTime(this.#mail(question));
      case 'rcpt':
        return this.#turn.inTime(this.#rcpt(question));
      case 'data':
        return this.#data();
      case 'content-end':
        return this.#contentEnd();
      case 'verify':
        return verifyName(question, this.#machine.session.authenticated, this);
      case 'sasl':
        return this.#login.answer(question.question);
    }
  }

  ahead(): void {
    if (this.#patience.ahead(this.#machine.session.extended)) this.#overtaken();
  }

  body(bytes: Uint8Array, lines?: PlainLines): Awaitable<void> {
    return this.#arrival?.write(bytes, lines);
  }

  tell(fact: SmtpFact): void {
    switch (fact.kind) {
      case 'replied':
        this.story.replied(fact.command, fact.reply);
        break;
      case 'transaction-dropped':
        this.#drop();
        break;
      case 'authenticated':
        this.#login.authenticated(fact.who);
        break;
      case 'login-failed':
        this.#login.failed(fact);
        break;
      case 'violation':
        this.refusals.add({ rule: 'protocol', what: fact.what }, []);
        this.site.metrics.count('smtp_violations_total', { what: fact.what });
        break;
    }
  }

  closed(): void {
    this.#drop();
    this.#closed();
  }

  facts(): JsonObject {
    const { session } = this.#machine;
    const { secure } = session;
    return {
      listener: this.listener.name,
      client: this.#connection.remote.address,
      helo: session.helo,
      tls: secure === undefined ? null : `${secure.facts.protocol} ${secure.facts.cipher}`,
      login: session.authenticated?.address ?? null,
    };
  }

  #overtaken(): void {
    this.tell({ kind: 'violation', what: 'early-talker' });
  }

  #helo(name: string): Awaitable<SmtpAnswer> {
    const client = { ...this.#client(), helo: name };
    return after(this.listener.gate.helo(client, this.#inquiry), (refusal) =>
      this.#verdict(refusal, { helo: name }, []),
    );
  }

  #mail(question: SmtpQuestion & { kind: 'mail' }): Awaitable<SmtpAnswer> {
    this.#drop();
    if (!this.site.store.hasRoom(question.parameters.sizeBytes ?? 0)) {
      return { kind: 'refuse', reply: NO_ROOM };
    }
    const { reversePath } = question;
    this.#inquiry = new Inquiry(this.site);
    this.#attendance = new Attendance(this, this.#client(), reversePath);
    this.#inquiry.authentication = this.#attendance.authentication;
    return after(
      this.listener.gate.sender(this.#client(), reversePath, this.#inquiry),
      (refusal) => {
        const about = { sender: formatPath(reversePath) };
        const keys = reversePath === null ? [] : [addressKey(reversePath)];
        return this.#verdict(refusal, about, keys);
      },
    );
  }

  #rcpt(question: SmtpQuestion & { kind: 'rcpt' }): Awaitable<SmtpAnswer> {
    const { forwardPath: address, parameters } = question;
    const sender = this.#machine.session.transaction?.reversePath ?? null;
    const decided = this.listener.gate.recipient(this.#client(), sender, address, this.#inquiry);
    return after(decided, (told): SmtpAnswer => {
      if (told instanceof RelayPermit) {
        this.#recipients.push({
          address,
          permit: told,
          notify: parameters.notify,
          originalRecipient: parameters.originalRecipient,
        });
        return PROCEED;
      }
      const about = { sender: formatPath(sender), recipient: formatAddress(address) };
      const keys = sender === null ? [] : [addressKey(sender)];
      return this.#verdict(told, about, [addressKey(address), ...keys]);
    });
  }

  #data(): SmtpAnswer {
    const expected = this.#machine.session.transaction?.parameters.sizeBytes ?? 0;
    if (!this.site.store.hasRoom(expected)) return { kind: 'refuse', reply: NO_ROOM };
    const reader = this.#attendance?.reader(this.#recipients);
    this.#arrival = new Arrival(this.site.store.spool(), reader);
    return PROCEED;
  }

  async #contentEnd(): Promise<SmtpAnswer> {
    const arrival = this.#arrival;
    const { transaction } = this.#machine.session;
    const attendance = this.#attendance;
    if (arrival === undefined || transaction === undefined || attendance === undefined) {
      throw new Error('no content came');
    }
    const recipients = this.#recipients;
    const inquiry = this.#inquiry;
    const client = this.#client();
    try {
      const answer = await takeIn(
        { arrival, recipients, transaction, client, inquiry, attendance },
        this,
      );
      if (answer.kind === 'accepted') this.#arrival = undefined;
      return answer;
    } finally {
      this.#drop();
    }
  }

  /** What policy is told about the client. */
  #client(): ClientFacts {
    const { session } = this.#machine;
    return {
      address: this.#connection.remote.address,
      helo: session.helo ?? '',
      extended: session.extended,
      secure: session.secure,
      login: session.authenticated,
      impatient: this.#patience.impatient,
    };
  }

  #verdict(refusal: Refusal | undefined, about: JsonObject, keys: readonly string[]): SmtpAnswer {
    if (refusal === undefined) return PROCEED;
    const { rule, why } = refusal;
    const evidence = { ...this.#inquiry.facts(), ...this.#attendance?.facts() };
    this.refusals.add({ ...about, rule, why }, keys, evidence);
    this.refusals.writeSoon();
    this.site.metrics.count('smtp_refusals_total', { rule: refusal.rule });
    this.site.log.event('info', 'refused', {
      session: this.story.session,
      ...this.facts(),
      ...about,
      rule: refusal.rule,
      why: refusal.why,
    });
    return { kind: 'refuse', reply: refusal.reply, close: refusal.close === true };
  }

  #drop(): void {
    this.#arrival?.discard();
    this.#arrival = undefined;
    this.#recipients = [];
    this.refusals.write();
  }

  /** TLS came by STARTTLS: the machine knows; nothing said before it counts. */
  secured(_tls: Secure): void {
    this.#drop();
  }
}
