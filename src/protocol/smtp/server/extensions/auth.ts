/** AUTH (RFC 4954): announced under TLS only; MAIL's AUTH is read and not believed. */

import { parseAddress } from '#base/address.ts';
import { offeredMechanisms } from '../../../sasl/offer.ts';
import { decodeXtext } from '../../xtext.ts';
import type { Extension } from '../extension.ts';
import { replies } from '../replies.ts';

export const auth: Extension = {
  keyword: 'AUTH',
  announce({ settings, secure }) {
    if (!settings.auth) return undefined;
    const names = offeredMechanisms(secure, settings.mechanisms).map((one) => one.name);
    return names.length === 0 ? undefined : `AUTH ${names.join(' ')}`;
  },
  mail: {
    AUTH(value, draft) {
      const text = value === undefined ? undefined : decodeXtext(value);
      if (text === undefined || (text !== '<>' && parseAddress(text) === undefined)) {
        return replies.badParameter;
      }
      draft.auth = text;
      return undefined;
    },
  },
};
