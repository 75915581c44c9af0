/** A daily report as a mail: words for people, a packed attachment for programs, signed. */

import { type Address, formatAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import type { Clock, Random } from '#base/world.ts';
import { composeMessage, leafPart, multipart, textPart } from '#message/compose.ts';
import { formatDate } from '#message/date.ts';
import {
  type FieldText,
  formatMailboxes,
  formatStructured,
  formatText,
} from '#message/field-text.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { Intake, NewMail } from '../mail.ts';

/** What all kinds of reports are sent with. */
export interface ReportPost {
  readonly intake: Pick<Intake, 'newId' | 'accept'>;
  /** Signs the mail (DKIM): unsigned reports are not believed (RFC 8460 3, RFC 7489 7.2). */
  readonly sign: (mail: NewMail, atMs: number) => NewMail;
  /** gzip. */
  readonly pack: (octets: Uint8Array) => Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly myhostname: Domain;
  readonly from: Address;
}

export interface ReportLetter {
  /** Whom the report is about, from when to when in Unix seconds, and its id. */
  readonly domain: string;
  readonly begin: number;
  readonly end: number;
  readonly id: string;
  readonly to: Address;
  /** The text. */
  readonly words: string;
  /** The attachment, packed, and its type; `json` or `xml`. */
  readonly packed: Uint8Array;
  readonly type: string;
  readonly extension: 'json' | 'xml';
  readonly multipart: {
    readonly subtype: 'mixed' | 'report';
    readonly parameters: readonly (readonly [name: string, value: string])[];
  };
  readonly fields: readonly FieldText[];
  readonly tls: NewMail['envelope']['tls'];
  /** For the ledger: of which kind. */
  readonly kind: string;
}

const BOUNDARY_OCTETS = 18;

/** `mail.example.com!example.net!1470013207!1470186007.json.gz` (RFC 8460 5.1, RFC 7489 7.2.1.1). */
export function reportFileName(
  submitter: string,
  { domain, begin, end, extension }: ReportLetter,
): string {
  return `${submitter}!${domain}!${begin}!${end}.${extension}.gz`;
}

/** Composes it, signs it, and gives it to intake. Throws the Failure of intake. */
export async function postReport(post: ReportPost, letter: ReportLetter): Promise<void> {
  const nowMs = post.clock.now();
  await post.intake.accept(post.sign(compose(post, letter, nowMs), nowMs));
}

function compose(post: ReportPost, letter: ReportLetter, nowMs: number): NewMail {
  const { from, myhostname, random } = post;
  const { domain, to, packed, type, tls } = letter;
  const id = post.intake.newId();
  const name = reportFileName(from.domain, letter);
  const attached = leafPart(packed, {
    type,
    parameters: [['name', name]],
    disposition: { value: 'attachment', parameters: [['filename', name]] },
  });
  const { subtype, parameters } = letter.multipart;
  const parts = [textPart(letter.words), attached];
  const part = multipart(subtype, parts, random.bytes(BOUNDARY_OCTETS), parameters);
  const subject = `Report Domain: ${domain} Submitter: ${from.domain} Report-ID: <${letter.id}>`;
  const { head, body, eightBit } = composeMessage(
    [
      formatStructured('Date', formatDate(nowMs)),
      formatMailboxes('From', [{ address: formatAddress(from) }]),
      formatStructured('To', `<${formatAddress(to)}>`),
      formatText('Subject', subject),
      formatStructured('Message-ID', `<${id}@${myhostname}>`),
      ...letter.fields,
      formatStructured('Auto-Submitted', 'auto-generated'),
    ],
    part,
  );
  const permit = RelayPermit.ownNotice();
  return {
    id,
    origin: 'notice',
    // Nobody wants a report back that could not be delivered.
    reversePath: null,
    recipients: [{ address: to, permit, notify: [], originalRecipient: undefined }],
    content: { head, body },
    structure: undefined,
    messageId: `${id}@${myhostname}`,
    envelope: {
      ret: undefined,
      envelopeId: undefined,
      smtpUtf8: false,
      body: eightBit ? '8bitmime' : '7bit',
      tls,
    },
    session: undefined,
    submitter: undefined,
    facts: { kind: letter.kind, about: domain, report: letter.id } satisfies JsonObject,
  };
}
