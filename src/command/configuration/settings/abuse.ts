/** Settings: how much one network or one account may do in a while. */

import { group } from '../declare.ts';
import { count, duration } from '../values.ts';

const rate = count(0, 1_000_000);

export const abuse = group(
  'Limits in time',
  'Networks are counted by /24 and /64, never those of mynetworks and loopback; 0 is no limit.',
  {
    smtpd_client_connection_rate_limit: {
      type: rate,
      unit: 'connections',
      default: 600,
      doc: 'Connections of one network in a minute.',
    },
    smtpd_client_message_rate_limit: {
      type: rate,
      unit: 'messages',
      default: 1_000,
      doc: 'Messages of one network in a minute.',
    },
    smtpd_client_recipient_rate_limit: {
      type: rate,
      unit: 'recipients',
      default: 5_000,
      doc: 'Recipients of one network in a minute.',
    },
    smtpd_client_unknown_limit: {
      type: rate,
      unit: 'recipients',
      default: 50,
      doc: 'Recipients that do not exist in an hour; then one network hears nothing of any address.',
    },
    smtpd_tarpit_time: {
      type: duration('0s', '60s'),
      unit: 'milliseconds',
      default: '10s',
      doc: 'How long the answer to the next unknown recipient is held back at most; 0s: never.',
    },
    smtpd_greet_wait: {
      type: duration('0s', '30s'),
      unit: 'milliseconds',
      default: '0s',
      doc: 'How long strangers wait for the greeting, so that those who talk first are seen.',
    },
    account_message_limit: {
      type: rate,
      unit: 'messages',
      default: 1_000,
      doc: 'Messages of one account in an hour; more are held until `postern queue release`.',
    },
    account_recipient_limit: {
      type: rate,
      unit: 'recipients',
      default: 5_000,
      doc: 'Recipients of one account in an hour; more are held.',
    },
    account_new_recipient_limit: {
      type: rate,
      unit: 'recipients',
      default: 500,
      doc: 'Recipients of one account in a day that it never wrote to before; more are held.',
    },
    account_held_limit: {
      type: rate,
      unit: 'messages',
      default: 1_000,
      doc: 'Messages of one account that are held in a day; more are refused for now, with 450.',
    },
    greylist_delay: {
      type: duration('1s', '1h'),
      unit: 'milliseconds',
      default: '300s',
      doc: 'How soon who met defer_greylisted may come again.',
    },
    greylist_retry_window: {
      type: duration('1h', '30d'),
      unit: 'milliseconds',
      default: '2d',
      doc: 'How late the retry may come that makes a client known.',
    },
    greylist_lifetime: {
      type: duration('1d', '365d'),
      unit: 'milliseconds',
      default: '36d',
      doc: 'How long a client stays known that does not come.',
    },
    greylist_network_passes: {
      type: count(0, 1_000),
      unit: 'triplets',
      default: 5,
      doc: 'Retries of different mail after which a whole network is known; 0: never.',
    },
  },
);
