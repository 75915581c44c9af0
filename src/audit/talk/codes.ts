/** What reply codes mean, in words, and where it is written. */

const RFC5321 = 'RFC 5321 4.2.3';

/** Codes of SMTP, their meaning and their clause. */
const CODES: ReadonlyMap<number, readonly [string, string]> = new Map([
  [211, ['system status', RFC5321]],
  [214, ['help', RFC5321]],
  [220, ['ready', RFC5321]],
  [221, ['closing the connection', RFC5321]],
  [235, ['logged in', 'RFC 4954 4']],
  [250, ['done', RFC5321]],
  [251, ['not here, but will be forwarded', 'RFC 5321 3.4']],
  [252, ['says nothing about the user, but would try to deliver', 'RFC 5321 3.5.3']],
  [334, ['waits for the next SASL response, base64', 'RFC 4954 4']],
  [354, ['send the content, end with a line of one dot', 'RFC 5321 4.1.1.4']],
  [421, ['not available, closing: try later', RFC5321]],
  [432, ['a password change is needed', 'RFC 4954 6']],
  [450, ['mailbox not available now: try later', RFC5321]],
  [451, ['error while working on it: try later', RFC5321]],
  [452, ['out of room, or too many recipients: try later', RFC5321]],
  [454, ['TLS or authentication not available now', 'RFC 3207 4']],
  [455, ['parameters cannot be kept now', RFC5321]],
  [500, ['not understood, or too long', RFC5321]],
  [501, ['parameters not understood', RFC5321]],
  [502, ['known, but not offered here', RFC5321]],
  [503, ['not at this point', RFC5321]],
  [504, ['parameter not offered', RFC5321]],
  [521, ['takes no mail at all', 'RFC 7504 3.1']],
  [530, ['authentication (or STARTTLS) is required first', 'RFC 4954 6']],
  [534, ['the mechanism is too weak', 'RFC 4954 6']],
  [535, ['the credentials are wrong', 'RFC 4954 6']],
  [538, ['this mechanism needs encryption', 'RFC 4954 6']],
  [550, ['refused: no such mailbox, or policy', RFC5321]],
  [551, ['the user is elsewhere', 'RFC 5321 3.4']],
  [552, ['too large', RFC5321]],
  [553, ['mailbox name not allowed', RFC5321]],
  [554, ['the transaction failed, or: no SMTP here', RFC5321]],
  [555, ['MAIL or RCPT parameters not known', RFC5321]],
  [556, ['the domain takes no mail', 'RFC 7504 3.2']],
]);

const CLASSES: Readonly<Record<string, string>> = {
  '2': 'success',
  '4': 'temporary failure',
  '5': 'permanent failure',
};

/** Subject and detail of enhanced codes (RFC 3463 3), and what later RFCs added. */
const DETAILS: ReadonlyMap<string, string> = new Map([
  ['0.0', 'nothing more to say'],
  ['1.0', 'address'],
  ['1.1', 'mailbox does not exist'],
  ['1.2', 'host does not exist'],
  ['1.3', 'address syntax'],
  ['1.4', 'address is ambiguous'],
  ['1.5', 'address valid'],
  ['1.6', 'mailbox has moved'],
  ['1.7', 'sender address syntax'],
  ['1.8', "sender's host does not exist"],
  ['1.10', 'recipient domain has a null MX'],
  ['2.0', 'mailbox'],
  ['2.1', 'mailbox disabled'],
  ['2.2', 'mailbox full'],
  ['2.3', 'message too long for the mailbox'],
  ['2.4', 'mailing list expansion'],
  ['3.0', 'mail system'],
  ['3.1', 'mail system full'],
  ['3.2', 'takes no messages'],
  ['3.4', 'message too large'],
  ['4.0', 'network or routing'],
  ['4.1', 'no answer from host'],
  ['4.2', 'bad connection'],
  ['4.3', 'directory server'],
  ['4.4', 'cannot be routed'],
  ['4.5', 'congested'],
  ['4.6', 'routing loop'],
  ['4.7', 'delivery time over'],
  ['5.0', 'protocol'],
  ['5.1', 'invalid command'],
  ['5.2', 'syntax'],
  ['5.3', 'too many recipients'],
  ['5.4', 'invalid arguments'],
  ['5.6', 'AUTH line too long'],
  ['6.0', 'content'],
  ['6.1', 'media not supported'],
  ['6.3', 'conversion needed'],
  ['6.7', 'non-ASCII address not allowed'],
  ['7.0', 'security or policy'],
  ['7.1', 'not authorised, refused'],
  ['7.4', 'security feature not supported'],
  ['7.5', 'cryptographic failure'],
  ['7.8', 'credentials invalid'],
  ['7.9', 'mechanism too weak'],
  ['7.11', 'encryption needed for this mechanism'],
  ['7.20', 'no DKIM signature passed'],
  ['7.23', 'SPF failed'],
  ['7.25', 'reverse DNS failed'],
  ['7.26', 'several authentication checks failed'],
  ['7.27', 'sender has a null MX'],
  ['7.30', 'REQUIRETLS could not be kept'],
]);

/** Answers of IMAP and POP3 in brackets. */
const BRACKETS: ReadonlyMap<string, string> = new Map([
  ['ALERT', 'must be shown to the user (RFC 3501 7.1)'],
  ['AUTHENTICATIONFAILED', 'credentials wrong, or nothing more is told (RFC 5530 3)'],
  ['AUTHORIZATIONFAILED', 'logged in, but not as that user (RFC 5530 3)'],
  ['CAPABILITY', 'what the server can do (RFC 3501 7.2.1)'],
  ['EXPIRED', 'the password ran out (RFC 5530 3)'],
  ['IN-USE', 'another session has the mailbox (RFC 2449 8.1.1)'],
  ['LIMIT', 'a limit was reached (RFC 5530 3)'],
  ['LOGIN-DELAY', 'logged in too recently (RFC 2449 8.1.1)'],
  ['NONEXISTENT', 'no such mailbox (RFC 5530 3)'],
  ['OVERQUOTA', 'no room left (RFC 5530 3)'],
  ['PRIVACYREQUIRED', 'only under TLS (RFC 5530 3)'],
  ['READ-ONLY', 'opened without the right to change (RFC 3501 7.1)'],
  ['READ-WRITE', 'opened with the right to change (RFC 3501 7.1)'],
  ['TRYCREATE', 'create the mailbox first (RFC 3501 7.1)'],
  ['UIDNEXT', 'the next UID (RFC 3501 7.1)'],
  ['UIDVALIDITY', 'UIDs hold as long as this number (RFC 3501 7.1)'],
  ['UNAVAILABLE', 'a part of the server is down (RFC 5530 3)'],
  ['SYS/TEMP', 'trouble that passes (RFC 3206 4)'],
  ['SYS/PERM', 'trouble that stays (RFC 3206 4)'],
  ['AUTH', 'it is the credentials (RFC 3206 5)'],
]);

/** A line of a server in words; undefined where there is nothing to add. */
export function annotate(line: string): string | undefined {
  const smtp = /^(\d{3})(?: ([245])\.(\d{1,3})\.(\d{1,3}))?(?: |$)/.exec(line);
  if (smtp !== null) return smtpWords(smtp);
  const bracket = /^(?:\S{1,32} )?(?:OK|NO|BAD|BYE|\+OK|-ERR) \[([A-Z/-]{2,30})/i.exec(line);
  const word = bracket?.[1]?.toUpperCase();
  const meaning = word === undefined ? undefined : BRACKETS.get(word);
  return meaning === undefined ? undefined : `${word}: ${meaning}`;
}

function smtpWords([, code = '', kind, subject, detail]: readonly (string | undefined)[]): string {
  const known = CODES.get(Number(code));
  const first =
    known === undefined ? `${code}: not a code of any RFC` : `${code}: ${known.join(', ')}`;
  if (kind === undefined) return first;
  const words = DETAILS.get(`${subject}.${detail}`) ?? 'a detail of its own';
  const agrees = kind === code[0] ? '' : ', which contradicts the code (RFC 2034 4)';
  const enhanced = `${kind}.${subject}.${detail}`;
  return `${first}; ${enhanced}: ${CLASSES[kind]}, ${words}${agrees} (RFC 3463 3)`;
}
