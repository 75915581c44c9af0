/** The name of this host: forward, backward, and in HELO. */

import { checkIprev } from '#trust/iprev.ts';
import { bad, type Diagnosis, type DoctorCheck, good, unknown } from '../check.ts';

export const names: DoctorCheck = {
  name: 'names',
  run: async ({ settings, world, addresses }) => {
    const { resolver, clock } = world;
    const { myhostname } = settings;
    const found: Diagnosis[] = [];
    const [a, aaaa] = await Promise.all([resolver.a(myhostname), resolver.aaaa(myhostname)]);
    const about = `names ${myhostname}`;
    if (a.kind === 'found' || aaaa.kind === 'found') {
      found.push(good(about, 'the name in HELO has an address'));
    } else if (a.kind === 'failed' || aaaa.kind === 'failed') {
      found.push(unknown(about, 'the DNS does not answer', 'Try again later.'));
    } else {
      const cure = `Publish an A or AAAA record for ${myhostname}, or change myhostname.`;
      found.push(bad(about, 'the name in HELO has no address', cure));
    }
    if (addresses.length === 0) {
      const cure = 'Name it: postern doctor --address 192.0.2.1';
      found.push(unknown('names address', 'this machine has no public address of its own', cure));
    }
    for (const ip of addresses) {
      const { result, name, why } = await checkIprev({ ip, resolver, clock });
      const cure = `Ask your provider for the PTR record ${ip} -> ${myhostname}.`;
      if (result === 'temperror') found.push(unknown(`names ${ip}`, why, 'Try again later.'));
      else if (result !== 'pass') found.push(bad(`names ${ip}`, why, cure));
      else if (name?.toLowerCase() === myhostname) {
        found.push(good(`names ${ip}`, `is ${name}, forward and backward`));
      } else found.push(bad(`names ${ip}`, `is called ${name}, not ${myhostname}`, cure));
    }
    return found;
  },
};
