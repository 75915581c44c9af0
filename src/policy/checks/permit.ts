/** permit: ends the list in the client's favour; relaying still needs its own permit. */

import type { Check } from './check.ts';
import { permitted } from './check.ts';

export const permitAll: Check = {
  name: 'permit',
  needs: 'sender',
  judge: () => permitted('permit', 'the list says permit'),
};
