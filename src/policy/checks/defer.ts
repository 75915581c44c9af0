/** defer: everybody is asked to come back later. */

import type { Check } from './check.ts';
import { refused } from './check.ts';

export const deferAll: Check = {
  name: 'defer',
  needs: 'sender',
  judge: () =>
    refused('defer', 450, '4.3.2', 'Service unavailable, try again later', 'the list says defer'),
};
