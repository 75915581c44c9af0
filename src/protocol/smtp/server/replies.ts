/** Every reply the machine gives by itself, in one place: standard codes only (RFC 5321 4.2.3). */

import { reply } from '../reply.ts';

/** X.5.x of RFC 3463 is about the protocol, X.7.x about security, X.1.x about addresses. */
export const replies = {
  closing: reply(221, '2.0.0', 'Bye'),
  readyForTls: reply(220, '2.0.0', 'Ready to start TLS'),
  loggedIn: reply(235, '2.7.0', 'Authentication successful'),
  ok: reply(250, '2.0.0', 'OK'),
  senderOk: reply(250, '2.1.0', 'Sender OK'),
  recipientOk: reply(250, '2.1.5', 'Recipient OK'),
  /** RFC 5321 3.5.3: the same words for every name, so that nothing can be learnt. */
  notVerified: reply(252, '2.1.5', 'Names are not verified; send mail and delivery will be tried'),
  sendContent: reply(354, undefined, 'Send the message, end with <CRLF>.<CRLF>'),

  timeout: reply(421, '4.4.2', 'Too slow, closing the connection'),
  stopping: reply(421, '4.3.2', 'The server is stopping, try again later'),
  notNow: reply(421, '4.3.0', 'The service is not available, try again later'),
  tooManyErrors: reply(421, '4.7.0', 'Too many errors, closing the connection'),
  tooManyCommands: reply(421, '4.7.0', 'Too many commands, closing the connection'),
  tooManyLogins: reply(421, '4.7.0', 'Too many failed logins, closing the connection'),
  tooManyMessages: reply(421, '4.7.0', 'Too many messages in one session'),
  otherProtocol: reply(421, '4.7.0', 'This is a mail server, closing the connection'),

  worldFailed: reply(451, '4.3.0', 'A local error prevented this, try again later'),
  worldFailedForGood: reply(554, '5.3.0', 'A local error prevented this'),
  noRoom: reply(452, '4.3.1', 'Insufficient system storage, try again later'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients'),
  loginUnavailable: reply(454, '4.7.0', 'Temporary authentication failure'),

  unknownCommand: reply(500, '5.5.1', 'Unknown command'),
  emptyCommand: reply(500, '5.5.2', 'A command was expected'),
  lineTooLong: reply(500, '5.5.2', 'Line too long'),
  authLineTooLong: reply(500, '5.5.6', 'Authentication exchange line is too long'),
  bareCr: reply(500, '5.5.2', 'Bare CR in a command: lines end with CR LF, closing'),
  bareLf: reply(500, '5.5.2', 'Bare LF in a command: lines end with CR LF, closing'),
  nul: reply(500, '5.5.2', 'NUL in a command, closing'),

  noArgument: reply(501, '5.5.4', 'This command takes no argument'),
  argumentMissing: reply(501, '5.5.4', 'An argument is missing'),
  badHostname: reply(501, '5.5.4', 'A host name or an address literal is expected'),
  badCharacters: reply(501, '5.5.4', 'The argument has control characters or is not UTF-8'),
  mailSyntax: reply(501, '5.5.2', 'The syntax is MAIL FROM:<address>'),
  rcptSyntax: reply(501, '5.5.2', 'The syntax is RCPT TO:<address>'),
  badSender: reply(501, '5.1.7', 'The sender is not an address'),
  badRecipient: reply(501, '5.1.3', 'The recipient is not an address'),
  authSyntax: reply(501, '5.5.4', 'The syntax is AUTH mechanism [initial-response]'),
  authMalformed: reply(501, '5.5.2', 'The response cannot be decoded'),
  authCancelled: reply(501, '5.7.0', 'Authentication cancelled'),
  bdatSyntax: reply(501, '5.5.4', 'The syntax is BDAT size [LAST]'),
  bdatUnreadable: reply(501, '5.5.4', 'The size cannot be read, so the end is unknown, closing'),

  notExpanded: reply(502, '5.5.1', 'Lists are not expanded here'),
  noTls: reply(502, '5.5.1', 'TLS is not offered here'),

  outOfSequence: reply(503, '5.5.1', 'Bad sequence of commands'),
  heloFirst: reply(503, '5.5.1', 'Say hello first'),
  mailFirst: reply(503, '5.5.1', 'MAIL comes first'),
  rcptFirst: reply(503, '5.5.1', 'RCPT comes first'),
  inTransaction: reply(503, '5.5.1', 'A transaction is open; RSET ends it'),
  chunksBegun: reply(503, '5.5.1', 'BDAT has begun; only BDAT or RSET can follow'),
  binaryNeedsBdat: reply(503, '5.5.1', 'BODY=BINARYMIME needs BDAT'),
  alreadyTls: reply(503, '5.5.1', 'TLS is active already'),
  alreadyLoggedIn: reply(503, '5.5.1', 'Already authenticated'),
  noAuth: reply(503, '5.5.1', 'Authentication is not offered here'),
  injectedBeforeTls: reply(503, '5.5.1', 'Octets after STARTTLS in clear, closing'),

  unknownMechanism: reply(504, '5.5.4', 'The authentication mechanism is not offered'),
  tlsRequired: reply(530, '5.7.0', 'Issue a STARTTLS command first'),
  authRequired: reply(530, '5.7.0', 'Authentication required'),
  wrongLogin: reply(535, '5.7.8', 'Authentication credentials invalid'),
  authNeedsTls: reply(538, '5.7.11', 'Encryption is required for authentication'),

  contentBareCr: reply(
    550,
    '5.6.0',
    'Bare CR in the message: lines end with CR LF (RFC 5321 2.3.8)',
  ),
  contentBareLf: reply(
    550,
    '5.6.0',
    'Bare LF in the message: lines end with CR LF (RFC 5321 2.3.8)',
  ),
  contentNul: reply(550, '5.6.0', 'NUL in the message (RFC 5322 3.5)'),
  contentLine: reply(550, '5.6.0', 'A line of the message is too long'),
  tooLarge: reply(552, '5.3.4', 'The message is larger than this server takes'),
  needsUtf8: reply(553, '5.6.7', 'Non-ASCII addresses need SMTPUTF8 and well-formed UTF-8'),
  noRecipients: reply(554, '5.5.1', 'No valid recipients'),

  /** RFC 5321 4.1.1.11. */
  unknownParameter: reply(555, '5.5.4', 'A parameter is not known here'),
  badParameter: reply(501, '5.5.4', 'A parameter has no valid value'),
  repeatedParameter: reply(501, '5.5.4', 'A parameter is given twice'),
} as const;
