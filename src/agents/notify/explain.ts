/** What a status code means, in a sentence for people who do not run mail servers (RFC 3463). */

export interface Explanation {
  /** What happened: goes after "because" in the reader's mind. */
  readonly why: string;
  /** What to do about it. */
  readonly cure: string;
}

const CHECK_ADDRESS = 'Check the address for typing errors, or ask the recipient for it.';
const LATER = 'Send it again later; if that does not help, reach the recipient another way.';
const SMALLER = 'Send it in smaller pieces, or put the attachment somewhere to download.';
const THEIR_ADMIN = 'Show this notice to those who run the mail of the recipient.';
const OUR_ADMIN = 'Show this notice to those who run your mail.';

/** By the last two numbers of the code: the first one only says for how long. */
const BY_CODE: ReadonlyMap<string, Explanation> = new Map([
  ['1.0', { why: 'There is something wrong with the address.', cure: CHECK_ADDRESS }],
  ['1.1', { why: 'There is no mailbox with this address.', cure: CHECK_ADDRESS }],
  ['1.2', { why: 'The domain of the address does not exist.', cure: CHECK_ADDRESS }],
  ['1.3', { why: 'The address is not written as addresses are.', cure: CHECK_ADDRESS }],
  ['1.6', { why: 'The recipient has moved and left no new address.', cure: CHECK_ADDRESS }],
  ['1.7', { why: 'Your own address was not understood there.', cure: OUR_ADMIN }],
  ['1.8', { why: 'Your own address was not believed there.', cure: OUR_ADMIN }],
  ['1.10', { why: 'The domain of the address takes no mail at all.', cure: CHECK_ADDRESS }],
  ['2.0', { why: 'There is something wrong with the mailbox.', cure: LATER }],
  ['2.1', { why: 'The mailbox is switched off, or takes nothing at the moment.', cure: LATER }],
  ['2.2', { why: 'The mailbox is full.', cure: LATER }],
  ['2.3', { why: 'The message is larger than the mailbox takes.', cure: SMALLER }],
  ['2.4', { why: 'The mailing list behind the address could not be used.', cure: THEIR_ADMIN }],
  ['3.1', { why: 'The disk of the other server is full.', cure: LATER }],
  ['3.2', { why: 'The other server takes no mail at the moment.', cure: LATER }],
  ['3.4', { why: 'The message is larger than the other server takes.', cure: SMALLER }],
  ['4.1', { why: 'The other server could not be reached.', cure: CHECK_ADDRESS }],
  ['4.2', { why: 'The connection to the other server broke off.', cure: LATER }],
  ['4.3', { why: 'The directory of domains (DNS) gave no answer.', cure: LATER }],
  ['4.4', { why: 'No server was found for the domain of the address.', cure: CHECK_ADDRESS }],
  ['4.5', { why: 'The other server is too busy.', cure: LATER }],
  ['4.6', { why: 'The message went round in circles between servers.', cure: THEIR_ADMIN }],
  ['4.7', { why: 'It could not be delivered in time.', cure: LATER }],
  ['5.3', { why: 'The message has too many recipients.', cure: 'Send it to fewer at a time.' }],
  ['6.1', { why: 'The other server does not take this kind of content.', cure: THEIR_ADMIN }],
  ['6.7', { why: 'The other server knows no addresses in other scripts.', cure: CHECK_ADDRESS }],
  ['7.0', { why: 'The rules of the other server forbid the message.', cure: THEIR_ADMIN }],
  ['7.1', { why: 'The other server does not take this message from you.', cure: THEIR_ADMIN }],
  ['7.2', { why: 'You may not write to this mailing list.', cure: THEIR_ADMIN }],
  [
    '7.10',
    { why: 'The other server offers no encryption, which is asked for.', cure: THEIR_ADMIN },
  ],
  ['7.20', { why: 'The message bears no signature (DKIM) that counts.', cure: OUR_ADMIN }],
  ['7.23', { why: 'This server may not send for your domain (SPF).', cure: OUR_ADMIN }],
  ['7.25', { why: 'The name of the sending server does not fit its address.', cure: OUR_ADMIN }],
  ['7.26', { why: 'The message did not prove where it comes from.', cure: OUR_ADMIN }],
  ['7.27', { why: 'The domain of your own address takes no mail.', cure: OUR_ADMIN }],
]);

/** By the middle number alone, for codes that nobody explains. */
const BY_SUBJECT: ReadonlyMap<string, Explanation> = new Map([
  ['1', { why: 'There is something wrong with an address.', cure: CHECK_ADDRESS }],
  ['2', { why: 'There is something wrong with the mailbox.', cure: LATER }],
  ['3', { why: 'The other server has a problem of its own.', cure: LATER }],
  ['4', { why: 'The message could not be carried there.', cure: LATER }],
  ['5', { why: 'The two servers did not understand each other.', cure: OUR_ADMIN }],
  ['6', { why: 'The content of the message was not accepted.', cure: THEIR_ADMIN }],
  ['7', { why: 'The rules of the other server forbid the message.', cure: THEIR_ADMIN }],
]);

const UNKNOWN: Explanation = { why: 'The other server did not take it.', cure: THEIR_ADMIN };

/** The explanation of `5.1.1`; always one, at worst a general one. */
export function explain(status: string): Explanation {
  const [, subject = '', detail = ''] = status.split('.');
  return BY_CODE.get(`${subject}.${detail}`) ?? BY_SUBJECT.get(subject) ?? UNKNOWN;
}
