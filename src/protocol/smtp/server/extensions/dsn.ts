/** DSN (RFC 3461): which notices the sender wants, and what they should call things. */

import { decodeXtext } from '../../xtext.ts';
import type { Extension } from '../extension.ts';
import { replies } from '../replies.ts';

const ENVID_CHARACTERS = 100;
const ORCPT_CHARACTERS = 500;
const PRINTABLE = /^[\x20-\x7e]*$/;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;
const CONDITIONS = ['success', 'failure', 'delay'] as const;

export const dsn: Extension = {
  keyword: 'DSN',
  announce: () => 'DSN',
  mail: {
    RET(value, draft) {
      const ret = value?.toUpperCase();
      if (ret !== 'FULL' && ret !== 'HDRS') return replies.badParameter;
      draft.ret = ret === 'FULL' ? 'full' : 'headers';
      return undefined;
    },
    /** RFC 3461 4.4: control characters would reach the header of a notice. */
    ENVID(value, draft) {
      const id = value === undefined || value.length > ENVID_CHARACTERS ? '' : decodeXtext(value);
      if (id === undefined || id === '' || !PRINTABLE.test(id)) return replies.badParameter;
      draft.envelopeId = id;
      return undefined;
    },
  },
  rcpt: {
    NOTIFY(value, draft) {
      const words = value?.toLowerCase().split(',', 5) ?? [];
      if (words.length === 1 && words[0] === 'never') {
        draft.notify = [];
        return undefined;
      }
      const notify = CONDITIONS.filter((condition) => words.includes(condition));
      if (notify.length === 0 || notify.length !== words.length) return replies.badParameter;
      draft.notify = notify;
      return undefined;
    },
    /** `type;address` (RFC 3461 4.2, RFC 6533 3): decoded, and never with control characters. */
    ORCPT(value, draft) {
      const parts = /^([A-Za-z0-9-]{1,40});(.+)$/u.exec(value ?? '');
      const [whole, type, encoded] = parts ?? [];
      if (whole === undefined || type === undefined || encoded === undefined) {
        return replies.badParameter;
      }
      const address =
        type.toLowerCase() === 'utf-8' ? decodeUtf8Address(encoded) : decodeXtext(encoded);
      const bad = address === undefined || CONTROL.test(address);
      if (bad || whole.length > ORCPT_CHARACTERS) return replies.badParameter;
      draft.originalRecipient = `${type};${address}`;
      return undefined;
    },
  },
};

/** RFC 6533 3: UTF-8 as it is, or `\x{HEX}`. */
function decodeUtf8Address(text: string): string | undefined {
  let sound = true;
  const decoded = text.replace(/\\x\{([0-9A-Fa-f]{1,6})\}/g, (_, hex: string) => {
    const point = Number.parseInt(hex, 16);
    sound &&= point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    return sound ? String.fromCodePoint(point) : '';
  });
  return sound ? decoded : undefined;
}
