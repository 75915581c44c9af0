/** Whether a message is a report itself: about those nothing is counted, or it would never end. */

import { type Head, firstField } from '#message/fields.ts';

/** What all daily reports begin their subject with (RFC 7489 7.2.1.1, RFC 8460 5.3). */
const SUBJECT = /^\s*report domain:/i;
/** A notice about mail that did not arrive is a `multipart/report`, too, and is counted. */
const TYPE = /;\s*report-type\s*=\s*"?(?:tlsrpt|feedback-report)\b/i;

/** By its head; ask only of a message whose author is proved, for anybody may write such a head. */
export function isReport(head: Head): boolean {
  return (
    SUBJECT.test(firstField(head, 'Subject')?.value ?? '') ||
    firstField(head, 'TLS-Report-Domain') !== undefined ||
    TYPE.test(firstField(head, 'Content-Type')?.value ?? '')
  );
}
