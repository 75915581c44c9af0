/** reject: whoever got this far in the list is refused. */

import type { Check } from './check.ts';
import { refused } from './check.ts';

export const rejectAll: Check = {
  name: 'reject',
  needs: 'sender',
  judge: () => refused('reject', 554, '5.7.1', 'Access denied', 'the list says reject'),
};
