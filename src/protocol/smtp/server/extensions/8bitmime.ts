/** 8BITMIME (RFC 6152): octets above 127 in content; BODY says whether there are any. */

import type { Extension } from '../extension.ts';
import { replies } from '../replies.ts';
import { binaryMime } from './binarymime.ts';

export const eightBitMime: Extension = {
  keyword: '8BITMIME',
  announce: () => '8BITMIME',
  mail: {
    BODY(value, draft, state) {
      const body = value?.toLowerCase();
      const binary = body === 'binarymime';
      if (body !== '7bit' && body !== '8bitmime' && !binary) return replies.badParameter;
      const withheld = state.settings.withheld.includes(binaryMime.keyword);
      if (binary && (withheld || binaryMime.announce(state) === undefined)) {
        return replies.badParameter;
      }
      draft.body = body;
      return undefined;
    },
  },
};
